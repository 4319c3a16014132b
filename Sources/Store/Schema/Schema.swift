/// The schema's versions, oldest first. A published version never changes; a change is a new one.
enum Schema {
  struct Version {
    let number: Int32
    let sql: String
  }

  static let versions = [
    Version(
      number: 1,
      sql: [
        globalTables, conversationTables, turnTables, quotaTables, ledgerTables,
        messageFunctions, createConversations, appendMessages, quotaFunctions, beginTurns,
        settleTurns, reapTurns, turnFunctions, adminFunctions, grants,
      ].joined(separator: "\n")),
    Version(number: 2, sql: [deleteConversation, usageReport].joined(separator: "\n")),
  ]

  static let newest = versions.last!.number

  /// Roles belong to the whole cluster: another database of it may have made them, or may be
  /// making them now. They log in, without a password until the operator gives them one.
  static let roles = #"""
    DO $$
    DECLARE
      v_role text;
    BEGIN
      FOREACH v_role IN ARRAY ARRAY['recount_server', 'recount_admin', 'recount_billing'] LOOP
        BEGIN
          IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = v_role) THEN
            EXECUTE format('CREATE ROLE %I LOGIN', v_role);
          END IF;
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
          NULL;
        END;
      END LOOP;
    END $$;
    """#
}
