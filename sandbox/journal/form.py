"""The forms of a journal entry in JSON, all of them derived from the fields of ``Entry``.

``shown`` is the form of the control API, the event stream, NDJSON and the journal file; ``read_entry`` reads it back.
``saved`` is the form in a saved state; ``as_restored`` turns it into what msgspec converts to an ``Entry``. Both forms
have each field of an entry under its own name, unless the table ``_SPECIAL`` gives it other keys.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Annotated, Any, Final, Literal, get_args, get_origin

import msgspec
from msgspec import Meta
from msgspec.structs import FieldInfo, fields, replace

from sandbox.foundation.answer import Headers
from sandbox.foundation.instants import format_timestamp, parse_instant
from sandbox.foundation.strict_json import NotJsonError, parse_json, write_json
from sandbox.journal.attempts import Repetition, Repetitions
from sandbox.journal.endpoint import ENDPOINTS
from sandbox.journal.entry import INSTANT, Entry, TokenLink
from sandbox.journal.event import Event, shown_event

Document = Mapping[str, Any]
Schema = Mapping[str, Any]

SUBJECTS: Final = tuple(dict.fromkeys(name for endpoint in ENDPOINTS for name in endpoint.subject))
"""The values that paths of endpoints hold. Each is a key of every entry in JSON, null where there is no such value."""


def shown(entry: Entry, body_limit: int | None = None) -> dict[str, Any]:
    """Return an entry as the control API shows it; a body larger than ``body_limit`` bytes is null."""
    if body_limit is not None and len(entry.body) > body_limit:
        return {**shown(replace(entry, body=b"")), "body": None}
    document: dict[str, Any] = {}
    for form in _FORMS:
        document.update(zip(form.properties, form.show(entry), strict=True))
    return document


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
    values: dict[str, Any] = {
        form.field: form.read(document) for form in _FORMS if not form.is_optional or form.field in document
    }
    return Entry(**values)


def shown_properties() -> dict[str, Schema]:
    """Return the JSON Schema of each key of what ``shown`` returns; every key is always there."""
    return {name: schema for form in _FORMS for name, schema in form.properties.items()}


def saved(entry: Entry) -> dict[str, Any]:
    """Return an entry as a saved state holds it: without the id of the journal, bodies in base64."""
    document: dict[str, Any] = msgspec.to_builtins(entry)
    del document["journal"]
    subject = document.pop("subject")
    return {**document, **{name: subject.get(name) for name in SUBJECTS}}


def as_restored(document: Document, journal: str) -> dict[str, Any]:
    """Return the fields of the entry that ``saved`` made a document of, for msgspec to convert."""
    subject = {name: document[name] for name in SUBJECTS if document.get(name) is not None}
    return {
        **{name: value for name, value in document.items() if name not in SUBJECTS},
        "journal": journal,
        "subject": subject,
    }


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


# --- field by field -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Form:
    """The keys that one field of an entry has in JSON for people, with their JSON Schemas, and how it is read back."""

    field: str
    properties: Mapping[str, Schema]
    show: Callable[[Entry], Sequence[object]]
    read: Callable[[Document], object]
    is_optional: bool = False
    """Whether a document may be without it, because the field has a default."""


def _form(field: FieldInfo) -> _Form:
    name, schema = field.name, _schema(field.type)
    if name in _SPECIAL:
        return _SPECIAL[name]
    if field.type == Headers:
        return _Form(
            name,
            {name: {"type": "array", "items": {"$ref": "#/components/schemas/HeaderField"}}},
            lambda entry: [[{"name": key, "value": value} for key, value in getattr(entry, name)]],
            lambda document: tuple((header["name"], header["value"]) for header in document[name]),
        )
    if schema.get("format") == "date-time":
        return _Form(
            name,
            {name: schema},
            lambda entry: [format_timestamp(getattr(entry, name))],
            lambda document: _timestamp(document[name]),
        )
    return _Form(
        name,
        {name: schema},
        lambda entry: [getattr(entry, name)],
        lambda document: document[name],
        is_optional=field.default is not msgspec.NODEFAULT,
    )


def _schema(hint: Any) -> dict[str, Any]:
    """Return the JSON Schema of a type; bounds are left out, because they are of no use in an answer."""
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


def _show_body(entry: Entry) -> Sequence[object]:
    encoding, text = encoded(entry.body)
    try:
        parsed = parse_json(entry.body, in_doubles=True)
    except NotJsonError:  # or a number that no double holds: most languages could not read the entry
        parsed = None
    return text, encoding, parsed


def _read_body(document: Document) -> bytes:
    text: str = document["body"] or ""
    return base64.b64decode(text) if document["body_encoding"] == "base64" else text.encode("utf-8")


def _show_token(entry: Entry) -> Sequence[object]:
    link = entry.token
    if link is None:
        return (None,) * 5
    times = map(format_timestamp, (link.issued_at, link.expires_at))
    return link.fingerprint, link.request, *times, entry.token_note


def _read_token(document: Document) -> TokenLink | None:
    if document["token"] is None:
        return None
    issued_at, expires_at = _timestamp(document["token_issued_at"]), _timestamp(document["token_expires_at"])
    return TokenLink(document["token"], document["token_request"], issued_at, expires_at)


def _timestamp(instant: str) -> float:
    return round(parse_instant(instant).timestamp(), 6)


def _or_null(kind: str, **more: str) -> Schema:
    return {"type": [kind, "null"], **more}


_SPECIAL: Final = {
    form.field: form
    for form in (
        _Form(
            "journal",
            {"id": {"type": "string"}},
            lambda entry: [entry.id],
            lambda document: document["id"].rpartition("-")[0],
        ),
        _Form(
            "body",
            {
                "body": _or_null(
                    "string",
                    description="The body, encoded as `body_encoding` says; null in a listing when larger than 64 KiB.",
                ),
                "body_encoding": {"type": "string", "enum": ["utf-8", "base64"]},
                "json": {"description": "The body parsed, if it is JSON."},
            },
            _show_body,
            _read_body,
        ),
        _Form(
            "subject",
            dict.fromkeys(SUBJECTS, _or_null("string")),
            lambda entry: [entry.subject.get(name) for name in SUBJECTS],
            lambda document: {name: document[name] for name in SUBJECTS if document.get(name) is not None},
        ),
        _Form(
            "token",
            {
                "token": _or_null(
                    "string", description="Fingerprint of the token it came with, or of the token it got."
                ),
                "token_request": _or_null("integer", description="`seq` of the request that this token was issued to."),
                "token_issued_at": _or_null("string", format="date-time"),
                "token_expires_at": _or_null("string", format="date-time"),
                "token_note": _or_null(
                    "string",
                    description="Where the token is from, and by how much it was late.",
                    example="token of request 12, expired 4 s before",
                ),
            },
            _show_token,
            _read_token,
        ),
        _Form(
            "response_body",
            {"response_body": {"type": "string"}},
            lambda entry: [entry.response_body.decode("utf-8", "replace")],
            lambda document: document["response_body"].encode("utf-8"),
        ),
    )
}
"""The fields of an entry that have other keys or values in JSON than their own."""

_FORMS: Final = tuple(map(_form, fields(Entry)))
