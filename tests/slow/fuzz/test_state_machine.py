"""Whatever is done to a sandbox, in whatever order, it stands as a plain model of it does.

A state machine calls the emulated and the control API through the client that checks their documents, and predicts
each answer with `Model`. After every step the journal and the tokens are held against the model; at the end, over the
control API, everything is. Nothing is answered with 5xx that no fault asked for.
"""

from __future__ import annotations

import base64
import copy
import json
from collections.abc import Sequence
from typing import Any, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from werkzeug.test import Client as WsgiClient
from werkzeug.test import TestResponse

from sandbox import Sandbox
from sandbox.foundation.clock import Clock
from sandbox.journal.entry import Entry
from sandbox.journal.known_secrets import fingerprint
from sandbox.platform.keys import SigningKey
from sandbox.state.seed import parse_seed
from sandbox.web.app import SandboxApp
from tests.contract import ContractClient
from tests.slow.fuzz.effort import share
from tests.slow.fuzz.model import Client, Entity, Expected, Fault, Model, Service

WALL = 1_795_456_800.25
SEED = {
    "companies": [
        {
            "name": "Acme",
            "connectors": [
                {
                    "name": "Shop",
                    "entities": [
                        {"type": "custom", "name": "anything"},
                        {"type": "custom", "name": "numbered", "sample": {"n": 1}},
                    ],
                    "oauth_clients": [
                        {
                            "name": "Seeded",
                            "client_id": "9d3c6f0e-4b7a-4c59-8f21-5e0a1b2c3d4e",
                            "client_secret": "a-secret-of-the-seed",
                        }
                    ],
                    "services": [
                        {"vanity_url": "anything", "entity": "anything"},
                        {"vanity_url": "numbered", "entity": "numbered"},
                    ],
                },
                {
                    "name": "Other",
                    "oauth_clients": [
                        {
                            "name": "Also seeded",
                            "client_id": "1b2c3d4e-4b7a-4c59-8f21-5e0a9d3c6f0e",
                            "client_secret": "another-secret-of-the-seed",
                        }
                    ],
                },
            ],
        }
    ]
}
ANY = st.integers(0, 30)
"""Which of those there are, counted from the newest, round and round."""
HOW = st.sampled_from(["form", "json", "basic", "query"])
GOOD_BODIES = st.sampled_from([b'{"m": 2, "n": 1}', b'{"n": 1}', b'[{"n": 1}, {"n": 2, "m": 3}]'])
BODIES = st.one_of(
    GOOD_BODIES,
    st.sampled_from([b'[{"n": 1}, 7]', b'{"n": "1"}', b"", b" \r\n", b"null", b"[]", b"{}", b'""', b"no", b"\xff\0"]),
    st.binary(max_size=20),
)
NAMES = st.sampled_from(["Acme", "Größe & Söhne", " spaced ", "名前", "%2F../", "<b>&X: y"])

_T = TypeVar("_T")


def pick(things: Sequence[_T], which: int) -> _T:
    return things[-1 - which % len(things)]


def pristine() -> Model:
    """Return what a sandbox of the seed should be like."""
    seeded = [connector["oauth_clients"][0] for connector in SEED["companies"][0]["connectors"]]  # type: ignore[index]
    return Model(
        now=WALL,
        companies=["acme"],
        connectors={1: "acme", 2: "acme"},
        entities=[Entity(1, 1, "anything", False, None), Entity(2, 1, "numbered", True, "n")],
        clients=[Client(new["client_id"], new["client_secret"], new["name"], at + 1) for at, new in enumerate(seeded)],
        services=[Service(1, "acme", 1, "anything", "anything"), Service(2, "acme", 1, "numbered", "numbered")],
    )


