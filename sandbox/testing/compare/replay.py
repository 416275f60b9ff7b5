"""Replay: a sandbox that has what a recording needs, and the answers that it gives to the recorded requests.

The sandbox has the seed, and the companies, services and OAuth clients that the recording shows and the seed lacks. Its
clock shows the time of each exchange. Secrets are redacted in a recording: one that got a token there is good here.
"""

from __future__ import annotations

import base64
import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from typing import Final
from urllib.parse import quote_plus

from msgspec import structs

from sandbox.faults.effects import received
from sandbox.foundation.answer import Answer, Headers
from sandbox.foundation.clock import Clock
from sandbox.foundation.errors import InputError
from sandbox.foundation.json_value import JsonValue
from sandbox.foundation.refusals import PayloadTooLargeError
from sandbox.foundation.settings import Settings
from sandbox.foundation.strict_json import NotJsonError, parse_json
from sandbox.journal.assertions.difference import Difference
from sandbox.journal.entry import Entry
from sandbox.journal.request import Request
from sandbox.platform.keys import KeyRing
from sandbox.platform.serve import serve
from sandbox.platform.store import Store
from sandbox.platform.token_request import read_token_request
from sandbox.platform.wire import wire_profile
from sandbox.state.sandbox import Sandbox
from sandbox.state.seed import Seed
from sandbox.testing.compare.comparison_rules import answer_differences
from sandbox.testing.compare.recording import Exchange, Recording, names_service

_ALWAYS: Final = {"processing": "off", "journal_entries": 100, "journal_file": None}
_STRANGER: Final = "Client of tokens from before the recording"


@dataclass(frozen=True, slots=True)
class Replayed:
    """An exchange, the answer of the sandbox, the reason in its journal, and where the two answers differ."""

    exchange: Exchange
    answer: Answer
    kind: str
    reason: str | None
    differences: tuple[Difference, ...]


@dataclass
class Cast:
    """The OAuth clients, tokens and services that a recording shows, and which of them belong together."""

    good: dict[str, set[str]] = field(default_factory=dict)
    """By client the secrets that got a token."""
    issued: dict[str, str] = field(default_factory=dict)
    """By recorded token the client."""
    served: dict[tuple[str, str], None] = field(default_factory=dict)
    """The services that answered other than 404, by company and vanity URL."""
    used: dict[str, tuple[str, str]] = field(default_factory=dict)
    """By client the first service that did not refuse its token as that of another connector."""
    strangers: int = 0
    """Exchanges with a token from before the recording."""


def _note_token_request(cast: Cast, exchange: Exchange) -> None:
    client_id, secret = _credentials(exchange)
    error = member_of(exchange.answer, "error")
    if client_id is None or (exchange.answer.status >= 300 and error != "invalid_scope"):
        return
    cast.good.setdefault(client_id, set()).add(secret or "")
    if token := _token_of(exchange.answer):
        cast.issued[token] = client_id


def _note_payload(cast: Cast, exchange: Exchange, service: tuple[str, str]) -> None:
    status = exchange.answer.status
    if status != 404:
        cast.served[service] = None
    scheme, given = _authorization(exchange.request)
    if scheme == "bearer":
        client_id = cast.issued.get(given)
        cast.strangers += client_id is None and _is_admitted(exchange.answer)
    else:
        client_id = exchange.client_id
        if client_id is not None and _is_admitted(exchange.answer):
            cast.good.setdefault(client_id, set()).add(given)
    if client_id is not None and status not in (403, 404):
        cast.used.setdefault(client_id, service)


def _is_admitted(answer: Answer) -> bool:
    """Return whether the platform took the credentials: its answer is none of those that come before them."""
    return answer.status not in (302, 401, 405, 413, 429) and answer.status < 500


def _credentials(exchange: Exchange) -> tuple[str | None, str | None]:
    """Return the client id and the secret of a token request, as they were recorded."""
    in_query = exchange.request.method in ("GET", "HEAD")
    read = read_token_request(exchange.request, wire_profile("modern"), in_query=in_query)
    scheme, given = _authorization(exchange.request)
    if scheme != "basic" or exchange.client_id is None:
        return read.client_id, read.client_secret
    return read.client_id or exchange.client_id, read.client_secret or given


