"""The forms of a journal entry in JSON, all of them derived from the fields of ``Entry``.

``shown`` is the form of the control API, the event stream, NDJSON and the journal file; ``read_entry`` reads it back.
``saved`` is the form in a saved state; ``as_restored`` turns it into what msgspec converts to an ``Entry``. Both forms
have each field of an entry under its own name, unless the table ``_SPECIAL`` gives it other keys.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from typing import Annotated, Any, Final, Literal, get_args, get_origin

import msgspec
from msgspec import Meta
from msgspec.structs import fields

from sandbox.foundation.answer import Headers
from sandbox.foundation.instants import format_timestamp, parse_instant
from sandbox.foundation.strict_json import NotJsonError, parse_json, write_json
from sandbox.journal.attempts import Repetition, Repetitions
from sandbox.journal.endpoint_kind import ENDPOINTS
from sandbox.journal.entry import INSTANT, Entry, TokenLink
from sandbox.journal.event import Event, shown_event

Document = Mapping[str, Any]
Schema = Mapping[str, Any]

SUBJECTS: Final = tuple(dict.fromkeys(name for endpoint in ENDPOINTS for name in endpoint.subject))
"""The values that paths of endpoints hold. Each is a key of every entry in JSON, null where there is no such value."""


def shown(entry: Entry, body_limit: int | None = None) -> dict[str, Any]:
    """Return an entry as the control API shows it; a body larger than ``body_limit`` bytes is null."""
    is_left_out = body_limit is not None and len(entry.body) > body_limit
    body, link = b"" if is_left_out else entry.body, entry.token
    encoding, text = encoded(body)
    try:
        parsed = parse_json(body, in_doubles=True)
    except NotJsonError:  # or a number that no double holds: most languages could not read the entry
        parsed = None
    values = {
        **{name: format_timestamp(getattr(entry, name)) for name in _TIMES},
        **{name: [{"name": key, "value": value} for key, value in getattr(entry, name)] for name in _HEADERS},
        "body": None if is_left_out else text,
        "body_encoding": encoding,
        "json": parsed,
        **{name: entry.subject.get(name) for name in SUBJECTS},
        "token": link and link.fingerprint,
        "token_request": link and link.request,
        "token_issued_at": link and format_timestamp(link.issued_at),
        "token_expires_at": link and format_timestamp(link.expires_at),
        "response_body": entry.response_body.decode("utf-8", "replace"),
    }
    return {name: values[name] if name in values else getattr(entry, name) for name in SHOWN}


def as_line(row: Entry | Event, repetition: Repetition | None = None) -> str:
    """Return an entry or an event as a line of NDJSON: what is shown of it, in ASCII, with the newline that ends it.

    An entry that repeats a payload has one more key, ``repetition``.
    """
    document = shown_event(row) if isinstance(row, Event) else shown(row)
    if repetition is not None:
        document["repetition"] = asdict(repetition)
    return write_json(document) + "\n"


def as_lines(rows: Iterable[Entry | Event]) -> Iterator[str]:
    """Yield rows, oldest first, as lines of NDJSON."""
    repetitions = Repetitions()
    return (as_line(row, None if isinstance(row, Event) else repetitions.mark(row)) for row in rows)


def read_entry(document: Document) -> Entry:
    """Return the entry that ``shown`` made a document of.

    The answer's body loses bytes that are not UTF-8. Another document raises ``ValueError``, ``LookupError``,
    ``TypeError`` or ``AttributeError``.
    """
    values: dict[str, Any] = {name: document[name] for name in _ALIKE if name not in _OPTIONAL or name in document}
    values |= {name: _timestamp(document[name]) for name in _TIMES}
    values |= {name: tuple((header["name"], header["value"]) for header in document[name]) for name in _HEADERS}
    body, token = document["body"] or "", None
    if document["token"] is not None:
        issued_at, expires_at = _timestamp(document["token_issued_at"]), _timestamp(document["token_expires_at"])
        token = TokenLink(document["token"], document["token_request"], issued_at, expires_at)
    return Entry(
        **values,
        journal=document["id"].rpartition("-")[0],
        body=base64.b64decode(body) if document["body_encoding"] == "base64" else body.encode("utf-8"),
        subject=_subject(document),
        token=token,
        response_body=document["response_body"].encode("utf-8"),
    )


def _timestamp(instant: str) -> float:
    return round(parse_instant(instant).timestamp(), 6)


def _subject(document: Document) -> dict[str, str]:
    return {name: document[name] for name in SUBJECTS if document.get(name) is not None}


def saved(entry: Entry) -> dict[str, Any]:
    """Return an entry as a saved state holds it: without the id of the journal, bodies in base64."""
    document: dict[str, Any] = msgspec.to_builtins(entry)
    del document["journal"]
    subject = document.pop("subject")
    return {**document, **{name: subject.get(name) for name in SUBJECTS}}


def as_restored(document: Document, journal: str) -> dict[str, Any]:
    """Return the fields of the entry that ``saved`` made a document of, for msgspec to convert."""
    others = {name: value for name, value in document.items() if name not in SUBJECTS}
    return {**others, "journal": journal, "subject": _subject(document)}


def saved_schema(schema: Schema) -> dict[str, Any]:
    """Return the JSON Schema of what ``saved`` returns, made of the one that msgspec has for ``Entry``."""
    properties: dict[str, Schema] = {}
    for name, field in schema["properties"].items():
        if name == "subject":
            properties |= {key: {"anyOf": [{"type": "string"}, {"type": "null"}]} for key in SUBJECTS}
        elif name != "journal":
            properties[name] = field
    required = [name for name in properties if name in SUBJECTS or name in schema["required"]]
    return {**schema, "properties": properties, "required": required}


def encoded(body: bytes) -> tuple[str, str]:
    """Return the encoding that bytes are written in, and the text: UTF-8 as it is, anything else in base64."""
    try:
        return "utf-8", body.decode("utf-8")
    except UnicodeDecodeError:
        return "base64", base64.b64encode(body).decode("ascii")


# --- the schema of what is shown --------------------------------------------------------------------------------------


def _schema(hint: Any) -> dict[str, Any]:
    """Return the JSON Schema of a type; bounds are left out, because they are of no use in an answer."""
    if hint == Headers:
        return {"type": "array", "items": {"$ref": "#/components/schemas/HeaderField"}}
    if get_origin(hint) is Annotated:
        base, *notes = get_args(hint)
        schema = _schema(base)
        for note in notes:
            if note == INSTANT:
                schema = {"type": "string", "format": "date-time"}
            elif isinstance(note, Meta):
                schema |= note.extra_json_schema or {}
                schema |= {"description": note.description} if note.description else {}
        return schema
    if get_origin(hint) is Literal:
        return {"type": "string", "enum": list(get_args(hint))}
    kinds = [_TYPES.get(kind, "any") for kind in get_args(hint) or (hint,)]
    return {"type": kinds if len(kinds) > 1 else kinds[0]}


_TYPES: Final = {str: "string", int: "integer", float: "number", bool: "boolean", type(None): "null"}


def _or_null(kind: str, **more: str) -> Schema:
    return {"type": [kind, "null"], **more}


_SPECIAL: Final[Mapping[str, Mapping[str, Schema]]] = {
    "journal": {"id": {"type": "string"}},
    "body": {
        "body": _or_null(
            "string",
            description="The body, encoded as `body_encoding` says; null in a listing when larger than 64 KiB.",
        ),
        "body_encoding": {"type": "string", "enum": ["utf-8", "base64"]},
        "json": {"description": "The body parsed, if it is JSON."},
    },
    "subject": dict.fromkeys(SUBJECTS, _or_null("string")),
    "token": {
        "token": _or_null("string", description="Fingerprint of the token it came with, or of the token it got."),
        "token_request": _or_null("integer", description="`seq` of the request that this token was issued to."),
        "token_issued_at": _or_null("string", format="date-time"),
        "token_expires_at": _or_null("string", format="date-time"),
        "token_note": _or_null(
            "string",
            description="Where the token is from, and by how much it was late.",
            example="token of request 12, expired 4 s before",
        ),
    },
    "response_body": {"response_body": {"type": "string"}},
}
"""The keys of the fields of an entry that have other keys or values in JSON than their own."""

SHOWN: Final[Mapping[str, Schema]] = {
    key: schema
    for field in fields(Entry)
    for key, schema in (_SPECIAL.get(field.name) or {field.name: _schema(field.type)}).items()
}
"""The JSON Schema of each key of what ``shown`` returns, in its order; every key is always there."""

_TIMES: Final = tuple(field.name for field in fields(Entry) if INSTANT in get_args(field.type))
_HEADERS: Final = tuple(field.name for field in fields(Entry) if field.type == Headers)
_ALIKE: Final = tuple(name for name in Entry.__struct_fields__ if name not in (*_SPECIAL, *_TIMES, *_HEADERS))
_OPTIONAL: Final = frozenset(field.name for field in fields(Entry) if field.default is not msgspec.NODEFAULT)
"""Fields that a document of an older release may be without."""
