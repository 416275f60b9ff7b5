"""The state over HTTP and by the command line: all or nothing, with errors that name the place."""

from __future__ import annotations

import copy
import json
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from sandbox import RemoteSandbox, Sandbox, SandboxServer
from sandbox.cli import main
from sandbox.foundation.errors import InvalidValueError, SharedSandboxError
from sandbox.state.seed import Seed
from sandbox.testing.handle import Patchworks
from tests.conftest import Integration


def saved(integration: Integration, *, secrets: bool = True) -> Any:
    answer = integration.control("GET", "/state", secrets=str(secrets).lower())
    assert answer.status_code == 200, answer.text
    return answer.json


def put(document: Any, path: str, value: Any) -> Any:
    """Return a copy of a document with another value somewhere."""
    changed = copy.deepcopy(document)
    *steps, last = [int(step) if step.isdecimal() else step for step in path.split(".")]
    target = changed
    for step in steps:
        target = target[step]
    target[last] = value
    return changed


def test_state_is_saved_and_loaded(integration: Integration) -> None:
    token = integration.token()
    integration.control("POST", "/clock/advance", {"seconds": 60})
    document = saved(integration)
    integration.control("POST", "/reset")
    answer = integration.control("PUT", "/state", document)

    assert (answer.status_code, answer.json["clients"]) == (  # type: ignore[index]
        200,
        [
            {
                "client_id": integration.client_id,
                "name": "Demo integration",
                "secret": "saved",
                "client_secret": None,
            }
        ],
    )
    assert integration.post(token=token).status_code == 200
    assert saved(integration)["platform"]["journal"]["entries"][0] == document["platform"]["journal"]["entries"][0]


def test_secrets_are_saved_on_request_only(integration: Integration) -> None:
    token = integration.token()
    text = integration.http.get("/_sandbox/state").text
    document = json.loads(text)

    assert (document["secrets"], document["signing_key"]) == (False, None)
    assert [client["secret"] for client in document["platform"]["store"]["clients"]] == [None]
    assert token not in text
    assert integration.client_secret not in text
    assert integration.client_secret not in integration.http.get("/_sandbox/state?secrets=true").text


RULE = {"id": "a", "rule": {"fault": {"kind": "x"}}, "created_at": 0, "seen": 0, "hits": 0}
REFUSED = [
    ("patchworks_sandbox_state", 2, "2", "1, the version of the format"),
    ("patchworks_sandbox_state", True, "true", "1, the version of the format"),
    ("plattform", 1, "1", "did you mean 'platform'?"),
    ("clock.rate", 0, "0", "a number at most 1000000 above 0"),
    ("clock.now", "2026-01-01T00:00:00", "'2026-01-01T00:00:00'", "text (date-time)"),
    ("clock.now", "9500-01-01T00:00:00Z", "'9500-01-01T00:00:00.000000Z'", "a time with a zone"),
    ("signing_key", "PEM", "'(not shown)'", "an unencrypted RSA private key"),
    ("platform.journal.entries", {}, "{}", "a list"),
    ("platform.journal.last_seq", -1, "-1", "a whole number at least 0"),
    ("platform.journal.last_seq", 0, "1", "a whole number from 1 to last_seq, 0"),
    ("platform.journal.entries.0.body", "&", "'&'", "a readable one"),
    ("platform.journal.entries.0.received_at", 1e300, "1e+300", "a number at least"),
    ("platform.settings.wire_profil", "legacy", "'legacy'", "did you mean 'wire_profile'?"),
    ("platform.settings.wire_profile", "ancient", "'ancient'", "modern or legacy"),
    ("platform.store.companies.0.slug", "A B", "'A B'", "2 to 63 lower-case"),
    ("platform.store.clients.0.id", "x", "'x'", "a UUID"),
    ("platform.store.clients.0.secret.hash", 5, "'(not shown)'", "an object or null"),
    ("platform.store.services.0.vanity_url", "a b", "'a b'", "3 to 36 letters"),
    ("platform.store.services.1.vanity_url", "orders", '["acme", "orders"]', "one that is there only once"),
    ("platform.store.services.0.entity", "nothing", "'nothing'", "one that is in the state: orders"),
    ("platform.store.services.0.connector_id", 9, "9", "one that is in the state: 1"),
    ("platform.store.services.0.id", 0, "0", "a whole number at least 1"),
    ("platform.store.connectors.0.id", 0, "0", "a whole number at least 1"),
    ("platform.store.entities.0.json_schema", {"type": 5}, '{"type": 5}', "a valid JSON Schema"),
    ("platform.store.entities.0.sample", json.loads("[" * 400 + "]" * 400), "'this one'", "at most 100 levels deep"),
    ("platform.store.last_ids.service", 1, "1", "at least 3"),
    ("platform.faults.rules", [RULE], "'x'", "known: status"),
]


