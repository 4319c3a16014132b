/// Changes by an operator: each with its audit row and the new configuration version, in one
/// transaction.
extension Schema {
  static let adminFunctions = #"""
    -- Raises the configuration version, which also puts operators' changes in one order.
    CREATE FUNCTION record_change(p_actor text, p_action text, p_tenant text, p_subject text,
      p_detail jsonb)
    RETURNS bigint LANGUAGE plpgsql AS $$
    DECLARE
      v_version bigint;
    BEGIN
      UPDATE config_version SET version = version + 1, changed_at = now()
      RETURNING version INTO v_version;
      INSERT INTO audit_log (audit_id, tenant_id, actor, action, subject, config_version, detail)
      VALUES (gen_random_uuid(), p_tenant, p_actor, p_action, p_subject, v_version, p_detail);
      RETURN v_version;
    END $$;

    CREATE FUNCTION admin_create_tenant(p_tenant text, p_name text, p_currency text,
      p_actor text)
    RETURNS TABLE (outcome text, config_version bigint) LANGUAGE plpgsql AS $$
    BEGIN
      INSERT INTO tenant (tenant_id, name, currency) VALUES (p_tenant, p_name, p_currency)
      ON CONFLICT DO NOTHING;
      IF NOT FOUND THEN
        RETURN QUERY SELECT 'exists', NULL::bigint;
        RETURN;
      END IF;
      RETURN QUERY SELECT 'done', record_change(p_actor, 'tenant.create', p_tenant, p_tenant,
        jsonb_build_object('currency', p_currency));
    END $$;

    CREATE FUNCTION admin_create_key(p_key text, p_tenant text, p_name text, p_hash bytea,
      p_scopes text[], p_models text[], p_expires timestamptz, p_actor text)
    RETURNS TABLE (outcome text, config_version bigint) LANGUAGE plpgsql AS $$
    BEGIN
      PERFORM 1 FROM tenant WHERE tenant_id = p_tenant FOR KEY SHARE;
      IF NOT FOUND THEN
        RETURN QUERY SELECT 'not_found', NULL::bigint;
        RETURN;
      END IF;
      INSERT INTO api_key (key_id, tenant_id, name, scopes, allowed_models, expires_at)
      VALUES (p_key, p_tenant, p_name, p_scopes, p_models, p_expires)
      ON CONFLICT DO NOTHING;
      IF NOT FOUND THEN
        RETURN QUERY SELECT 'exists', NULL::bigint;
        RETURN;
      END IF;
      INSERT INTO api_key_secret (key_id, slot, secret_hash) VALUES (p_key, 1, p_hash);
      RETURN QUERY SELECT 'done', record_change(p_actor, 'key.create', p_tenant, p_key,
        jsonb_build_object('scopes', p_scopes, 'models', p_models, 'expires_at', p_expires));
    END $$;

    CREATE FUNCTION admin_revoke_key(p_key text, p_actor text)
    RETURNS TABLE (outcome text, config_version bigint) LANGUAGE plpgsql AS $$
    DECLARE
      v_tenant text;
    BEGIN
      SELECT k.tenant_id INTO v_tenant FROM api_key AS k WHERE k.key_id = p_key FOR UPDATE;
      IF NOT FOUND THEN
        RETURN QUERY SELECT 'not_found', NULL::bigint;
        RETURN;
      END IF;
      UPDATE api_key SET revoked_at = now() WHERE key_id = p_key AND revoked_at IS NULL;
      IF NOT FOUND THEN
        RETURN QUERY SELECT 'refused', NULL::bigint;
        RETURN;
      END IF;
      RETURN QUERY SELECT 'done', record_change(p_actor, 'key.revoke', v_tenant, p_key, '{}');
    END $$;

    -- p_starts null: now. A start in the past or not after the book's newest is refused.
    CREATE FUNCTION admin_publish_prices(p_set uuid, p_book text, p_currency text,
      p_starts timestamptz, p_provenance text, p_hash bytea, p_actor text, r_model text[],
      r_class text[], r_tier text[], r_from bigint[], r_marginal boolean[], r_price bigint[],
      r_derived text[])
    RETURNS TABLE (outcome text, config_version bigint) LANGUAGE plpgsql AS $$
    DECLARE
      v_version bigint;
    BEGIN
      IF EXISTS (SELECT 1 FROM price_set WHERE price_set_id = p_set) THEN
        RETURN QUERY SELECT 'exists', NULL::bigint;
        RETURN;
      END IF;
      -- Taken first: publications stand in line, so "the newest" is settled.
      v_version := record_change(p_actor, 'price.apply', NULL, p_set::text,
        jsonb_build_object('book', p_book, 'currency', p_currency,
          'prices', cardinality(r_model)));
      IF p_starts < now() OR EXISTS (SELECT 1 FROM price_set AS s WHERE s.book = p_book
        AND s.currency = p_currency AND s.starts_at >= coalesce(p_starts, clock_timestamp())) THEN
        RAISE EXCEPTION 'price set does not start after the newest one'
          USING ERRCODE = 'RC001';
      END IF;
      INSERT INTO price_set (price_set_id, book, currency, starts_at, published_by, provenance,
        source_hash)
      VALUES (p_set, p_book, p_currency, coalesce(p_starts, clock_timestamp()), p_actor,
        p_provenance, p_hash);
      INSERT INTO price (price_set_id, model_id, token_class, service_tier, prompt_from,
        marginal, price, derived_from)
      SELECT p_set, r.* FROM unnest(r_model, r_class, r_tier, r_from, r_marginal, r_price,
        r_derived) AS r;
      RETURN QUERY SELECT 'done', v_version;
    END $$;
    """#

  static let grants = #"""
    REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC;
    REVOKE ALL ON ALL FUNCTIONS IN SCHEMA public FROM PUBLIC;
    GRANT USAGE ON SCHEMA public TO recount_server, recount_admin, recount_billing;
    GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO recount_server, recount_admin;
    GRANT EXECUTE ON FUNCTION usage_report TO recount_billing;
    REVOKE EXECUTE ON FUNCTION record_change, admin_create_tenant, admin_create_key,
      admin_revoke_key, admin_publish_prices FROM recount_server;

    GRANT SELECT ON ALL TABLES IN SCHEMA public TO recount_server, recount_admin;
    GRANT INSERT, UPDATE ON conversation, turn, replica, quota_period, segment
      TO recount_server;
    GRANT DELETE ON replica TO recount_server;
    GRANT INSERT, DELETE ON request, pin TO recount_server;
    GRANT INSERT ON message, summary_node, context_epoch, attempt, turn_delta, usage_event
      TO recount_server;
    GRANT UPDATE (state) ON message TO recount_server;

    GRANT INSERT, UPDATE ON tenant, api_key, api_key_secret, model, relay, relay_model,
      config_version, quota_account, quota_period, billing_period, usage_hour
      TO recount_admin;
    GRANT DELETE ON api_key_secret, relay, relay_model TO recount_admin;
    GRANT INSERT ON price_set, price, fx_rate, audit_log, usage_event TO recount_admin;

    GRANT SELECT ON tenant, price_set, price, fx_rate, usage_event, usage_hour,
      billing_period, quota_account, quota_period TO recount_billing;
    """#
}
