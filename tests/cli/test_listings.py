"""``tokens``, ``services``, ``entities`` and ``settings``, in this process against a server."""

from __future__ import annotations

import json

from sandbox import SandboxServer
from tests.cli.conftest import Run, push


def rows(text: str) -> list[list[str]]:
    return [line.split() for line in text.splitlines()[1:]]


def test_tokens_are_listed_with_their_state_and_revoked(run: Run, server: SandboxServer) -> None:
    nothing = run("tokens", "list").stdout
    push(server)
    client_id = server.patchworks.client_id
    good = rows(run("tokens", "list").stdout)
    server.sandbox.clock.advance(days=2)
    expired = rows(run("tokens", "list", "--client-id", client_id).stdout)

    revoked = run("tokens", "revoke", "--client-id", client_id).stdout
    (token,) = json.loads(run("tokens", "list", "--json").stdout)["tokens"]

    assert nothing == "no tokens\n"
    assert [(row[0], row[1], row[-2:]) for row in (*good, *expired)] == [
        ("1", client_id, ["1", "good"]),
        ("1", client_id, ["1", "expired"]),
    ]
    assert revoked == "1 token revoked\n"
    assert token["revoked"]
    assert rows(run("tokens", "list").stdout)[0][-1] == "revoked"


def test_services_are_listed_with_their_paths(run: Run, server: SandboxServer) -> None:
    server.sandbox.store.change_service(1, active=False)

    listed = rows(run("services", "list").stdout)

    assert listed[0] == ["1", "/v1/acme/orders", "1", "orders", "inactive"]
    assert {row[-1] for row in listed[1:]} == {"active"}
    assert len(json.loads(run("services", "list", "--json").stdout)) == len(listed)


def test_entities_are_listed_with_the_origin_of_their_structures(run: Run, server: SandboxServer) -> None:
    store = server.sandbox.store
    store.add_entity(store.add_connector("acme", "Second").id, "custom", "own", json_schema={"type": "object"})

    listed = rows(run("entities", "list").stdout)
    (own,) = json.loads(run("entities", "list", "--connector", "2", "--json").stdout)

    assert ["free-form"] in [row[4:] for row in listed]
    assert ["of", "its", "sample"] in [row[4:] for row in listed]
    assert listed[-1][1:] == ["own", "custom", "2", "of", "a", "JSON", "Schema"]
    assert own["name"] == "own"


def test_settings_are_shown_and_changed_until_the_next_reset(run: Run, server: SandboxServer) -> None:
    before = dict(row[:2] for row in rows(run("settings", "show").stdout))
    run("settings", "set", "token_lifetime=60", "wire_profile=legacy")
    after = json.loads(run("settings", "show", "--json").stdout)
    run("reset")

    assert (after["token_lifetime"], after["wire_profile"]) == (60, "legacy")
    assert (before["token_lifetime"], before["wire_profile"]) == ("86400", "modern")
    assert server.sandbox.settings.token_lifetime == 86_400
    assert "'soon' is not allowed" in run("settings", "set", "token_lifetime=soon", exit_code=1).stderr
    assert "'soon' is not NAME=VALUE" in run("settings", "set", "soon", exit_code=2).stderr
