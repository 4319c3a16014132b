"""API keys: everything that can be wrong with one."""

import zlib

from kit.client import Client, ask, pb, refused, user


def _refused_with(w, code, reason, metadata):
    client = Client(w.address, metadata=metadata)
    failure = refused(code, reason, client.GetUsage, pb.GetUsageRequest())
    client.close()
    return failure


def _key_id(key):
    return key.split("_")[1]


def _change(w, sql):
    """An operator's change, past the command line."""
    w.db.query(f"BEGIN; {sql}; UPDATE config_version SET version = version + 1; COMMIT",
               role="postgres")


def no_key(w):
    _refused_with(w, "UNAUTHENTICATED", "API_KEY_MISSING", [("x-other", "1")])


def malformed_keys_say_what_is_wrong(w):
    for name, value, word in (
            ("authorization", f"Bearer Bearer {w.key}", "Bearer"),
            ("authorization", w.key, "Bearer"),
            ("authorization", f"Basic {w.key}", "Bearer"),
            ("x-api-key", w.key, "authorization"),
            ("api-key", w.key, "authorization"),
            ("authorization", "Bearer", ""),
            ("authorization", "Bearer sk-12345", "rct_"),
            ("authorization", f"Bearer {w.key[:-1]}", ""),
            ("authorization", f"Bearer {w.key[:-8]}00000000", ""),
            ("authorization", f"Bearer {w.key} x", ""),
            ("authorization", "Bearer rct_" + "a" * 5000, "")):
        failure = _refused_with(w, "UNAUTHENTICATED", "API_KEY_MALFORMED", [(name, value)])
        assert word in failure.message, (value[:12], failure.message)
        assert w.key not in failure.message and w.key[5:20] not in failure.message
    twice = [("authorization", f"Bearer {w.key}")] * 2
    _refused_with(w, "UNAUTHENTICATED", "API_KEY_MALFORMED", twice)


def the_scheme_has_no_case(w):
    for scheme in ("bearer", "BEARER"):
        client = Client(w.address, metadata=[("authorization", f"{scheme} {w.key}")])
        client.GetUsage(pb.GetUsageRequest())
        client.close()


def unknown_keys(w):
    for body in ("rct_aaaaaaaaaaaa_" + "b" * 32, f"rct_{_key_id(w.key)}_" + "c" * 32):
        key = f"{body}{zlib.crc32(body.encode()):08x}"
        _refused_with(w, "UNAUTHENTICATED", "API_KEY_INVALID", [("authorization", f"Bearer {key}")])


def revoked(w):
    key = w.new_key()
    client = Client(w.address, key)
    name = client.Create(pb.CreateRequest(model="gpt-4.1")).conversation.id
    w.db.recount("key", "revoke", _key_id(key), "--yes")
    before = len(w.sim.log())
    refused("UNAUTHENTICATED", "API_KEY_REVOKED", client.Generate, ask(name))
    assert len(w.sim.log()) == before

    def known():
        try:
            refused("UNAUTHENTICATED", "API_KEY_REVOKED", client.GetUsage, pb.GetUsageRequest())
            return True
        except AssertionError:
            return False

    w.wait(known, seconds=3, what="elsewhere a revocation holds within 2 s")
    client.close()


def expired(w):
    key = w.new_key()
    _change(w, "UPDATE api_key SET expires_at = now() - interval '1 second' "
               f"WHERE key_id = '{_key_id(key)}'")
    w.wait(lambda: _is_refused(w, key, "API_KEY_EXPIRED"), seconds=3)


def _is_refused(w, key, reason, code="UNAUTHENTICATED"):
    try:
        _refused_with(w, code, reason, [("authorization", f"Bearer {key}")])
        return True
    except AssertionError:
        return False


def a_scope_is_missing(w):
    client = Client(w.address, w.new_key("--scope", "read"))
    name = w.conversation()
    client.Get(pb.GetRequest(conversation_id=name))
    for call, request, scope in (
            (client.GetUsage, pb.GetUsageRequest(), "usage"),
            (client.Create, pb.CreateRequest(model="gpt-4.1"), "write"),
            (client.Append, pb.AppendRequest(conversation_id=name, messages=[user("x")]), "write"),
            (client.Generate, ask(name), "generate")):
        failure = refused("PERMISSION_DENIED", "SCOPE_MISSING", call, request)
        assert failure.metadata["scope"] == scope, failure
    client.close()


def a_model_is_not_allowed(w):
    key = w.new_key("--model", "deepseek-v3.2")
    client = Client(w.address, key)
    failure = refused("PERMISSION_DENIED", "MODEL_NOT_ALLOWED", client.Create,
                      pb.CreateRequest(model="gpt-4.1"))
    assert failure.metadata["model"] == "gpt-4.1"
    name = client.Create(pb.CreateRequest(model="deepseek-v3.2")).conversation.id
    client.Generate(ask(name))
    refused("PERMISSION_DENIED", "MODEL_NOT_ALLOWED", client.Generate, ask(w.conversation()))
    client.close()


def a_suspended_tenant(w):
    w.db.recount("tenant", "create", "frozen", "--name", "Frozen", "--currency", "USD")
    key = w.new_key(tenant="frozen")
    _change(w, "UPDATE tenant SET suspended_at = now() WHERE tenant_id = 'frozen'")
    w.wait(lambda: _is_refused(w, key, "TENANT_SUSPENDED", "PERMISSION_DENIED"), seconds=3)