class Sandboxed(RuleBasedStateMachine):
    """An integration, a person who steers, and what should come of it."""

    signing_key: SigningKey

    def __init__(self) -> None:
        super().__init__()
        self.sandbox = Sandbox(parse_seed(SEED), clock=Clock(lambda: WALL), signing_key=self.signing_key)
        app = SandboxApp(self.sandbox)
        self.http, self.unchecked = ContractClient(app), WsgiClient(app)
        self.model = pristine()
        self.keys = 1
        self.credentials = [(client.id, client.secret) for client in self.model.clients]
        self.tokens: list[tuple[str, int | None]] = [("not.a.token", None)]
        self.addresses = [("acme", "nowhere"), ("acme", "numbered"), ("acme", "anything")]
        self.saved: tuple[Any, Model] | None = None

    def steer(self, method: str, path: str, json: Any = None, *, status: int = 200, **query: Any) -> Any:
        """Call the control API; return what it answers, after a look at the status."""
        body = {} if json is None else {"json": json}
        response = self.http.open(f"/_sandbox{path}", method=method, query_string=query, **body)
        assert response.status_code == status, f"{method} {path}: {response.status} {response.text}"
        return response.json if response.data else None

    def check(self, response: TestResponse, expected: Expected) -> None:
        assert response.status_code == expected.status, f"{expected}: {response.status} {response.text}"

    # --- the integration --------------------------------------------------------------------------------------------

    @initialize(how=HOW)
    def begin(self, how: str) -> None:
        self.get_token(0, how)

    @precondition(lambda self: self.model.clients)
    @rule(which=ANY, how=HOW)
    def get_token(self, which: int, how: str) -> None:
        client = pick(self.model.clients, which)
        self._request_token(client.id, client.secret, how)

    @rule(
        which=ANY,
        secret=st.sampled_from(["right"] * 6 + ["wrong", "of another", "none", "swapped"]),
        how=HOW,
        grant=st.sampled_from(["client_credentials"] * 8 + ["password", ""]),
        scope=st.sampled_from(["", "", "access-inbound", "*", "bogus"]),
    )
    def try_for_token(self, which: int, secret: str, how: str, grant: str, scope: str) -> None:
        client_id: str | None
        sent: str | None
        client_id, sent = pick(self.credentials, which)
        misplaced = False
        match secret:
            case "wrong":
                sent = "wrong-secret"
            case "of another":
                sent = pick(self.credentials, which + 1)[1]
            case "none":
                sent = None
            case "swapped":
                client_id, sent = sent, client_id
                misplaced = any(client.secret == client_id for client in self.model.clients)
        self._request_token(client_id, sent, how, grant, scope, misplaced=misplaced)

    def _request_token(
        self,
        client_id: str | None,
        secret: str | None,
        how: str,
        grant: str = "client_credentials",
        scope: str = "",
        *,
        misplaced: bool = False,
    ) -> None:
        given = {"grant_type": grant, "client_id": client_id, "client_secret": secret, "scope": scope}
        response = self._ask(how, given)

        told_as = fingerprint(client_id) if misplaced and client_id else client_id
        expected = self.model.token_request(told_as, secret, grant, scope, misplaced=misplaced)

        self.check(response, expected)
        if expected.status == 200:
            assert response.json is not None
            access_token: str = response.json["access_token"]
            assert response.json["expires_in"] == self.model.settings["token_lifetime"]
            self.model.tokens[-1].access_token = access_token
            self.tokens.append((access_token, self.model.key))

    def _ask(self, how: str, given: dict[str, str | None]) -> TestResponse:
        parameters = {name: value or "" for name, value in given.items() if value is not None or how == "basic"}
        match how:
            case "json":
                return self.http.post("/oauth/token", json=parameters)
            case "query":
                return self.http.get("/oauth/token", query_string=parameters)
            case "basic":
                credentials = f"{parameters.pop('client_id')}:{parameters.pop('client_secret')}".encode()
                authorization = {"Authorization": f"Basic {base64.b64encode(credentials).decode()}"}
                return self.http.post("/oauth/token", data=parameters, headers=authorization)
            case _:
                return self.http.post("/oauth/token", data=parameters)

    @precondition(lambda self: self.model.good_tokens())
    @rule(which=ANY, body=GOOD_BODIES)
    def push(self, which: int, body: bytes) -> None:
        token = pick(self.model.good_tokens(), which)
        connectors = [client.connector for client in self.model.clients if client.id == token.client_id]
        services = [service for service in self.model.services if service.connector in connectors]
        if services:
            service = pick(services, which)
            self._send_payload(token.access_token, token.key, (service.company, service.vanity_url), body)

    @rule(
        which_token=ANY,
        which_address=ANY,
        body=BODIES,
        token=st.sampled_from(["known"] * 6 + ["none", "tampered"]),
    )
    def try_to_push(self, which_token: int, which_address: int, body: bytes, token: str) -> None:
        access_token: str | None
        access_token, key = pick(self.tokens, which_token)
        if token == "none":
            access_token = None
        elif token == "tampered" and key is not None:
            head, claims, signature = access_token.split(".")
            access_token, key = f"{head}.{claims}.{'B' if signature[0] == 'A' else 'A'}{signature[1:]}", -1
        self._send_payload(access_token, key, pick(self.addresses, which_address), body)

    def _send_payload(self, access_token: str | None, key: int | None, address: tuple[str, str], body: bytes) -> None:
        company, vanity_url = address
        headers = {} if access_token is None else {"Authorization": f"Bearer {access_token}"}
        response = self.http.post(f"/v1/{company}/{vanity_url}", data=body, headers=headers)

        self.check(response, self.model.payload(access_token, key, company, vanity_url, body))

    @rule(astray=st.sampled_from(["GET /", "POST /v1", "PUT /v1/acme/anything/more", "GET /%2F", "GET /v2/%00"]))
    def stray(self, astray: str) -> None:
        method, path = astray.split()
        answered = self.unchecked.open(path, method=method)  # no document says what a fault may answer there
        self.check(answered, self.model.stray())
        self.check(self.http.put("/v1/acme/anything"), self.model.wrong_method())

    # --- what exists ------------------------------------------------------------------------------------------------

    @rule(name=NAMES, slug=st.sampled_from([None, None, "acme", "other", "third"]))
    def add_company(self, name: str, slug: str | None) -> None:
        body = {"name": name} if slug is None else {"name": name, "slug": slug}
        if slug in self.model.companies:
            self.steer("POST", "/companies", body, status=409)
        else:
            self.model.companies.append(self.steer("POST", "/companies", body, status=201)["slug"])

    @rule(which=ANY, name=NAMES, environment=st.sampled_from(["test", "live"]))
    def add_connector(self, which: int, name: str, environment: str) -> None:
        company = pick(self.model.companies, which)
        body = {"company": company, "name": name, "environment": environment}
        self.model.connectors[self.steer("POST", "/connectors", body, status=201)["id"]] = company

    @rule(which=ANY, name=NAMES, secretly=st.booleans())
    def add_client(self, which: int, name: str, secretly: bool) -> None:
        if not self.model.connectors:
            return
        connector = pick(list(self.model.connectors), which)
        path = f"/connectors/{connector}/oauth-clients"
        if len(name.strip()) < 3:
            self.steer("POST", path, {"name": name}, status=422)
            return
        new = self.steer("POST", path, {"name": name}, status=201)
        self.model.clients.append(Client(new["client_id"], new["client_secret"], new["name"], connector))
        self.credentials.append((new["client_id"], new["client_secret"]))

    @precondition(lambda self: self.model.clients)
    @rule(which=ANY, confirmed=st.booleans())
    def delete_client(self, which: int, confirmed: bool) -> None:
        client = pick(self.model.clients, which)
        path = f"/connectors/{client.connector}/oauth-clients/{client.id}"
        if not confirmed:
            self.steer("DELETE", path, {"confirmation": "another"}, status=422)
            return
        self.steer("DELETE", path, {"confirmation": client.name}, status=204)
        self.model.delete_clients([client])

    @rule(which=ANY, name=st.sampled_from(["anything", "numbered", "more"]), sampled=st.booleans())
    def add_entity(self, which: int, name: str, sampled: bool) -> None:
        if not self.model.connectors:
            return
        connector = pick(list(self.model.connectors), which)
        body = {"type": "custom", "name": name, **({"sample": {"n": 1}} if sampled else {})}
        if any((entity.connector, entity.name) == (connector, name) for entity in self.model.entities):
            self.steer("POST", f"/connectors/{connector}/entities", body, status=409)
            return
        new = self.steer("POST", f"/connectors/{connector}/entities", body, status=201)
        self.model.entities.append(Entity(new["id"], connector, name, sampled, "n" if sampled else None))

    @precondition(lambda self: self.model.entities)
    @rule(which=ANY, by_hand=st.booleans())
    def change_entity(self, which: int, by_hand: bool) -> None:
        entity = pick(self.model.entities, which)
        schema = {"type": "object", "required": ["m"], "properties": {"m": {"type": "integer"}}} if by_hand else None
        self.steer("PATCH", f"/connectors/{entity.connector}/entities/{entity.id}", {"json_schema": schema})
        entity.asks_for = "m" if by_hand else "n" if entity.sampled else None

    @precondition(lambda self: self.model.entities)
    @rule(which=ANY, vanity_url=st.sampled_from(["anything", "Numbered", "new", "abc-_9"]), active=st.booleans())
    def add_service(self, which: int, vanity_url: str, active: bool) -> None:
        model, entity = self.model, pick(self.model.entities, which)
        company = model.connectors[entity.connector]
        body = {
            "company": company,
            "connector_id": entity.connector,
            "entity": entity.name,
            "vanity_url": vanity_url,
            "active": active,
        }
        lowered = vanity_url.lower()
        if len(lowered) < 3:
            self.steer("POST", "/services", body, status=422)
        elif any((service.company, service.vanity_url) == (company, lowered) for service in model.services):
            self.steer("POST", "/services", body, status=409)
        else:
            new = self.steer("POST", "/services", body, status=201)
            model.services.append(Service(new["id"], company, entity.connector, entity.name, lowered, active))
            self.addresses.append((company, lowered))

    @precondition(lambda self: self.model.services)
    @rule(which=ANY, active=st.booleans())
    def switch_service(self, which: int, active: bool) -> None:
        service = pick(self.model.services, which)
        self.steer("PATCH", f"/services/{service.id}", {"active": active})
        service.active = active

    @precondition(lambda self: self.model.services)
    @rule(which=ANY)
    def delete_service(self, which: int) -> None:
        service = pick(self.model.services, which)
        self.steer("DELETE", f"/services/{service.id}", status=204)
        self.model.services.remove(service)

    @precondition(lambda self: self.model.connectors)
    @rule(which=ANY)
    def delete_connector(self, which: int) -> None:
        model, connector = self.model, pick(list(self.model.connectors), which)
        if any(model.used_by(connector)):
            self.steer("DELETE", f"/connectors/{connector}", status=409)
            return
        self.steer("DELETE", f"/connectors/{connector}", status=204)
        model.delete_clients([client for client in model.clients if client.connector == connector])
        model.entities = [entity for entity in model.entities if entity.connector != connector]
        del model.connectors[connector]

    # --- time, tokens, faults, settings -----------------------------------------------------------------------------

    @rule(seconds=st.sampled_from([None, None, 1, 59, 60, 3_600, 86_399, -1, -86_400, 0.5]))
    def advance_clock(self, seconds: float | None) -> None:
        if seconds is None:  # to the very end of a token
            seconds = self.model.tokens[-1].expires_at - self.model.now if self.model.tokens else 60
        self.steer("POST", "/clock/advance", {"seconds": seconds})
        self.model.now += seconds

    def return_to_real_time(self) -> None:
        self.steer("DELETE", "/clock")
        self.model.now = WALL

    @rule(which=st.none() | ANY)
    def revoke_tokens(self, which: int | None) -> None:
        client_id = None if which is None else pick(self.credentials, which)[0]
        body = {} if client_id is None else {"client_id": client_id}
        if client_id is not None and client_id not in {client.id for client in self.model.clients}:
            self.steer("POST", "/tokens/revoke", body, status=404)
            return
        answered = self.steer("POST", "/tokens/revoke", body)
        assert answered == {"revoked": self.model.revoke("token_revoked", client_id)}

    def rotate_keys(self) -> None:
        self.steer("POST", "/keys/rotate", status=204)
        self.model.key, self.keys = self.keys, self.keys + 1

    @rule(
        code=st.sampled_from([429, 500, 503]),
        endpoint=st.sampled_from(["any", "token", "inbound"]),
        times=st.sampled_from([None, 1, 1, 2]),
        accept=st.booleans(),
    )
    def add_fault(self, code: int, endpoint: str, times: int | None, accept: bool) -> None:
        body = {"fault": {"kind": "status", "code": code}, "match": {"endpoint": endpoint}, "accept": accept}
        new = self.steer("POST", "/faults", body if times is None else {**body, "times": times}, status=201)
        self.model.faults.append(Fault(new["id"], code, endpoint, accept, times))

    @precondition(lambda self: self.model.faults)
    @rule(which=ANY)
    def remove_fault(self, which: int) -> None:
        fault = pick(self.model.faults, which)
        assert self.steer("DELETE", f"/faults/{fault.id}")["hits"] == fault.hits
        self.model.faults.remove(fault)
        self.steer("DELETE", f"/faults/{fault.id}", status=404)

    def clear_faults(self) -> None:
        assert self.steer("DELETE", "/faults") == {"deleted": len(self.model.faults)}
        self.model.faults.clear()

    @rule(
        change=st.sampled_from(
            [
                {"success_status": 201},
                {"entity_check": "flag"},
                {"entity_check": "off", "success_status": 200},
                {"inactive_service": "accept"},
                {"inactive_service": "forbidden", "entity_check": "reject"},
                {"token_lifetime": 60},
            ]
        ),
        refused=st.booleans(),
    )
    def change_settings(self, change: dict[str, Any], refused: bool) -> None:
        if refused:
            self.steer("PATCH", "/settings", {**change, "token_lifetime": 0}, status=422)
            return
        answered = self.steer("PATCH", "/settings", change)
        self.model.settings |= change
        assert self.model.settings.items() <= answered.items()

    @rule(what=st.sampled_from(["return_to_real_time", "rotate_keys", "clear_faults", "empty_journal", "reset"]))
    def now_and_then(self, what: str) -> None:
        """Do what would leave little to do, were it done as often as the rest."""
        getattr(self, what)()

    # --- the whole --------------------------------------------------------------------------------------------------

    def empty_journal(self) -> None:
        assert self.steer("DELETE", "/requests") == {"deleted": len(self.model.journal)}
        self.model.journal.clear()

    def reset(self) -> None:
        self.steer("POST", "/reset")
        self.model, key = pristine(), self.model.key
        self.model.key = key

    @rule()
    def save(self) -> None:
        self.saved = self.steer("GET", "/state", secrets="true"), copy.deepcopy(self.model)

    @precondition(lambda self: self.saved)
    @rule()
    def load(self) -> None:
        assert self.saved is not None
        document, model = self.saved
        self.steer("PUT", "/state", document)
        self.model = copy.deepcopy(model)

    # --- what always holds ------------------------------------------------------------------------------------------

    @invariant()
    def journal_tells_what_was_asked(self) -> None:
        entries = list(self.sandbox.journal.snapshot())
        assert [(entry.seq, told(entry)) for entry in entries] == self.model.journal
        assert self.sandbox.journal.last_seq == self.model.last_seq

    @invariant()
    def tokens_are_those_issued(self) -> None:
        assert [
            (token.request, token.client_id, token.scopes, token.uses, prefix(token.revoked), token.expires_at)
            for token in self.sandbox.tokens
        ] == [
            (token.request, token.client_id, (token.scope,), token.uses, token.revoked, token.expires_at)
            for token in self.model.tokens
        ]

    def teardown(self) -> None:
        model = self.model
        listed = self.steer("GET", "/requests", limit=1000)
        assert [entry["seq"] for entry in listed["entries"]] == [seq for seq, _ in model.journal]
        assert [entry["status"] for entry in listed["entries"]] == [expected.status for _, expected in model.journal]
        self._check_that_nothing_is_told(json.dumps(listed))
        assert [fault["hits"] for fault in self.steer("GET", "/faults")["faults"]] == [f.hits for f in model.faults]
        tokens = self.steer("GET", "/tokens", limit=1000)
        assert (tokens["total"], [token["expired"] for token in tokens["tokens"]]) == (
            len(model.tokens),
            [model.now >= token.expires_at for token in model.tokens],
        )
        assert [company["slug"] for company in self.steer("GET", "/companies")] == model.companies
        assert {row["id"]: row["company"] for row in self.steer("GET", "/connectors")} == model.connectors
        for connector in model.connectors:
            clients = self.steer("GET", f"/connectors/{connector}/oauth-clients")
            assert [client["id"] for client in clients] == [c.id for c in model.clients if c.connector == connector]
        assert [(row["company"], row["vanity_url"], row["active"]) for row in self.steer("GET", "/services")] == [
            (service.company, service.vanity_url, service.active) for service in model.services
        ]
        assert self.sandbox.clock.timestamp() == model.now

    def _check_that_nothing_is_told(self, journal: str) -> None:
        """No token and no secret of a client is in the journal."""
        for access_token, key in self.tokens:
            assert key is None or access_token not in journal
        for client in self.model.clients:
            assert client.secret not in journal


def prefix(reason: str | None) -> str | None:
    return None if reason is None else reason.partition(":")[0]


def told(entry: Entry) -> Expected:
    """Return what a journal entry says, as far as the model predicts it."""
    token_request = None if entry.token is None else entry.token.request
    facts = (entry.kind, entry.status, entry.outcome, entry.accepted, prefix(entry.reason), entry.client_id)
    return Expected(*facts, entry.fault, token_request)


def test_sandbox_stands_as_the_model_does_whatever_is_done_to_it(signing_key: SigningKey) -> None:
    class Machine(Sandboxed):
        pass

    Machine.signing_key = signing_key
    run_state_machine_as_test(Machine, settings=share(0.15, steps=50))