@pytest.mark.parametrize(("path", "value", "given", "allowed"), REFUSED, ids=[f"{c[0]}={c[1]}"[:60] for c in REFUSED])
def test_wrong_state_is_refused_whole_with_what_is_allowed(
    integration: Integration, path: str, value: Any, given: str, allowed: str
) -> None:
    integration.sandbox.clock.freeze()
    integration.token()
    document = saved(integration)
    answer = integration.control("PUT", "/state", put(document, path, value))

    assert answer.status_code == 422, answer.text
    (error,) = answer.json["errors"]  # type: ignore[index]
    assert error["given"] == given
    assert allowed in error["message"]
    assert saved(integration) == document


@pytest.mark.parametrize(
    ("body", "status"), [(b"{", 400), (b"[]", 422), (b"{}", 422), (b"", 400), (b'{"a": "\\ud800"}', 400)]
)
def test_body_that_is_no_state_is_refused(integration: Integration, body: bytes, status: int) -> None:
    answer = integration.http.put("/_sandbox/state", data=body, content_type="application/json")

    assert answer.status_code == status, answer.text


def test_state_beyond_the_limit_is_refused(integration: Integration) -> None:
    document = saved(integration)
    integration.control("PATCH", "/settings", {"state_limit": 1000})

    assert integration.control("PUT", "/state", document).status_code == 413


def test_state_from_before_an_endpoint_was_added_lacks_its_values_and_is_loaded(integration: Integration) -> None:
    integration.token()
    document = saved(integration)
    (entry,) = document["platform"]["journal"]["entries"]
    del entry["vanity_url"]
    answer = integration.control("PUT", "/state", document)

    assert answer.status_code == 200, answer.text
    assert integration.sandbox.journal.get("1").vanity_url is None


def test_schema_is_served(integration: Integration) -> None:
    import jsonschema_rs

    schema = integration.control("GET", "/state.schema.json").json

    assert jsonschema_rs.is_valid(schema, saved(integration))


# --- handles ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def server(sandbox: Sandbox) -> Iterator[SandboxServer]:
    sandbox.clock.freeze()
    with SandboxServer(sandbox) as server:
        yield server


@pytest.fixture(params=["in process", "remote"])
def handle(request: pytest.FixtureRequest, server: SandboxServer) -> Iterator[Patchworks]:
    with RemoteSandbox(server.base_url) as remote:
        yield server.patchworks if request.param == "in process" else remote


def test_handle_saves_and_loads(handle: Patchworks) -> None:
    assert handle.client_id
    before = handle.state(secrets=True)
    handle.clock.advance(5)
    clients = handle.load_state(before)

    assert {client.secret for client in clients} == {"saved"}
    assert handle.state(secrets=True) == before
    with pytest.raises(InvalidValueError, match="patchworks_sandbox_state"):
        handle.load_state({})


def nested(levels: int) -> object:
    value: object = 1
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("platform.store.a\ud800", 1),
        ("platform.store.companies.0.name", "a\ud800"),
        ("platform.store.entities.0.sample", nested(100_000)),
        ("platform.store.entities.0.sample", float("nan")),
        ("platform.store.entities.0.sample", {1, 2}),
    ],
    ids=["half a character in a key", "in a value", "very deep", "no number", "a set"],
)
def test_what_no_json_can_say_is_refused_in_a_state(server: SandboxServer, place: str, value: object) -> None:
    document = put(server.patchworks.state(), place, value)

    with pytest.raises(InvalidValueError, match="JSON whose text is UTF-8"):
        server.patchworks.load_state(document)


