"""One copy of each value that many entries of a journal have, redacted once.

Requests of one client differ in little but their body. With the rest shared, a journal takes 100 MB in place of 300,
and a request is not searched for secrets in what an earlier one had in common with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from sys import getsizeof
from typing import Any, Final, TypeVar

from msgspec.structs import replace

from sandbox.foundation.answer import Headers
from sandbox.journal.endpoint_kind import ISSUERS
from sandbox.journal.entry import Entry, Exchange
from sandbox.journal.known_secrets import KnownSecrets
from sandbox.journal.redaction import redact_header, redact_string

_Text = TypeVar("_Text", str, "str | None")
_Value = TypeVar("_Value")

_CAPACITY: Final = 4_096
"""Values of one type that are kept. Beyond it all of them are forgotten, so that rare ones do not stay for ever."""

_LONG: Final = 512
"""Bytes of a text or a body that is not kept, because an equal one is unlikely."""

_LONG_SENT: Final = 65_536
"""The same for the body of a request, which is compared with one other only."""

_LONG_FIELD: Final = 256
_LONG_HEAD: Final = 4_096


class SharedValues:
    """The values that entries of a journal have in common. The caller guards them by a lock.

    A value that redaction leaves as it is has its own place in them, so one that is found needs no redaction. All are
    forgotten when a secret is added, which may be in one of them.
    """

    def __init__(self, secrets: KnownSecrets) -> None:
        self._secrets = secrets
        self._added = secrets.added
        self._texts: dict[str, str] = {}
        self._bodies: dict[bytes, bytes] = {}
        self._sent: dict[str, bytes] = {}
        """The last body at each path: a test, or a client that tries again, sends the same many times."""
        self._fields: dict[tuple[str, str], tuple[str, str]] = {}
        self._heads: dict[Headers, Headers] = {}
        self._subjects: dict[Headers, Mapping[str, str]] = {}
        self._lines: dict[tuple[str | None, ...], tuple[Any, ...]] = {}
        self._new = 0
        self.held = 0
        """Bytes that the kept values take, whether or not an entry still uses them."""

    @property
    def is_outdated(self) -> bool:
        """Whether a secret was added in the meantime."""
        return self._added != self._secrets.added

    def entry(
        self,
        exchange: Exchange,
        body: bytes,
        status: int,
        response_headers: Headers,
        response_body: bytes,
        *,
        duration_ms: float,
        journal: str,
        seq: int,
    ) -> tuple[Entry, int]:
        """Return the entry of an exchange without secrets, and the bytes that no other entry uses yet.

        Both bodies are redacted already.
        """
        request, kind, token = exchange.request, exchange.kind, exchange.token
        self._new = _size(request.query)
        line = (
            kind,
            request.method,
            request.path,
            exchange.client_id,
            exchange.reason,
            exchange.fault,
            exchange.effect,
            *exchange.subject.values(),
        )
        method, path, client_id, reason, fault, effect, subject = self._lines.get(line) or self._line(line, exchange)
        known = self._fields.get
        headers = tuple([known(field) or self._field(field, exchange.credentials) for field in request.headers])
        if body == (last := self._sent.get(path)):
            body = last
        else:
            self._keep_sent(path, body)
        if token is not None and kind in ISSUERS:
            token = replace(token, request=seq)
        entry = Entry(
            journal=journal,
            seq=seq,
            kind=kind,
            received_at=exchange.received_at,
            wall_time=exchange.wall_time,
            duration_ms=duration_ms,
            method=method,
            path=path,
            query=request.query and redact_string(request.query, self._secrets),
            headers=self._heads.get(headers) or self._head(headers),
            body_size=request.body_size,
            body=body,
            client_id=client_id,
            subject=subject,
            outcome="faulted" if fault is not None else "accepted" if exchange.accepted else "rejected",
            accepted=exchange.accepted,
            reason=reason,
            status=status,
            fault=fault,
            effect=effect,
            delay_ms=exchange.delay_ms,
            token=token,
            structured=exchange.structured,
            response_headers=self._heads.get(response_headers) or self._answer_head(response_headers),
            response_body=self._bodies.get(response_body) or self._body(response_body),
        )
        return entry, self._new

    def share(self, entry: Entry, journal: str, seq: int) -> tuple[Entry, int]:
        """Return an entry of another journal as one of this, and the bytes that no other entry uses yet."""
        self._new = _size(entry.query)
        path, body = self._text(entry.path), entry.body
        if body == (last := self._sent.get(path)):
            body = last
        else:
            self._keep_sent(path, body)
        shared = replace(
            entry,
            journal=journal,
            seq=seq,
            method=self._text(entry.method),
            path=path,
            body=body,
            headers=self._head(tuple(map(self._kept_field, entry.headers))),
            client_id=self._text(entry.client_id),
            subject=self._subject(entry.subject),
            reason=self._text(entry.reason),
            fault=self._text(entry.fault),
            effect=self._text(entry.effect),
            response_headers=self._head(tuple(map(self._kept_field, entry.response_headers))),
            response_body=self._bodies.get(entry.response_body) or self._body(entry.response_body),
        )
        return shared, self._new

    def _line(self, line: tuple[str | None, ...], exchange: Exchange) -> tuple[Any, ...]:
        """Return the texts of an entry: all that a line on it shows. They are kept where redaction changes none."""
        secrets, text = self._secrets, self._text
        sent = (exchange.request.method, exchange.request.path, exchange.client_id, exchange.reason, exchange.fault)
        redacted = [value and redact_string(value, secrets) for value in sent]
        subject = {name: redact_string(value, secrets) for name, value in exchange.subject.items()}
        shared = (*map(text, redacted), text(exchange.effect), self._subject(subject))
        size = sum(map(getsizeof, (line, shared, *line)))
        if size <= 2 * _LONG and [*sent, *subject.values()] == [*redacted, *exchange.subject.values()]:
            self._keep(self._lines, line, shared, size)
        return shared

    def _text(self, text: _Text) -> _Text:
        if text is None:
            return text
        return self._texts.get(text) or self._new_value(self._texts, text, text, getsizeof(text), _LONG)

    def _keep_sent(self, path: str, body: bytes) -> None:
        """Count a body that is another than the last one at this path, and keep it for the next unless it is long."""
        size = _size(body)
        self._new += size
        if 0 < size <= _LONG_SENT and len(path) <= _LONG:
            if len(self._sent) >= _CAPACITY:
                self._sent.clear()
            last = self._sent.get(path)
            self.held += size - (-getsizeof(path) if last is None else _size(last))
            self._sent[path] = body

    def _body(self, body: bytes) -> bytes:
        return self._new_value(self._bodies, body, body, _size(body), _LONG)

    def _subject(self, subject: Mapping[str, str]) -> Mapping[str, str]:
        key = tuple(subject.items())
        known = self._subjects.get(key)
        if known is not None:
            return known
        shared = {self._text(name): self._text(value) for name, value in key}
        return self._new_value(self._subjects, key, shared, getsizeof(shared), _LONG)

    def _field(self, field: tuple[str, str], credentials: tuple[str, str] | None = None) -> tuple[str, str]:
        """Return a header field without secrets; ``credentials`` are a value that is known, and its stand-in."""
        if credentials is not None and field[1] is credentials[0]:
            return self._kept_field((field[0], credentials[1]))
        return self._kept_field(redact_header(field, self._secrets))

    def _kept_field(self, field: tuple[str, str]) -> tuple[str, str]:
        return self._fields.get(field) or self._new_value(self._fields, field, field, _field_size(field), _LONG_FIELD)

    def _answer_head(self, headers: Headers) -> Headers:
        return self._head(tuple([self._fields.get(field) or self._field(field) for field in headers]))

    def _head(self, headers: Headers) -> Headers:
        known = self._heads.get(headers)
        if known is not None:
            return known
        size = getsizeof(headers)
        self._new += size
        size += sum(map(_field_size, headers))
        if size <= _LONG_HEAD:
            self._keep(self._heads, headers, headers, size)
        return headers

    def _new_value(self, values: dict[Any, _Value], key: object, value: _Value, size: int, longest: int) -> _Value:
        """Count a value that has no equal, and keep it unless it is longer than ``longest``."""
        self._new += size
        if size <= longest:
            self._keep(values, key, value, size)
        return value

    def _keep(self, values: dict[Any, _Value], key: object, value: _Value, size: int) -> None:
        if len(values) >= _CAPACITY:
            values.clear()
        values[key] = value
        self.held += size


def _size(value: bytes | str) -> int:
    return getsizeof(value) if value else 0  # there is one empty value for all


def _field_size(field: tuple[str, str]) -> int:
    return getsizeof(field) + getsizeof(field[0]) + getsizeof(field[1])
