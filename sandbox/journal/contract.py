"""The check of received requests against the published contract.

The sandbox accepts requests that the platform is known or likely to accept, which is more than the contract promises.
A request with a violation may have been answered 200, although no document promises that. Violations are reported and
never refused. They are found at the time of the question, so serving a request costs nothing more; the entry of a
request has all that the verdict depends on, so the verdict never changes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from contextlib import suppress
from itertools import islice
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import parse_qsl

from sandbox.foundation.answer import JSON
from sandbox.foundation.errors import cut
from sandbox.foundation.form_data import FORM, MAX_FIELDS, media_type, names_json, read_multipart
from sandbox.foundation.strict_json import NotJsonError, parse_json
from sandbox.journal.assertions.failure_message import repeated_keys
from sandbox.journal.contract_fields import CREDENTIALS, Finding, of_fields, of_schema, quoted
from sandbox.journal.contract_rules import (
    ALSO_WITH_SLASH,
    HMAC_HEADER,
    RULES,
    Code,
    ContractViolation,
    access_of,
    rules_of,
)
from sandbox.journal.endpoint_kind import CALLBACK
from sandbox.journal.entry import Entry
from sandbox.journal.filter import code_of
from sandbox.journal.redaction import SIGNATURE

MAX_VIOLATIONS: Final = 50
"""Violations that are reported of one request."""

_LENGTH: Final = 300
_ACCEPTED_NEVER: Final = re.compile(r"q=0(\.0*)?")
_MEDIA_TYPE: Final = re.compile(r"[!#$%&'+.^_`|~0-9A-Za-z-]+/[!#$%&'+.^_`|~0-9A-Za-z-]+")
_OF_BROWSERS: Final = re.compile(
    r"/(?:favicon\.ico|robots\.txt|apple-touch-icon[0-9a-z-]*\.png|\.well-known/appspecific/com\.chrome\.devtools\.json)"
)
"""Paths that a browser asks for where a person visits any other."""
_CHARSET: Final = re.compile(r";\s*charset\s*=\s*\"?([^\s;\"]+)", re.IGNORECASE)
_INTEGER: Final = re.compile(r"-?[0-9]{1,18}")
_SECRETS: Final = (*CREDENTIALS, "access_token", "api_key", "password", "token")
_SINGLE: Final = ("Authorization", "Content-Type")


def contract_violations(
    entry: Entry, operations: Mapping[str, Mapping[str, Any]], in_path: Mapping[str, str] = MappingProxyType({})
) -> list[ContractViolation]:
    """Return the ways in which a request does not conform to the published contract; empty when it does.

    ``operations`` are those of its endpoint by method, as OpenAPI has them; none for a request to no endpoint.
    ``in_path`` are the values in the path that are held against their schemas. Of a request with very many violations
    the first ``MAX_VIOLATIONS`` are returned.
    """
    return [
        ContractViolation(entry.id, entry.method, entry.path, code, cut(message, _LENGTH), RULES[code].remedy)
        for code, message in islice(_found(entry, operations, in_path), MAX_VIOLATIONS)
    ]


def _found(entry: Entry, operations: Mapping[str, Mapping[str, Any]], in_path: Mapping[str, str]) -> Iterator[Finding]:
    reason, _, detail = (entry.reason or "").partition(":")
    if reason == "refused_by_server":
        yield "malformed_http", f"the server could not read it, {entry.reason}"
        return
    if _is_probe(entry):
        return
    operation = operations.get(entry.method)
    if not operations or (entry.path.endswith("/") and not (operation or {}).get(ALSO_WITH_SLASH)):
        yield "undocumented_path", f"the contract has no path {entry.path}"
    if operation is None:
        if operations:
            yield "undocumented_method", f"the contract has {' and '.join(operations)} here, not {entry.method}"
        return
    if reason == "method_override" or detail.endswith(" asks for"):
        yield "undocumented_method", f"the request asks for another method:{detail}"
    elif reason == "method_not_allowed":
        yield "undocumented_method", f"the sandbox has no {entry.method} here (setting token_methods)"
    if reason in ("incomplete_body", "body_too_slow"):
        yield "malformed_http", f"the body ended before its announced end:{detail}"
        return
    yield from _of_headers(entry, operation)
    found = [*_of_path(in_path, operation), *_of_query(entry, operation), *_of_body(entry, operation)]
    yield from found
    if entry.status in (400, 422):
        yield from _of_refusal(reason, detail.strip(), {code for code, _ in found})


def _is_probe(entry: Entry) -> bool:
    """Return whether a request is of no integration: what a browser asks for by itself, or the HEAD of a monitor."""
    if entry.method == "HEAD" or (entry.method == "GET" and _OF_BROWSERS.fullmatch(entry.path)):
        return True
    return entry.method == "OPTIONS" and _values(entry, "Access-Control-Request-Method") != []


# --- headers --------------------------------------------------------------------------------------------------------


def _of_headers(entry: Entry, operation: Mapping[str, Any]) -> Iterator[Finding]:
    accept, access = _values(entry, "Accept"), access_of(operation)
    if access != "signature" and not _names(", ".join(accept), JSON):
        given = f"Accept: {', '.join(accept)} does not name {JSON}" if accept else "there is no Accept header"
        yield "no_accept_json", given
    for name in _SINGLE:
        if (count := len(_values(entry, name))) > 1:
            yield "repeated_header", f"{name} is there {count} times"
    there_is, reason = bool(_values(entry, "Authorization")), code_of(entry.reason)
    match access:
        case "bearer" if _scheme(entry) != "bearer":
            said = "Authorization is not 'Bearer …'" if there_is else "there is no Authorization header"
            yield "no_bearer_token", said
        case "key" if not there_is or reason == "no_api_key":
            yield "no_api_key", "there is no Authorization header, or it is blank"
        case "key" if reason == "api_key_as_bearer":
            yield "no_api_key", "the API key is after Bearer"
        case "key" if " " in (entry.header("Authorization") or "").strip() and _scheme(entry) != "bearer":
            yield "no_api_key", "Authorization is neither an API key, which is one word, nor 'Bearer …'"
        case "signature":
            yield from _of_signature(entry, operation)


def _of_signature(entry: Entry, operation: Mapping[str, Any]) -> Iterator[Finding]:
    """Find no signature where it may be; whether a webhook asks for an HMAC is known of a refusal only.

    A callback takes it in a header too.
    """
    places = [each for each in operation["parameters"] if each["name"].lower().replace("-", "_") == SIGNATURE]
    places = [each for each in places if each["in"] == "query" or entry.kind == CALLBACK.name]
    given = [value for name, value in parse_qsl(entry.query) if name == SIGNATURE]
    given += [value for each in places if each["in"] == "header" for value in _values(entry, each["name"])]
    if not any(given):
        yield "no_signature", f"there is no {' and no '.join(each['name'] for each in places)}"
    if (entry.reason or "").startswith("wrong_hmac: there is no"):
        yield "no_signature", f"there is no {HMAC_HEADER}, and the webhook asks for it"


def _names(accept: str, media_type: str) -> bool:
    """Return whether an Accept header names a media type itself, rather than by a wildcard, and does not exclude it."""
    for media_range in accept.lower().split(","):
        name, *parameters = (part.strip() for part in media_range.split(";"))
        if name == media_type and not any(_ACCEPTED_NEVER.fullmatch(parameter) for parameter in parameters):
            return True
    return False


def _scheme(entry: Entry) -> str:
    return (entry.header("Authorization") or "").partition(" ")[0].lower()


def _values(entry: Entry, name: str) -> list[str]:
    """Return the values of the field lines of a header, which of a list header are one list (RFC 9110 §5.3)."""
    return [value for key, value in entry.headers if key.lower() == name.lower()]


# --- path and query -------------------------------------------------------------------------------------------------


def _of_path(values: Mapping[str, str], operation: Mapping[str, Any]) -> Iterator[Finding]:
    properties = {name: each["schema"] for name, each in _parameters(operation, "path").items() if name in values}
    read = {name: _typed(values[name], schema) for name, schema in properties.items()}
    yield from ((code, message) for _, code, message in of_schema(read, {"properties": properties}))


def _of_query(entry: Entry, operation: Mapping[str, Any]) -> Iterator[Finding]:
    known = _parameters(operation, "query")
    properties = {
        name: each["schema"].get("contentSchema", each["schema"])
        for name, each in known.items()
        if not each.get("explode")
    }
    pairs = parse_qsl(entry.query, keep_blank_values=True)
    if len(properties) < len(known) and not entry.body_size:  # the rest of the query is a payload
        pairs = [(name, value) for name, value in pairs if name in properties]
    required = [name for name in properties if known[name].get("required")]
    read = tuple((name, _typed(value, properties.get(name, {}))) for name, value in pairs)
    may_be_secret = "credentials_in_query" in rules_of(operation)
    for code, found in of_fields(read, {"required": required, "properties": properties}, _scheme(entry)):
        if code != "unknown_field":
            yield code, found
        elif may_be_secret and found in _SECRETS:
            yield "credentials_in_query", f"{found} is in the query"
        else:
            yield "unknown_query_parameter", f"the contract has no query parameter {quoted(found)} here"


def _parameters(operation: Mapping[str, Any], place: str) -> dict[str, Mapping[str, Any]]:
    return {each["name"]: each for each in operation.get("parameters", ()) if each["in"] == place}


def _typed(text: str, schema: Mapping[str, Any]) -> Any:
    """Return the value that the text of a parameter stands for; the text itself where it is none of its type."""
    match schema.get("type"):
        case "integer" if _INTEGER.fullmatch(text):
            return int(text)
        case "object":
            with suppress(NotJsonError):
                return parse_json(text.encode("utf-8", "surrogatepass"))
    return text


# --- body -----------------------------------------------------------------------------------------------------------


def _of_body(entry: Entry, operation: Mapping[str, Any]) -> Iterator[Finding]:
    if "requestBody" not in operation:
        if entry.body_size:
            yield "unexpected_body", f"a body of {entry.body_size} bytes on {entry.method}"
        return
    if not entry.body.strip():
        if not operation["requestBody"]["required"]:
            return
        if not entry.body_size:  # otherwise it was too large to be read
            yield "missing_body", "the body is empty"
        elif entry.body:
            yield "missing_body", "the body is blank"
        return
    if encoding := ", ".join(_values(entry, "Content-Encoding")):
        yield "content_encoding", f"Content-Encoding: {encoding}; the contract has none"
        return
    content_type = entry.header("Content-Type")
    if not content_type:
        given = "a body without a Content-Type" if content_type is None else "a body with an empty Content-Type"
        yield "missing_content_type", given
        return
    given = media_type(content_type)
    if not _MEDIA_TYPE.fullmatch(given):
        yield "wrong_content_type", f"Content-Type: {content_type} names no media type such as {JSON} (RFC 9110 §8.3)"
        return
    if given == JSON and not names_json(content_type):
        yield "wrong_content_type", f"Content-Type: {content_type}; the platform knows {JSON} in small letters only"
        return
    contents = operation["requestBody"]["content"]
    allowed = [JSON] if entry.structured else list(contents)
    if given not in allowed and "*/*" not in allowed:
        why = "the service's entity has a structure, so" if entry.structured else "the contract has"
        yield "wrong_content_type", f"Content-Type: {content_type}; {why} {' or '.join(allowed)}"
        return
    try:
        read = _read(entry.body, given, content_type)
    except ValueError as error:
        yield "malformed_body", f"the body is not {given}: {_explained(error, entry.body, content_type)}"
        return
    schema = contents.get(given, contents.get("*/*")).get("schema", {})
    for key in repeated_keys(entry.body) if _is_json(given) else ():
        yield "repeated_field", f"{quoted(key)} is there twice in an object"
    if "properties" in schema:
        for code, message in of_fields(read, schema, _scheme(entry)):
            yield code, f"the contract has no field {quoted(message)} here" if code == "unknown_field" else message


def _is_json(given: str) -> bool:
    return given == JSON or given.endswith("+json")


def _read(body: bytes, given: str, content_type: str) -> Any:
    """Return the pairs of a form or the value of a JSON body, ``None`` of any other; raise ``ValueError``."""
    if _is_json(given):
        return parse_json(body)
    if given == FORM:
        if body.count(b"&") >= MAX_FIELDS:
            raise ValueError(f"there are more than {MAX_FIELDS} fields, of which the platform reads no more")
        return tuple(parse_qsl(body.decode("utf-8"), keep_blank_values=True))
    if not given.startswith("multipart/"):
        return None
    form = read_multipart(body, content_type)
    if not form.is_whole:
        raise ValueError("its last delimiter is missing: it was cut off")
    return form.fields


def _explained(error: ValueError, body: bytes, content_type: str) -> str:
    """Return why a body is malformed; the encoding of a text is the cause where it is not UTF-8."""
    charset = _CHARSET.search(content_type)
    if charset is not None and charset[1].lower() not in ("utf-8", "utf8", "us-ascii"):
        return f"charset={charset[1]}, and it must be UTF-8 (RFC 8259 §8.1)"
    if body.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        return "it begins with a byte order mark, and it must be UTF-8 without one (RFC 8259 §8.1)"
    if isinstance(error, UnicodeDecodeError) or "codec can't decode" in str(error) or b"\0" in body[:4]:
        return f"it must be UTF-8 (RFC 8259 §8.1): {error}"
    return str(error)


# --- what an endpoint could not use -----------------------------------------------------------------------------------

_OF_THE_WHOLE_BODY: Final[frozenset[Code]] = frozenset(
    {"missing_body", "missing_content_type", "wrong_content_type", "content_encoding", "malformed_body"}
)
_OF_A_PART: Final[frozenset[Code]] = frozenset({"wrong_field", "missing_field", "repeated_field"})
_UNUSABLE: Final[Mapping[str, tuple[Code, str]]] = {
    **dict.fromkeys(("invalid_query", "flow_variables", "virtual_environment"), ("wrong_field", "the query")),
    **dict.fromkeys(("invalid_record", "flow_payload", "missing_login"), ("wrong_field", "the body")),
    "unknown_query_part": ("unknown_query_parameter", "the query"),
    "unsupported_grant_type": ("wrong_field", "grant_type"),
    "malformed_json": ("malformed_body", "the body"),
    **{f"missing_{name}": ("missing_credentials", name) for name in CREDENTIALS},
    **{f"malformed_{name}": ("wrong_field", name) for name in (*CREDENTIALS, "scope")},
}
"""The reasons of a refusal, each with the code for it and the part of the request that could not be used."""


def _of_refusal(reason: str, detail: str, found: AbstractSet[Code]) -> Iterator[Finding]:
    """Explain a refusal that nothing that was found explains: the entry has fingerprints in place of credentials.

    A scope that the platform does not know is state, and no violation.
    """
    code, part = _UNUSABLE.get(reason, (None, ""))
    is_whole = part in ("the query", "the body")
    explained = found & {code, *_OF_THE_WHOLE_BODY, *(_OF_A_PART if is_whole else ())}
    if code is None or explained or (part == "grant_type" and "missing_field" in found):
        return
    why = f": {detail}" if detail else "" if is_whole else ", also not from Authorization"
    yield code, f"the platform could not use {part}{why}"
