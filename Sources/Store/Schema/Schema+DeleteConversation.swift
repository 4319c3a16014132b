/// Version 2: a deletion is safe to repeat, as every other change is.
extension Schema {
  static let deleteConversation = #"""
    DROP FUNCTION delete_conversation(text, text);

    -- Leaves a tombstone, tells a running turn to stop, claims the request. Outcomes: deleted and
    -- replayed (generation_id: the turn that was told), request_mismatch, conversation_not_found,
    -- conversation_deleted.
    CREATE FUNCTION delete_conversation(p_tenant text, p_conversation text, p_key text,
      p_request text, p_hash bytea)
    RETURNS TABLE (outcome text, generation_id uuid)
    LANGUAGE plpgsql AS $$
    #variable_conflict use_column
    DECLARE
      v_found boolean;
      v_deleted timestamptz;
      v_turn uuid;
      v_claim request;
    BEGIN
      SELECT true, c.deleted_at, c.running_turn INTO v_found, v_deleted, v_turn
      FROM conversation AS c
      WHERE c.tenant_id = p_tenant AND c.conversation_id = p_conversation
      FOR NO KEY UPDATE;
      SELECT q.* INTO v_claim FROM request AS q
      WHERE q.tenant_id = p_tenant AND q.key_id = p_key AND q.request_id = p_request;
      IF v_claim.request_id IS NOT NULL THEN
        RETURN QUERY SELECT CASE WHEN v_claim.method = 'delete'
          AND v_claim.payload_hash = p_hash THEN 'replayed' ELSE 'request_mismatch' END,
          v_claim.generation_id;
        RETURN;
      END IF;
      IF v_found IS NULL OR v_deleted IS NOT NULL THEN
        RETURN QUERY SELECT CASE WHEN v_found IS NULL THEN 'conversation_not_found'
          ELSE 'conversation_deleted' END, NULL::uuid;
        RETURN;
      END IF;
      INSERT INTO request (tenant_id, key_id, request_id, method, payload_hash,
        conversation_id, generation_id)
      VALUES (p_tenant, p_key, p_request, 'delete', p_hash, p_conversation, v_turn)
      ON CONFLICT DO NOTHING;
      -- A claim that came first under another conversation has another payload.
      IF NOT FOUND THEN
        RETURN QUERY SELECT 'request_mismatch', NULL::uuid;
        RETURN;
      END IF;
      UPDATE conversation AS c SET deleted_at = now(), version = c.version + 1
      WHERE c.tenant_id = p_tenant AND c.conversation_id = p_conversation;
      UPDATE turn AS t SET stop_requested_at = now()
      WHERE t.tenant_id = p_tenant AND t.generation_id = v_turn AND t.state = 'running';
      RETURN QUERY SELECT 'deleted', v_turn;
    END $$;
    """#
}