def _authorization(request: Request) -> tuple[str, str]:
    scheme, _, given = (request.header("Authorization") or "").partition(" ")
    return scheme.lower(), given.strip()


def _token_of(answer: Answer) -> str | None:
    token = member_of(answer, "access_token")
    return token if isinstance(token, str) else None


def member_of(answer: Answer, name: str) -> JsonValue:
    """Return a member of the JSON object that an answer is; ``None`` where it is none, or has none."""
    try:
        body = parse_json(answer.body)
    except NotJsonError:
        return None
    return body.get(name) if isinstance(body, dict) else None


class Stage:
    """Sandboxes for the replays of one recording, which differ in settings only."""

    def __init__(self, recording: Recording, seed: Seed) -> None:
        self.recording = recording
        self.seed = replace(seed, faults=())
        self.notes: list[str] = []
        """What a replay had to create."""
        self.settings = Settings().changed({**seed.settings, **_ALWAYS})
        self._keys = KeyRing.of(self.settings)
        self._cast = Cast()
        for exchange in recording.exchanges:
            if exchange.request.path.rstrip("/") == self.settings.token_path:
                _note_token_request(self._cast, exchange)
            elif service := names_service(exchange.request):
                _note_payload(self._cast, exchange, service)
        issued = {_token_of(exchange.answer): exchange.number for exchange in recording.exchanges}
        self._issuers = {
            exchange.number: issued[token]
            for exchange in recording.exchanges
            if (token := _authorization(exchange.request)[1]) and token in issued
        }
        self._ids = {name: _client_id(name) for name in self._cast.good}

    def replay(self, settings: Mapping[str, object], numbers: AbstractSet[int] | None = None) -> list[Replayed]:
        """Return the answers under settings to the exchanges with these numbers, or to all.

        The requests that got their tokens are replayed before them.
        """
        needed = None if numbers is None else {self._issuers.get(number, number) for number in numbers} | numbers
        now = [0.0]
        clock = Clock(lambda: now[0])
        sandbox = Sandbox(self.seed, settings={**_ALWAYS, **settings}, clock=clock, keys=self._keys)
        self.notes = list(self._prepared(sandbox.store))
        secrets = {new.client.id: new.secret for new in sandbox.credentials.values()}
        for client in sandbox.store.clients():
            secrets.setdefault(client.id, _secret_of(client.id))
        tokens: dict[str, str] = {}
        entries: list[Entry] = []
        sandbox.observers.append(lambda entry, *_: entries.append(entry))
        done = []
        for exchange in self.recording.exchanges:
            if needed is not None and exchange.number not in needed:
                continue
            now[0] = exchange.at.timestamp() if exchange.at else now[0]
            served = serve(sandbox.platform, self._sent(exchange, sandbox, secrets, tokens))
            answer = served.effect if isinstance(served.effect, Answer) else received(served.effect)
            if (was := _token_of(exchange.answer)) and (token := _token_of(answer)):
                tokens[was] = token
            if numbers is None or exchange.number in numbers:
                found = answer_differences(exchange.answer, answer, has_body=exchange.has_body)
                done.append(Replayed(exchange, answer, entries[-1].kind, entries[-1].reason, tuple(found)))
        return done

    def _prepared(self, store: Store) -> Iterator[str]:
        """Create what the recording shows and the store lacks; yield it in words."""
        for company, vanity_url in self._cast.served:
            if store.find_service(company, vanity_url) is None:
                try:
                    if not store.has_company(company):
                        store.add_company(company, company)
                        yield f"created company {company}"
                    known = [each.id for each in store.connectors() if each.company == company]
                    connector = known[0] if known else store.add_connector(company, "Recorded connector").id
                    entity = f"recorded {vanity_url}"
                    store.add_entity(connector, "custom", entity, replacing=True)
                    store.add_service(company, connector, entity, vanity_url)
                    yield f"created service {company}/{vanity_url}, without an entity: any payload matches"
                except InputError as error:
                    yield f"no service {company}/{vanity_url}: {error}"
        for name, client_id in self._ids.items():
            if store.find_client(client_id) is None:
                home = self._home(store, name)
                store.add_client(home, f"Recorded client {client_id}", client_id, _secret_of(client_id))
                yield f"created OAuth client {name}"
        if self._cast.strangers:
            for each in store.connectors():
                store.add_client(each.id, _STRANGER)
            came = f"{self._cast.strangers} requests came with a token from before the recording"
            yield f"{came}; the sandbox issued one for each"

    def _home(self, store: Store, client: str) -> int:
        """Return the connector of a client: that of the service it was used on, or one of its own."""
        used = self._cast.used.get(client)
        service = None if used is None else store.find_service(*used)
        if service is not None:
            return service.connector_id
        companies = [company.slug for company in store.companies()]
        company = companies[0] if companies else store.add_company("Recorded company", None).slug
        return store.add_connector(company, "Recorded connector of other clients", replacing=True).id

    def _sent(
        self, exchange: Exchange, sandbox: Sandbox, secrets: Mapping[str, str], tokens: Mapping[str, str]
    ) -> Request:
        """Return the request as this sandbox knows its credentials."""
        request = exchange.request
        body, query, headers = request.body, request.query, request.headers
        scheme, given = _authorization(request)
        if request.path.rstrip("/") == self.settings.token_path:
            client, secret = _credentials(exchange)
            if client in self._ids:
                pairs = [("client_id", client, self._ids[client])]
                if secret in self._cast.good[client]:
                    pairs.append(("client_secret", secret or "", secrets[self._ids[client]]))
                body, query = _with_values(body, pairs), _with_values(query.encode(), pairs).decode()
        if scheme == "basic" and (client := exchange.client_id) is not None:
            secret = secrets[self._ids[client]] if given in self._cast.good.get(client, ()) else given
            pair = base64.b64encode(f"{self._ids.get(client, client)}:{secret}".encode()).decode("ascii")
            headers = _authorized(headers, "Basic", pair)
        elif scheme == "bearer" and given:
            token = tokens.get(given) or self._stranger(exchange, sandbox)
            headers = headers if token is None else _authorized(headers, "Bearer", token)
        limit = sandbox.settings.body_limit
        is_large = request.body_size > limit
        body, problem = (b"", PayloadTooLargeError(request.body_size, limit)) if is_large else (body, None)
        return structs.replace(
            request, query=query, headers=headers, body=body, problem=problem, _fields=None, _parsed=None
        )

    def _stranger(self, exchange: Exchange, sandbox: Sandbox) -> str | None:
        """Return a token in place of one from before the recording, where the platform took it."""
        names = names_service(exchange.request)
        service = None if names is None else sandbox.store.find_service(*names)
        clients = [each for each in sandbox.store.clients() if each.name == _STRANGER]
        if not clients or names is None or not _is_admitted(exchange.answer):
            return None
        client = next((each for each in clients if service and each.connector_id == service.connector_id), clients[0])
        platform, has_scope = sandbox.platform, b"scope" not in exchange.answer.body or exchange.answer.status != 403
        scopes = [platform.settings.required_scope] if has_scope else []
        return platform.issue_token(client.id, scopes, platform.clock.timestamp())[0]


