"""Redaction of a HAR: a fingerprint replaces each secret and each token, as in the journal.

The same token has the same fingerprint everywhere, so the recording can still be replayed. What is redacted already
stays as it is. The id of an OAuth client is no secret; where HTTP Basic held it, ``_clientId`` has it afterwards.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from sandbox.foundation import atomic_file
from sandbox.foundation.errors import DocumentError
from sandbox.foundation.form_data import pairs_of
from sandbox.foundation.strict_json import NotJsonError, parse_json, write_json
from sandbox.journal.known_secrets import KnownSecrets, fingerprint
from sandbox.journal.redaction import SENSITIVE_FIELDS, redact_body, redact_header, redact_string
from sandbox.platform.http_basic import read_basic
from sandbox.platform.wire import wire_profile
from sandbox.testing.compare.har import Har, parsed, unpacked

MAX_NAMED: Final = 5
"""Places that are named."""

_REDACTED: Final = re.compile(
    r"sha256:[0-9a-f]{12}|[\[<{(]*(?:redacted|removed|hidden|masked|filtered|sanitized|secret|token)[\]>})]*"
    r"|[*x•.]{3,}|\{\{[^{}]*\}\}|\$\{[^{}]*\}|<[\w -]+>",
    re.IGNORECASE,
)
"""The stand-ins that this redaction and those of other tools leave."""

_SHORTEST: Final = 8
"""Characters of the shortest secret that is looked for in other places."""

_BODIES: Final = frozenset({("postData", "text"), ("postData", "_base64"), ("content", "text")})


class Redactor:
    """Redacts entries, and counts the places. ``learn`` all entries before: a secret may be anywhere in each."""

    def __init__(self) -> None:
        self._known = KnownSecrets()
        self.places: list[str] = []
        """The first places that held a secret."""
        self.count = 0

    def learn(self, entry: Mapping[str, Any]) -> None:
        """Note the secrets of an entry that have a name."""
        for secret in _secrets_of(entry):
            if len(secret) >= _SHORTEST and not _REDACTED.fullmatch(secret):
                self._known.note(secret)

    def redacted(self, entry: dict[str, Any], place: str) -> dict[str, Any]:
        """Return an entry, or another part of the file, without secrets; raise ``DocumentError`` naming ``place``."""
        clients = [
            read_basic(value, wire_profile("modern")).user
            for name, value in headers_of(entry.get("request"), entry.get("response"))
            if name.lower() == "authorization"
        ]
        try:
            done: dict[str, Any] = self._value(entry, place, ())
        except RecursionError:
            raise DocumentError(place, 0, "is nested too deep; remove it from the recording") from None
        return {**done, "_clientId": clients[-1]} if clients and clients[-1] and "_clientId" not in entry else done

    def _value(self, value: Any, place: str, path: tuple[str, ...]) -> Any:
        match value:
            case str():
                return self._changed(value, _stable(value, self._text(value, path)), place, path)
            case {"name": str(name), "value": str(said)} if path[-1:] in _PAIRS:
                found = _stable(said, self._pair(name, said, path[-1]))
                changed = self._changed(said, found, place, (*path, name))
                return {**self._members(value, place, path, but="value"), "value": changed}
            case {"text": str(text), "encoding": "base64"}:
                changed = self._base64(text, place, (*path, "text"))
                return {**self._members(value, place, path, but="text"), "text": changed}
            case dict():
                return self._members(value, place, path)
            case list():
                return [self._value(part, place, path) for part in value]
            case _:
                return value

    def _members(self, value: dict[str, Any], place: str, path: tuple[str, ...], but: str = "") -> dict[str, Any]:
        return {key: self._value(part, place, (*path, key)) for key, part in value.items() if key != but}

    def _text(self, text: str, path: tuple[str, ...]) -> str:
        if path[-2:] in _BODIES:
            return redact_body(text.encode("utf-8", "surrogateescape"), self._known).decode("utf-8", "surrogateescape")
        return redact_string(text, self._known)

    def _pair(self, name: str, value: str, kind: str) -> str:
        if kind == "cookies" or (kind != "headers" and name.lower() in SENSITIVE_FIELDS):
            return fingerprint(value) if value else value
        return redact_header((name, value), self._known)[1]

    def _base64(self, text: str, place: str, path: tuple[str, ...]) -> str:
        try:
            body = unpacked(base64.b64decode(text))
        except (binascii.Error, ValueError):
            return text
        said = body.decode("utf-8", "surrogateescape")
        found = _stable(said, redact_body(body, self._known).decode("utf-8", "surrogateescape"))
        if self._changed(said, found, place, path) == said:
            return text
        return base64.b64encode(found.encode("utf-8", "surrogateescape")).decode("ascii")

    def _changed(self, before: str, after: str, place: str, path: tuple[str, ...]) -> str:
        if after != before:
            self.count += 1
            if len(self.places) < MAX_NAMED:
                self.places.append(f"{place}: {'.'.join(path)}")
        return after


_PAIRS: Final = (("headers",), ("cookies",), ("queryString",), ("params",))


def _stable(before: str, after: str) -> str:
    """Return a redacted text in which earlier stand-ins are as they were."""
    if after != before:
        for said in {match[0] for match in _REDACTED.finditer(before)}:
            after = after.replace(fingerprint(said), said)
    return after


def headers_of(*messages: object) -> Iterator[tuple[str, str]]:
    """Yield name and value of each header of requests and answers in a HAR."""
    for message in messages:
        headers = message.get("headers") if isinstance(message, dict) else None
        for header in headers if isinstance(headers, list) else ():
            match header:
                case {"name": str(name), "value": str(value)}:
                    yield name, value


def _secrets_of(entry: object) -> Iterator[str]:
    """Yield the secrets that have a name: in headers, parameters, and texts that are JSON, a query or a form."""
    rest: list[Any] = [entry]
    while rest:
        named: Iterable[tuple[str, object]] = ()
        match rest.pop():
            case str(text):
                named = pairs_of(text.partition("?")[2] if text.startswith("http") else text)
                with suppress(NotJsonError):
                    rest.append(parse_json(text.encode("utf-8", "replace")))
            case {"text": str(text), "encoding": "base64"} as body:
                rest.extend(part for key, part in body.items() if key != "text")
                with suppress(binascii.Error, ValueError):
                    rest.append(unpacked(base64.b64decode(text)).decode("utf-8", "replace"))
            case {"name": str(name), "value": str(value)} if name.lower() == "authorization":
                yield read_basic(value, wire_profile("modern")).password or ""
                yield value.partition(" ")[2].strip()
            case {"name": str(name), "value": str(value)} as pair:
                named = [(name, value)]
                rest.extend(pair.values())
            case dict() as members:
                named = members.items()
                rest.extend(members.values())
            case list() as items:
                rest.extend(items)
        for key, said in named:
            if key.lower() in SENSITIVE_FIELDS and isinstance(said, str):
                yield said


def redact_har(har: Har, target: str | Path) -> Redactor:
    """Write a HAR without secrets to a file, which only its owner can read; return the count.

    Raise ``OSError``, and ``DocumentError`` for an entry that cannot be read.
    """
    redactor = Redactor()
    for _, document in _documents(har):
        if isinstance(document, dict):
            redactor.learn(document)
    atomic_file.write(Path(target), _pieces(har, redactor))
    return redactor


def _pieces(har: Har, redactor: Redactor) -> Iterator[bytes]:
    others = redactor.redacted(har.others, "the log")
    yield f'{{"log": {write_json(others)[:-1]}{", " if others else ""}"entries": ['.encode()
    separator = ""
    for place, document in _documents(har):
        written = redactor.redacted(document, place) if isinstance(document, dict) else document
        yield f"{separator}\n{write_json(written)}".encode()
        separator = ","
    yield b"\n]}}\n"


def _documents(har: Har) -> Iterator[tuple[str, Any]]:
    for number, entry in enumerate(har.entries, 1):
        yield (place := f"request {number}"), parsed(entry, place)