def test_state_that_cannot_be_sent_is_refused_by_its_place(server: SandboxServer) -> None:
    with RemoteSandbox(server.base_url) as remote:
        document = put(remote.state(), "platform.store.entities.0.sample", {"total": float("inf")})

        with pytest.raises(InvalidValueError, match=r"entities\.0\.sample\.total: inf is not allowed"):
            remote.load_state(document)


def test_client_that_a_loaded_state_lacks_is_made_anew(server: SandboxServer) -> None:
    with RemoteSandbox(server.base_url) as remote:
        before = remote.state()
        first = remote.client_secret
        remote.load_state(before)

        assert remote.client_secret != first
        client = server.sandbox.store.find_client(remote.client_id)  # of the same id: chance goes on as it did
        assert server.sandbox.store.secret_matches(client, remote.client_secret)


def test_shared_sandbox_is_neither_saved_nor_loaded(handle: Patchworks) -> None:
    tenant = handle.isolated()
    with pytest.raises(SharedSandboxError, match="saving the state"):
        tenant.state()
    with pytest.raises(SharedSandboxError, match="loading a state"):
        tenant.load_state({})
    alone = handle.isolated(shared=False)
    assert {client.secret for client in alone.load_state(alone.state())} == {"kept"}


# --- command line -----------------------------------------------------------------------------------------------------


def run(server: SandboxServer, *arguments: str) -> Any:
    return CliRunner().invoke(main, ["state", *arguments], env={"PATCHWORKS_SANDBOX_URL": server.base_url})


def test_command_saves_a_private_file_and_loads_it(server: SandboxServer, tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    done = run(server, "save", str(file), "--with-secrets")

    assert (done.exit_code, done.output) == (0, f"saved to {file}, with secrets\n")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["state.json"]
    loaded = run(server, "load", str(file))
    assert loaded.exit_code == 0
    assert loaded.output.splitlines()[2].endswith("Demo integration  as saved")


def test_loading_without_secrets_tells_new_ones(server: SandboxServer, sandbox: Sandbox, tmp_path: Path) -> None:
    client = sandbox.store.add_client(1, "Other").client
    run(server, "save", str(tmp_path / "state.json"))
    sandbox.reset()
    loaded = json.loads(run(server, "load", str(tmp_path / "state.json"), "--json").output)

    assert [(c["name"], c["secret"]) for c in loaded["clients"]] == [("Demo integration", "kept"), ("Other", "new")]
    assert sandbox.store.secret_matches(sandbox.store.find_client(client.id), loaded["clients"][1]["client_secret"])


def test_loading_a_state_without_clients_tells_the_time_only(tmp_path: Path) -> None:
    with SandboxServer(Sandbox(Seed())) as server:
        run(server, "save", str(tmp_path / "state.json"))
        told = run(server, "load", str(tmp_path / "state.json")).output

    assert re.fullmatch(r"loaded; it is \S+Z\n", told)


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "No such file or directory"), (b"{", "is not JSON"), (b"{}", "the version of the format")],
)
def test_bad_file_ends_the_command_with_a_message(
    server: SandboxServer, tmp_path: Path, content: bytes | None, said: str
) -> None:
    file = tmp_path / "state.json"
    if content is not None:
        file.write_bytes(content)
    done = run(server, "load", str(file))

    assert done.exit_code == 1
    assert said in done.output


def test_save_that_fails_leaves_the_file_as_it_was(server: SandboxServer, tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    file.write_text("mine")
    server.stop()

    assert run(server, "save", str(file)).exit_code == 3
    assert file.read_text() == "mine"
    assert run(server, "save", str(tmp_path / "nowhere" / "state.json")).exit_code == 1
