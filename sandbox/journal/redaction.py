"""Redaction: a fingerprint replaces each credential before a request enters the journal.

Fingerprints can be compared, but not used. Redacted are headers that carry credentials, sensitive query parameters,
sensitive fields of bodies, and access tokens in any other place, because a defective client sends them anywhere.
Payloads of inbound URLs belong to the user and stay byte for byte.

A body is searched as text and not parsed, because a body that cannot be parsed holds the secret as well, and so does
one with escaped field names. Where the end of a value is unclear, the longer one is replaced.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from typing import Final, NamedTuple
from urllib.parse import quote, quote_plus, unquote_plus

from sandbox.foundation.answer import Headers
from sandbox.journal.request import Request

SENSITIVE_FIELDS: Final = (
    "client_secret",
    "access_token",
    "refresh_token",
    "client_assertion",
    "password",
    "patchworks_signature",
)
_SENSITIVE_HEADERS: Final = frozenset(
    {"authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key"}
    | {field.replace("_", "-") for field in SENSITIVE_FIELDS}
)
_SCHEMES: Final = frozenset({"basic", "bearer", "digest", "negotiate", "token"})


def _spellings(name: str) -> str:
    """Return a pattern for a name each of whose characters may be percent-encoded or a JSON escape."""

    def character(char: str) -> str:
        codes = "|".join(f"{ord(case):02x}" for case in sorted({char, char.upper()}))
        return rf"(?:{char}|(?:%|\\u00)(?:{codes}))"

    return "".join(map(character, name))


_NAMES: Final = "|".join(map(_spellings, SENSITIVE_FIELDS))
_BEGINNINGS: Final = "".join(sorted({name[0] for name in SENSITIVE_FIELDS}))
_FIELD: Final = re.compile(
    rf"""(?=[{_BEGINNINGS}%\\])(?<![\w%-])(?:{_NAMES})  # a quick look at how they begin, before trying each
    (?:(?:\[|%5b)[^&=:\r\n]{{0,100}})?  # client_secret[]=, an array to PHP
    (?:\\*["'])?\s{{0,100}}(?P<separator>[:=])\s{{0,100}}""",
    re.ASCII | re.IGNORECASE | re.VERBOSE,
)
_PART: Final = (  # compiled by `re` when there is a body of parts, which is rare
    rf"""(?aisx)(?P<head>\bname\s{{0,100}}=\s{{0,100}}"?(?:{_NAMES})(?:\[[^"\r\n]{{0,100}})?"?(?![\w-])[^\r\n]{{0,1000}}\r?\n
    (?:[^\r\n]{{1,1000}}\r?\n){{0,5}}\r?\n)
    (?P<value>.*?)(?=\r?\n--|\Z)"""
)
_FORM_VALUE: Final = re.compile(r"[^&\r\n]*")
_QUOTE: Final = re.compile(r"\\*[\"']")
_QUOTED: Final = {
    '"': re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"?', re.DOTALL),
    "'": re.compile(r"'[^'\\]*(?:\\.[^'\\]*)*'?", re.DOTALL),
}
_BARE: Final = re.compile(r"[^\s,}\]&]*")
_TOKEN: Final = re.compile(r"eyJ[\w-]{8,}(?:\.[\w-]*){1,2}", re.ASCII)  # a JSON Web Token, whole or cut
_CREDENTIAL: Final = re.compile(
    rf"""{_TOKEN.pattern}
    |(?<=\bBearer[ ])[^\s"',]+|(?<=\bBasic[ ])[^\s"',]+
    |(?<![\w-])[A-Za-z0-9]{{40}}(?![\w-])  # rng.SECRET_LENGTH""",
    re.ASCII | re.VERBOSE,
)


def fingerprint(secret: str) -> str:
    """Return the first 12 hex digits of a secret's SHA-256, which lists and the journal show in its place."""
    return f"sha256:{hashlib.sha256(secret.encode('utf-8', 'backslashreplace')).hexdigest()[:12]}"


class RedactedExchange(NamedTuple):
    """The parts of a request and its answer that may hold secrets, without them."""

    path: str
    query: str
    headers: Headers
    body: bytes
    response_headers: Headers
    response_body: bytes


def redact_exchange(
    request: Request,
    response_headers: Headers,
    response_body: bytes,
    *,
    keeps_body: bool,
    misplaced_secret: str | None,
) -> RedactedExchange:
    """Redact a request and its answer.

    ``keeps_body``: the body is a payload and stays byte for byte; tokens that the answer quotes are redacted all the
    same. ``misplaced_secret`` is a client secret that the request held where no secret belongs.
    """
    body = request.body
    if keeps_body:
        response_body = redact_quoted(response_body)
    else:  # a 404 quotes the path
        body, response_body = redact_body(body), redact_body(response_body)
    path, query = redact_query(request.path), redact_query(request.query)  # a "?" may come as %3F
    if misplaced_secret is not None:
        path, query, body = redact_secret(misplaced_secret, path, query, body)
    headers, response_headers = redact_headers(request.headers), redact_headers(response_headers)
    return RedactedExchange(path, query, headers, body, response_headers, response_body)


def redact_headers(headers: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Return the headers, in order, with the values of those that carry credentials redacted."""
    return tuple([_redact_header(field) for field in headers])


def _redact_header(field: tuple[str, str]) -> tuple[str, str]:
    name, value = field
    lower = name.lower()
    if lower in _SENSITIVE_HEADERS:
        return name, _redact_credentials(value)
    if lower == "referer":
        return name, _redact_fields(value)
    return (name, redact_tokens(value)) if "eyJ" in value else field


def _redact_credentials(value: str) -> str:
    """Keep the scheme (``Bearer``, ``Basic``) where there is one, because it explains refusals."""
    scheme, space, credentials = value.partition(" ")
    known = space and scheme.lower() in _SCHEMES
    return f"{scheme} {fingerprint(credentials.strip())}" if known else fingerprint(value.strip())


def redact_tokens(text: str) -> str:
    """Return a text with each JSON Web Token in it redacted."""
    return _TOKEN.sub(lambda match: fingerprint(match[0]), text) if "eyJ" in text else text


def redact_quoted(body: bytes) -> bytes:
    """Return a body of an answer without the tokens that it quotes from a request, as a 404 does from its path."""
    if b"eyJ" not in body:
        return body
    return redact_tokens(body.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")


def redact_query(query: str) -> str:
    """Return a query string with the values of sensitive parameters, and tokens, redacted."""
    return _redact_fields(query) if query else query


def redact_text(text: str) -> str:
    """Return a text for a log, such as a traceback, with everything redacted that looks like a credential.

    These are sensitive fields, tokens, the word after the name of an authentication scheme, and words of the length of
    a generated client secret.
    """
    return _CREDENTIAL.sub(lambda match: fingerprint(match[0]), _redact_fields(text))


def redact_secret(secret: str, path: str, query: str, body: bytes) -> tuple[str, str, bytes]:
    """Return path, query and body with a known secret redacted, plain or percent-encoded."""
    for written in {secret, quote_plus(secret), quote(secret)}:
        path, query = path.replace(written, fingerprint(secret)), query.replace(written, fingerprint(secret))
        body = body.replace(written.encode(), fingerprint(secret).encode())
    return path, query, body


def redact_body(body: bytes) -> bytes:
    """Return a body with the values of sensitive JSON, form and multipart fields redacted, in any encoding of names.

    A body without such fields is returned as it is.
    """
    text = body.decode("utf-8", "surrogateescape").replace("\0", "")  # UTF-16 becomes readable
    parts_redacted = re.sub(_PART, _redact_part, text) if _may_have_parts(text) else text
    redacted = _redact_fields(parts_redacted)
    return body if redacted == text else redacted.encode("utf-8", "surrogateescape")


def _may_have_parts(text: str) -> bool:
    """Return whether a text has lines and a ``name``, as a part has: its pattern takes 10 ms to compile."""
    return "\n" in text and "name" in text.lower()


def _redact_part(match: re.Match[str]) -> str:
    return match["head"] + fingerprint(match["value"].strip())


def _redact_fields(text: str) -> str:
    """Redact the values of ``name=value`` and ``"name": value``, then the tokens that are left."""
    if "=" not in text and ":" not in text:
        return redact_tokens(text)
    done: list[str] = []
    position = 0
    while match := _FIELD.search(text, position):
        start = match.end()
        value = _form_value(text, start) if match["separator"] == "=" else _json_value(text, start)
        done += text[position:start], _stand_in(value, form=match["separator"] == "=")
        position = start + len(value)
    return redact_tokens("".join((*done, text[position:])))


def _form_value(text: str, start: int) -> str:
    found = _FORM_VALUE.match(text, start)
    assert found is not None
    return found[0]


def _json_value(text: str, start: int) -> str:
    """Return the text of the JSON value at ``start``, or of the broken value there."""
    if text.startswith(("[", "{"), start):
        try:
            return text[start : json.JSONDecoder(strict=False).raw_decode(text, start)[1]]
        except (ValueError, RecursionError):
            return text[start:]
    quote = _QUOTE.match(text, start)
    if quote is not None and quote[0] not in _QUOTED:  # JSON within a JSON string: the value ends with the same \"
        end = text.find(quote[0], quote.end())
        return text[start:] if end < 0 else text[start : end + len(quote[0])]
    found = (_BARE if quote is None else _QUOTED[quote[0]]).match(text, start)
    assert found is not None
    return found[0]


def _stand_in(value: str, *, form: bool) -> str:
    """Return the fingerprint of a value, quoted as the value was; an empty value and null are returned as they are."""
    if form:
        said = unquote_plus(value).strip()
        return fingerprint(said) if said else value
    quote = _QUOTE.match(value)
    mark = '"' if quote is None else quote[0]
    said = value if quote is None else _unescaped(value.removeprefix(mark).removesuffix(mark)).strip()
    return f"{mark}{fingerprint(said)}{mark}" if said not in ("", "null") else value


def _unescaped(text: str) -> str:
    if "\\" not in text:
        return text
    try:
        return str(json.loads(f'"{text}"', strict=False))
    except ValueError:
        return text