def _client_id(name: str) -> str:
    """Return the id that a client has here: a UUID that belongs to the recorded one, where that is none."""
    return name if re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", name) else str(uuid.uuid5(_SPACE, name))


def _secret_of(client_id: str) -> str:
    """Return the secret of a client that a replay creates; it guards nothing."""
    return uuid.uuid5(_SPACE, f"secret of {client_id}").hex


_SPACE: Final = uuid.UUID("5d1d2d52-8a3c-4c8e-9a0f-3f6c2f2a7a10")


def _authorized(headers: Headers, scheme: str, credentials: str) -> Headers:
    return tuple(
        (name, f"{scheme} {credentials}" if name.lower() == "authorization" else value) for name, value in headers
    )


def _with_values(text: bytes, pairs: Sequence[tuple[str, str, str]]) -> bytes:
    """Return a form, a JSON object, a multipart body or a query with other values of fields: name, old value, new."""
    for name, old, new in pairs:
        spellings = b"|".join(re.escape(spelling.encode()) for spelling in {old, quote_plus(old)} if spelling)
        if not spellings:
            continue
        before = rb'(%s"?(?:\s*[:=]\s*|\r?\n\r?\n)"?)' % re.escape(name.encode())
        pattern = re.compile(before + rb"(?:%s)(?![\w:%%.-])" % spellings)
        text = pattern.sub(rb"\g<1>" + new.encode().replace(b"\\", rb"\\"), text)
    return text
