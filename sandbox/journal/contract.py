"""The check of received requests against the published contract.

The sandbox accepts requests that the platform is known or likely to accept, which is more than the contract promises.
A request with a violation may have been answered 200, although no document promises that. Violations are reported and
never refused. They are found at the time of the question, so serving a request costs nothing more.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal
from urllib.parse import parse_qsl

import jsonschema_rs

from sandbox.foundation.answer import JSON
from sandbox.foundation.form_data import FORM, media_type, names_json, read_multipart
from sandbox.foundation.strict_json import parse_json
from sandbox.journal.entry import Entry

Code = Literal[
    "malformed_http",
    "undocumented_path",
    "undocumented_method",
    "no_accept_json",
    "unknown_query_parameter",
    "credentials_in_query",
    "no_bearer_token",
    "missing_credentials",
    "missing_field",
    "wrong_field",
    "repeated_field",
    "repeated_header",
    "missing_body",
    "unexpected_body",
    "missing_content_type",
    "wrong_content_type",
    "malformed_body",
]

REMEDIES: Final[Mapping[Code, str]] = {
    "malformed_http": "Send well-formed HTTP/1.1: use an HTTP library rather than a socket.",
    "undocumented_path": "Use the token endpoint and the inbound URLs as they are given, without a trailing slash.",
    "undocumented_method": "Use a method that the contract has for this path.",
    "no_accept_json": "Send 'Accept: application/json'. A client that does not name it gets a redirect or an HTML page "
    "from the platform's framework where the contract says JSON.",
    "unknown_query_parameter": "Leave it out: nothing reads it.",
    "credentials_in_query": "Send credentials in the body or in the Authorization header; here the query is not read, "
    "and what is in a URL ends up in logs.",
    "no_bearer_token": "Send 'Authorization: Bearer <access token>'.",
    "missing_credentials": "Send client_id and client_secret, or both by HTTP Basic.",
    "missing_field": "Send it.",
    "wrong_field": "Send what the contract says.",
    "repeated_field": "Send it once (RFC 6749 §3.2); of several only the last is read.",
    "repeated_header": "Send it once (RFC 9110 §5.3); of several only the last is read here, and a server in front of "
    "the platform may refuse them all.",
    "missing_body": "Send a body.",
    "unexpected_body": "Send none: this operation reads its parameters from the query and the headers.",
    "missing_content_type": "Say with Content-Type what the body is.",
    "wrong_content_type": "Use a content type that the contract has for this operation, and a body to match.",
    "malformed_body": "Make the body what its Content-Type says.",
}
"""What to do about each kind of violation."""

_UNREAD_BASIC: Final = ("missing_client_id: HTTP Basic", "missing_client_secret: HTTP Basic")
_SINGLE_HEADERS: Final = ("Authorization", "Content-Type")
CREDENTIALS: Final = ("client_id", "client_secret")
_ACCEPTED_NEVER: Final = re.compile(r"q=0(\.0*)?")


@dataclass(frozen=True, slots=True)
class ContractViolation:
    """One way in which a request does not conform: ``message`` says what was found, ``remedy`` what to do."""

    request: str
    """Id of the journal entry."""
    method: str
    path: str
    code: Code
    message: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.method} {self.path}: {self.message} ({self.code}). {self.remedy}"


def contract_violations(
    entry: Entry, operations: Mapping[str, Mapping[str, Any]], *, structured: bool
) -> list[ContractViolation]:
    """Return the ways in which a request does not conform to the published contract; empty when it does.

    ``operations`` are those of its endpoint by method, as OpenAPI has them; none for a request to no endpoint.
    ``structured``: a payload must be JSON, because the entity of its service has a structure.
    """
    return [
        ContractViolation(entry.id, entry.method, entry.path, code, message, REMEDIES[code])
        for code, message in _found(entry, operations, structured=structured)
    ]


_Finding = tuple[Code, str]


def _found(entry: Entry, operations: Mapping[str, Mapping[str, Any]], *, structured: bool) -> Iterator[_Finding]:
    if (entry.reason or "").startswith("refused_by_server"):
        yield "malformed_http", f"the server could not read it, {entry.reason}"
        return
    if not operations or entry.path.endswith("/"):
        yield "undocumented_path", f"the contract has no path {entry.path}"
    operation = operations.get(entry.method)
    if operation is None:
        if operations:
            yield "undocumented_method", f"the contract has {' and '.join(operations)} here, not {entry.method}"
        return
    yield from _of_headers(entry, operation)
    if _scheme(entry) == "basic" and (entry.reason or "").startswith(_UNREAD_BASIC):
        yield "missing_credentials", entry.reason or ""
    yield from _of_query(entry, operation)
    yield from _of_body(entry, operation, structured=structured)


# --- headers --------------------------------------------------------------------------------------------------------


def _of_headers(entry: Entry, operation: Mapping[str, Any]) -> Iterator[_Finding]:
    accept = _header(entry, "Accept")
    if not _names(accept or "", JSON):
        given = "there is no Accept header" if accept is None else f"Accept: {accept} does not name {JSON}"
        yield "no_accept_json", given
    for name in _SINGLE_HEADERS:
        if (count := sum(key.lower() == name.lower() for key, _ in entry.headers)) > 1:
            yield "repeated_header", f"{name} is there {count} times"
    if any("bearer" in scheme for scheme in operation["security"]) and _scheme(entry) != "bearer":
        there_is_none = _header(entry, "Authorization") is None
        yield (
            "no_bearer_token",
            "there is no Authorization header" if there_is_none else "Authorization is not 'Bearer …'",
        )


def _names(accept: str, media_type: str) -> bool:
    """Whether an Accept header names a media type itself, rather than by a wildcard, and does not exclude it."""
    for media_range in accept.lower().split(","):
        name, *parameters = (part.strip() for part in media_range.split(";"))
        if name == media_type and not any(_ACCEPTED_NEVER.fullmatch(parameter) for parameter in parameters):
            return True
    return False


def _scheme(entry: Entry) -> str:
    return (_header(entry, "Authorization") or "").partition(" ")[0].lower()


def _header(entry: Entry, name: str) -> str | None:
    return next((value for key, value in reversed(entry.headers) if key.lower() == name.lower()), None)


# --- query ----------------------------------------------------------------------------------------------------------


def _of_query(entry: Entry, operation: Mapping[str, Any]) -> Iterator[_Finding]:
    known = {
        parameter["name"]: parameter for parameter in operation.get("parameters", ()) if parameter["in"] == "query"
    }
    pairs = tuple(parse_qsl(entry.query, keep_blank_values=True))
    for name in dict.fromkeys(name for name, _ in pairs if name not in known):
        if name in (*CREDENTIALS, "access_token"):
            yield "credentials_in_query", f"{name} is in the query"
        else:
            yield "unknown_query_parameter", f"the contract has no query parameter {name!r} here"
    if known:
        required = [name for name, parameter in known.items() if parameter["required"]]
        schema = {"required": required, "properties": {name: known[name]["schema"] for name in known}}
        yield from _of_fields(pairs, schema, basic=_scheme(entry) == "basic")


# --- body -----------------------------------------------------------------------------------------------------------


def _of_body(entry: Entry, operation: Mapping[str, Any], *, structured: bool) -> Iterator[_Finding]:
    if "requestBody" not in operation:
        if entry.body_size:
            yield "unexpected_body", f"a body of {entry.body_size} bytes on {entry.method}"
        return
    if not entry.body.strip():
        if not entry.body_size:  # otherwise it was too large to be read
            yield "missing_body", "the body is empty"
        elif entry.body:
            yield "missing_body", "the body is blank"
        return
    content_type = _header(entry, "Content-Type")
    if content_type is None:
        yield "missing_content_type", "a body without a Content-Type"
        return
    given = media_type(content_type)
    if given == JSON and not names_json(content_type):
        yield "wrong_content_type", f"Content-Type: {content_type}; the platform knows {JSON} in small letters only"
        return
    contents = operation["requestBody"]["content"]
    allowed = [JSON] if structured else list(contents)
    if given not in allowed and "*/*" not in allowed:
        why = "the service's entity has a structure, so" if structured else "the contract has"
        yield "wrong_content_type", f"Content-Type: {content_type}; {why} {' or '.join(allowed)}"
        return
    try:
        read = _read(entry.body, given, content_type)
    except ValueError as error:
        yield "malformed_body", f"the body is not {given}: {error}"
        return
    schema = contents.get(given, contents.get("*/*"))["schema"]
    if "properties" in schema:
        yield from _of_fields(read, schema, basic=_scheme(entry) == "basic")


def _read(body: bytes, given: str, content_type: str) -> Any:
    """Return the pairs of a form or the value of a JSON body, ``None`` of any other; raise ``ValueError``."""
    if given == JSON:
        return parse_json(body)
    if given == FORM:
        return tuple(parse_qsl(body.decode("utf-8"), keep_blank_values=True))
    return read_multipart(body, content_type).fields if given.startswith("multipart/") else None


def _of_fields(read: Any, schema: Mapping[str, Any], *, basic: bool) -> Iterator[_Finding]:
    """Hold the parameters of a token request, a tuple of pairs or a JSON value, against their schema."""
    if isinstance(read, tuple):
        counts = Counter(name for name, _ in read)
        repeated = (name for name in schema["properties"] if counts[name] > 1)
        yield from (("repeated_field", f"{name} is there {counts[name]} times") for name in repeated)
        read = dict(read)
    told = set()
    try:
        errors = list(jsonschema_rs.Draft202012Validator({"type": "object", **schema}).iter_errors(read))
    except ValueError:  # the validator's own limit is lower than that of the platform's parser
        yield "wrong_field", "the body: it is nested too deeply; the fields of a token request are texts"
        return
    for error in errors:
        kind: Any = error.kind  # a union whose members carry what its common type does not
        field = kind.property if kind.name == "required" else ".".join(str(step) for step in error.instance_path)
        if field in told:
            continue
        told.add(field)
        if kind.name == "required":
            yield "missing_field", f"{field} is missing"
        else:
            yield "wrong_field", f"{field or 'the body'}: {error.message}"
    if isinstance(read, Mapping) and not basic:
        missing = (name for name in CREDENTIALS if read.get(name) in (None, ""))
        yield from (("missing_credentials", f"{name} is missing") for name in missing)
