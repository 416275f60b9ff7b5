"""Saving and loading is the identity: after any history the loaded sandbox answers as the saved one does."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from sandbox import Sandbox
from sandbox.foundation.clock import Clock
from sandbox.foundation.errors import InputError
from sandbox.journal.known_secrets import fingerprint
from sandbox.platform.keys import SigningKey
from sandbox.state.seed import parse_seed
from sandbox.state.snapshot import pieces, read_state, to_document
from sandbox.web.app import SandboxApp
from tests.contract import ContractClient

KEYS = [SigningKey.generate() for _ in range(2)]
SECRET = "a-secret-of-the-test"
CLIENT = "9d3c6f0e-4b7a-4c59-8f21-5e0a1b2c3d4e"
WALL = 1_795_456_800.25


class Life:
    """A sandbox and an integration that uses it; the tokens may be carried over to another."""

    def __init__(self, tokens: list[str] | None = None, key: int = 0) -> None:
        seed = {"companies": [{"name": "Acme", "connectors": [self._connector()]}]}
        self.sandbox = Sandbox(parse_seed(seed), clock=Clock(lambda: WALL), signing_key=KEYS[key])
        self.http = ContractClient(SandboxApp(self.sandbox))
        self.tokens = [] if tokens is None else tokens

    @staticmethod
    def _connector() -> dict[str, Any]:
        return {
            "name": "Shop",
            "entities": [
                {"type": "custom", "name": "anything"},
                {"type": "orders", "name": "orders", "sample": {"n": 1}},
            ],
            "oauth_clients": [{"name": "Test", "client_id": CLIENT, "client_secret": SECRET}],
            "services": [
                {"vanity_url": "anything", "entity": "anything"},
                {"vanity_url": "orders", "entity": "orders"},
            ],
        }

    def ask(self, secret: str = SECRET) -> tuple[int, str]:
        form = {"grant_type": "client_credentials", "client_id": CLIENT, "client_secret": secret}
        answer = self.http.post("/oauth/token", data=form)
        if answer.status_code == 200 and "access_token" in (answer.json or {}):
            self.tokens.append(answer.json["access_token"])  # type: ignore[index]
        return answer.status_code, answer.text

    def push(self, body: bytes, where: str, token: int) -> tuple[int, str]:
        known = self.tokens[token % len(self.tokens)] if self.tokens else "none"
        answer = self.http.post(f"/v1/acme/{where}", data=body, headers={"Authorization": f"Bearer {known}"})
        return answer.status_code, answer.text

    def do(self, step: tuple[Any, ...]) -> None:
        sandbox, (verb, *given) = self.sandbox, step
        store = sandbox.store
        try:
            match verb:
                case "ask":
                    self.ask(*given)
                case "push":
                    self.push(*given)
                case "advance":
                    sandbox.clock.advance(*given)
                case "clock":
                    sandbox.clock.change(frozen=given[0], rate=given[1])
                case "revoke":
                    sandbox.revoke_tokens()
                case "rotate":
                    sandbox.keys.use(KEYS[1])
                case "settings":
                    sandbox.change_settings(given[0])
                case "fault":
                    answer = self.http.post("/_sandbox/faults", json=given[0])
                    assert answer.status_code == 201, answer.text
                case "remove fault":
                    sandbox.platform.faults.remove(sandbox.platform.faults.rules()[-1].id)
                case "company":
                    slug = store.add_company(*given).slug
                    connector = store.add_connector(slug, "Other", "live").id
                    store.add_entity(connector, "custom", "x", None, {"type": "object"})
                    store.add_client(connector, "Other")
                    store.add_service(slug, connector, "x", "xxx", active=False)
                case "toggle":
                    service = store.services()[0]
                    store.change_service(service.id, active=not service.active)
                case "delete service":
                    store.delete_service(store.services()[-1].id)
                case "delete client":
                    client = store.clients()[-1]
                    sandbox.delete_client(client.connector_id, client.id, client.name)
                case "clear":
                    sandbox.journal.clear()
        except (InputError, IndexError, OSError):  # an operation on what is gone; a fault on the wire
            pass

    def probe(self) -> list[Any]:
        """Return what a set of requests is answered, and what the sandbox says of itself after them.

        Ids that are drawn at random are left out: a saved state does not hold the generator.
        """
        known = len(self.tokens)
        seen: list[Any] = [self.ask()[0], self.ask("wrong-secret")]
        seen += [self.push(b'{"n": "x"}', where, token) for token in range(2) for where in ("anything", "orders")]
        store = self.sandbox.store
        company = store.add_company("Acme")
        seen += [company, store.add_client(store.add_connector(company.slug, "New").id, "Probe").client.name]
        listed = self.http.get("/_sandbox/requests").json
        for entry in listed["entries"]:  # type: ignore[index]
            del entry["duration_ms"]
        entries = json.dumps(listed["entries"])  # type: ignore[index]
        for number, token in enumerate(self.tokens[known:]):
            entries = entries.replace(fingerprint(token), f"new token {number}")
        return [*seen, json.loads(entries), self.http.get("/_sandbox/faults").json]  # type: ignore[index]


FAULTS = st.sampled_from(
    [
        {"fault": {"kind": "status", "code": 503}, "times": 2, "match": {"endpoint": "inbound"}},
        {"fault": {"kind": "status", "code": 500, "body": "ä"}, "probability": 0},
        {"fault": {"kind": "sequence", "steps": ["pass", {"kind": "maintenance"}], "repeat": True}, "name": "both"},
        {"fault": {"kind": "expired_token"}, "lasts": 60, "match": {"endpoint": "token"}},
        {"fault": {"kind": "status", "code": 502}, "since": "2030-01-01T00:00:00Z", "match": {"json_path": "$.n"}},
    ]
)
STEPS = st.one_of(
    st.tuples(st.just("ask")),
    st.tuples(
        st.just("push"), st.binary(max_size=30), st.sampled_from(["anything", "orders", "nowhere"]), st.integers(0, 5)
    ),
    st.tuples(st.just("advance"), st.floats(-1e5, 1e6)),
    st.tuples(st.just("clock"), st.booleans(), st.floats(0.001, 1e6)),
    st.tuples(st.just("fault"), FAULTS),
    st.tuples(st.just("company"), st.sampled_from(["Acme", "Größe & Co"])),
    st.tuples(
        st.just("settings"),
        st.sampled_from(
            [
                {"wire_profile": "legacy", "token_lifetime": 60},
                {"rate_limit": True, "rate_limit_requests": 3},
                {"journal_entries": 3},
                {"scopes": ["a", "b"], "entity_check": "flag"},
            ]
        ),
    ),
    *(
        st.tuples(st.just(verb))
        for verb in ("revoke", "rotate", "remove fault", "toggle", "delete service", "delete client", "clear")
    ),
)


# Chance rarely switches the rate limit on and then sends something: this leaves a trace in every part of a state.
EVERY_PART: list[tuple[Any, ...]] = [
    ("settings", {"rate_limit": True, "rate_limit_requests": 3}),
    ("company", "Größe & Co"),
    ("fault", {"fault": {"kind": "status", "code": 503}, "times": 2, "match": {"endpoint": "inbound"}}),
    ("fault", {"fault": {"kind": "status", "code": 500}, "probability": 0, "match": {"endpoint": "token"}}),
    ("settings", {"journal_entries": 3}),
    ("push", b"x", "anything", 0),
    ("ask",),
    ("clock", False, 0.5),
]


@given(steps=st.lists(STEPS, max_size=15))
@example(steps=EVERY_PART)
@example(steps=[("ask",), ("ask",), ("settings", {"journal_entries": 3})])
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.generate],
)
def test_loaded_state_is_the_saved_one_and_goes_on_alike(steps: list[tuple[Any, ...]]) -> None:
    first = Life()
    for step in [("ask",), ("ask",), *steps]:
        first.do(step)
    saved = b"".join(pieces(first.sandbox.state(secrets=True)))
    second = Life(list(first.tokens), key=1)
    second.sandbox.load_state(read_state(json.loads(saved)))

    assert b"".join(pieces(second.sandbox.state(secrets=True))) == saved
    assert second.probe() == first.probe()


def test_state_without_secrets_is_the_same_after_loading_and_its_tokens_are_not_good() -> None:
    first = Life()
    first.ask()
    saved = to_document(first.sandbox.state())
    second = Life(list(first.tokens), key=1)
    second.sandbox.load_state(read_state(saved))

    assert to_document(second.sandbox.state()) == saved
    assert second.push(b"x", "anything", 0)[0] == 401
    assert second.sandbox.journal.get("2").reason == "bad_signature: changed on the way, or signed by another key"
    assert second.ask()[0] == 200


def test_pieces_are_the_document() -> None:
    life = Life()
    for _ in range(250):
        life.push(b"\xff", "anything", 0)

    state = life.sandbox.state(secrets=True)

    assert json.loads(b"".join(pieces(state))) == json.loads(json.dumps(to_document(state)))
    assert len(list(pieces(state))) == 5


def test_state_larger_than_the_journal_may_be_drops_the_oldest() -> None:
    life = Life()
    for _ in range(5):
        life.push(b"x", "anything", 0)
    saved = to_document(life.sandbox.state())
    saved["platform"]["settings"]["journal_entries"] = 2
    life.sandbox.load_state(read_state(saved))

    assert [entry.seq for entry in life.sandbox.journal.snapshot()] == [4, 5]
    assert life.sandbox.journal.dropped == 3


def test_reset_returns_to_the_seed_of_the_process(make_sandbox: Callable[..., Sandbox]) -> None:
    life = Life()
    life.sandbox.store.add_company("Other")
    sandbox = make_sandbox(token_lifetime=5)
    before = sandbox.credentials
    sandbox.load_state(life.sandbox.state(secrets=True))
    assert (sandbox.settings.token_lifetime, len(sandbox.store.companies())) == (86_400, 2)
    assert dict(sandbox.credentials) == {}  # the client has another secret there
    sandbox.reset()

    assert (sandbox.settings.token_lifetime, len(sandbox.store.companies())) == (5, 1)
    assert sandbox.credentials == before


def test_client_unknown_here_gets_a_new_secret_that_is_told() -> None:
    first, second = Life(), Life()
    new = first.sandbox.store.add_client(1, "Other")
    known, other = second.sandbox.load_state(first.sandbox.state())

    assert (known.client_id, known.secret, known.client_secret) == (CLIENT, "kept", None)
    assert (other.client_id, other.secret) == (new.client.id, "new")
    assert other.client_secret is not None
    assert second.sandbox.store.secret_matches(second.sandbox.store.find_client(new.client.id), other.client_secret)
    assert second.sandbox.credentials[new.client.id].secret == other.client_secret
