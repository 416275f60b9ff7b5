"""Redaction: a fingerprint replaces each credential before a request enters the journal.

Fingerprints can be compared, but not used. Redacted are headers that carry credentials, sensitive query parameters,
sensitive fields of bodies, and in any other place the access tokens and client secrets that the sandbox has issued
(``KnownSecrets``), because a defective client sends them anywhere. Payloads of inbound URLs belong to the user and stay
byte for byte.

A body is searched as text and not parsed, because a body that cannot be parsed holds the secret as well, and so does
one with escaped field names. Where the end of a value is unclear, the longer one is replaced.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final
from urllib.parse import unquote_plus

from sandbox.foundation.json_value import canonical
from sandbox.journal.known_secrets import TOKEN, KnownSecrets, fingerprint

SIGNATURE: Final = "patchworks_signature"
"""The query parameter that holds the signature of a webhook or callback (FLOWS 4)."""

SENSITIVE_FIELDS: Final = (
    *("client_secret", "access_token", "refresh_token", "client_assertion", "password", SIGNATURE),
    *("api_key", "x_api_key", "auth_token", "authorization", "password_confirmation", "secret", "signature", "token"),
)
"""Names of secrets, also of those that the sandbox did not issue."""
_SENSITIVE_HEADERS: Final = frozenset(
    {"authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key"}
    | {field.replace("_", "-") for field in SENSITIVE_FIELDS}
)
_SENSITIVE_WORDS: Final = frozenset(name.replace("-", "") for name in _SENSITIVE_HEADERS)
_SCHEMES: Final = frozenset({"basic", "bearer", "digest", "negotiate", "token"})


_MARK: Final = r"(?:[_.-]|(?:%|\\u00)(?:5f|2e|2d))?"
"""Between the words of a name: ``client_secret``, ``client-secret``, ``client.secret``, ``clientSecret``."""


def _spellings(name: str) -> str:
    """Return a pattern for a name each of whose characters may be percent-encoded or a JSON escape."""

    def character(char: str) -> str:
        codes = "|".join(f"{ord(case):02x}" for case in sorted({char, char.upper()}))
        return rf"(?:{char}|(?:%|\\u00)(?:{codes}))"

    return "".join(_MARK if char == "_" else character(char) for char in name)


_NAMES: Final = "|".join(map(_spellings, SENSITIVE_FIELDS))
_NAMES_TOO: Final = rf"{_NAMES}|[\w.-]{{0,100}}password"
"""With ``userPassword`` and the like."""
_SENSITIVE_NAME: Final = re.compile(rf"(?:{_NAMES_TOO})(?:\[.*)?", re.ASCII | re.IGNORECASE | re.DOTALL)
_BEGINNINGS: Final = "".join(sorted({name[0] for name in SENSITIVE_FIELDS}))
_NAMED: Final = rf"""(?=[{_BEGINNINGS}%\\])  # a quick look at how they begin, before trying each
    (?:(?<![\w%-])|(?<=%[0-9a-f]{{2}})(?<!%5f)(?<!%2d))(?:{_NAMES})  # the end of an escape is no letter of a word
    """
_VALUED: Final = r"""(?:\]|%5d)?(?:(?:\[|%5b)[^&=:\r\n]{0,100})?  # user[password]=, client_secret[]= of PHP
    (?:\\*["']|%22)?(?:\s|%20|\+){0,100}(?P<separator>[:=]|%3a|%3d)\s{0,100}
    (?P<scheme>(?:basic|bearer)[ ]{1,100})?"""
_FIELD: Final = re.compile(_NAMED + _VALUED, re.ASCII | re.IGNORECASE | re.VERBOSE)
# These three are compiled by `re` when a body has such a thing, which is rare: it takes 10 ms.
_ANY_FIELD: Final = rf"(?aix)(?:{_NAMED}|(?<=[\w.-])password|\bapi(?:[ +]|%20)key){_VALUED}"
_ELEMENT: Final = rf"""(?aisx)(?P<head><(?P<name>(?:[\w.-]{{1,100}}:)?(?:{_NAMES_TOO}))
    (?:\s[^<>]{{0,1000}})?(?<!/)>)
    (?P<value>.*?)(?=</(?P=name)\s*>|\Z)"""
_LAST_WORDS: Final = tuple(sorted({name.rpartition("_")[2] for name in SENSITIVE_FIELDS}))
_PART: Final = rf"""(?aisx)(?P<head>\bname\s{{0,100}}=\s{{0,100}}"?(?:{_NAMES_TOO})(?:\[[^"\r\n]{{0,100}})?"?
    (?![\w-])[^\r\n]{{0,1000}}\r?\n
    (?:[^\r\n]{{1,1000}}\r?\n){{0,5}}\r?\n)
    (?P<value>.*?)(?=\r?\n--|\Z)"""
_BASIC: Final = re.compile(r"(?<=\bbasic )[A-Za-z0-9+/_-]{8,}={0,2}(?![\w=\"'])", re.IGNORECASE)
"""The credentials after the name of the scheme, wherever they stand; not the ``realm="OAuth"`` of an answer."""
_PLAIN_FIELD: Final = re.compile(rb"""(?:client_secret|access_token)(?:=|"\s?:\s?")([\w.-]{8,8192})""", re.ASCII)
"""The usual field of a form or of JSON that holds a credential, whose value has no character that could end it."""
_LONG_AROUND: Final = 256
"""Bytes of the text around such a field that is remembered."""
_FINGERPRINT: Final = re.compile(r"(sha256:[0-9a-f]{12})")
_NO_WORD: Final = re.compile(r"[^a-z0-9]+")
_BINARY: Final = re.compile(rb"[\x01-\x08\x0e-\x1f]")
_LINE_BREAK: Final = re.compile(r"(?<=[\r\n])(?=[^\r\n])")
_FORM_VALUE: Final = re.compile(r"[^&\r\n]*")
_QUOTE: Final = re.compile(r"\\*[\"']")
_QUOTED: Final = {
    '"': re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"?', re.DOTALL),
    "'": re.compile(r"'[^'\\]*(?:\\.[^'\\]*)*'?", re.DOTALL),
}
_BARE: Final = re.compile(r"[^\s,}\]&]*")
_CREDENTIAL: Final = re.compile(
    rf"""{TOKEN.pattern}
    |(?<=\bBearer[ ])[^\s"',]+|(?<=\bBasic[ ])[^\s"',]+
    |(?<![\w-])[A-Za-z0-9]{{40}}(?![\w-])  # rng.SECRET_LENGTH""",
    re.ASCII | re.VERBOSE,
)


def redact_string(text: str, secrets: KnownSecrets) -> str:
    """Return a text of a request, such as its path, with sensitive fields and every issued secret or token redacted."""
    if not text or secrets.is_clean(text):
        return text
    redacted = secrets.redact(_redact_fields(text))
    if redacted == text:
        secrets.note_clean(text, len(text))
    return redacted


def redact_header(field: tuple[str, str], secrets: KnownSecrets) -> tuple[str, str]:
    """Return a header without credentials and issued secrets."""
    name, value = field
    if ("\n" in value or "\r" in value) and len(lines := _LINE_BREAK.split(value)) > 1:
        first, *more = lines
        name, first = redact_header((name, first), secrets)
        return name, "".join((first, *_redact_lines(more, secrets)))
    if name.lower() in _SENSITIVE_HEADERS:
        return name, _redact_credentials(value)
    if not secrets.is_clean((name, "")):
        name = _redact_words(name, secrets)
        if _is_sensitive(name):
            return name, _redact_credentials(value)
        if name == field[0]:
            secrets.note_clean((name, ""), len(name))
    return name, _redact_words(_redact_fields(value) if name.lower() == "referer" else value, secrets)


def _redact_words(text: str, secrets: KnownSecrets) -> str:
    return secrets.redact(_BASIC.sub(_fingerprint, text) if " " in text else text)


def _is_sensitive(name: str) -> bool:
    """Return whether a header carries credentials, also where its name is malformed, as in a head that was refused."""
    plain = _NO_WORD.sub("", _LINE_BREAK.split(name)[-1].lower())
    words = _SENSITIVE_WORDS
    return plain in words or plain.removeprefix("x") in words or plain.endswith("password")


def _redact_lines(lines: Sequence[str], secrets: KnownSecrets) -> Iterator[str]:
    """Redact the lines of a header value: a bare line feed hides a header from the parser, not from the reader."""
    for line in lines:
        name, colon, value = line.partition(":")
        if colon:
            yield ":".join(redact_header((name, value), secrets))
        else:
            yield secrets.redact(line)


def is_redacted_from(value: str, name: str, sent: str) -> bool:
    """Return whether a header value of the journal is the value sent, or what redaction made of it."""
    if value == sent:
        return True
    if _is_sensitive(name):
        return value == _redact_credentials(sent)
    literals = _FINGERPRINT.split(value)
    match = re.fullmatch("(.+)".join(map(re.escape, literals[::2])), sent, re.DOTALL)
    return match is not None and [*map(fingerprint, match.groups())] == literals[1::2]


def _redact_credentials(value: str) -> str:
    """Keep the scheme (``Bearer``, ``Basic``) where there is one, because it explains refusals."""
    scheme, space, credentials = value.partition(" ")
    known = space and scheme.lower() in _SCHEMES
    return f"{scheme} {fingerprint(credentials.strip())}" if known else fingerprint(value.strip())


def redact_text(text: str) -> str:
    """Return a text for a log, such as a traceback, with everything redacted that looks like a credential.

    These are sensitive fields, tokens, the word after the name of an authentication scheme, and words of the length of
    a generated client secret.
    """
    return _CREDENTIAL.sub(_fingerprint, _redact_fields(text))


def redact_body(body: bytes, secrets: KnownSecrets, *, fields: bool = True) -> bytes:
    """Return a body with issued secrets redacted, and with ``fields`` the sensitive JSON, form and multipart fields.

    A body without them is returned as it is. Of a body with one plain field, the text around the value is noted where
    redaction changes nothing else: the next body differs in the value at most, on which redaction does not depend.
    """
    if not body:
        return body
    field = _PLAIN_FIELD.search(body) if fields else None
    around, stand_in = (b"", b""), b""
    if field is not None:
        around = body[: field.start(1)], body[field.end(1) :]
        stand_in = fingerprint(field[1].decode("ascii")).encode("ascii").join(around)
        if secrets.is_clean(around):
            return stand_in
    elif secrets.is_clean((body, fields)):
        return body
    text = body.decode("utf-8", "surrogateescape").replace("\0", "")  # UTF-16 becomes readable
    redacted = text
    if fields:
        may_have_parts = "\n" in text and "name" in text.lower()
        redacted = _redact_fields(re.sub(_PART, _redact_part, text) if may_have_parts else text)
    redacted = secrets.redact(redacted)
    if redacted == text:
        secrets.note_clean((body, fields), len(body))
        return body
    encoded = redacted.encode("utf-8", "surrogateescape")
    if encoded == stand_in:
        secrets.note_clean(around, len(stand_in), longest=_LONG_AROUND)
    return encoded


def is_text(body: bytes) -> bool:
    """Return whether a body can be searched for secrets; one that is compressed cannot."""
    if body.isascii() or not _BINARY.search(body):
        return True
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def redact_value(value: Any, secrets: KnownSecrets, *, name: object = None) -> Any:
    """Return a JSON value with sensitive fields and issued secrets redacted, for a report about a payload.

    ``name`` is that of the field with the value. Values that were equal are equal afterwards. An object that is no
    JSON, such as a matcher of a test, stays.
    """
    if isinstance(name, str) and _SENSITIVE_NAME.fullmatch(name):
        return _fingerprint_of(value)
    if isinstance(value, str):
        return redact_string(value, secrets)
    if isinstance(value, Mapping):
        members = {}
        for key, child in value.items():  # no comprehension: it is a frame more, and nesting goes 512 deep
            members[redact_value(key, secrets)] = redact_value(child, secrets, name=key)
        return members
    if isinstance(value, (list, tuple)):
        items = []
        for child in value:
            items.append(redact_value(child, secrets))  # noqa: PERF401 - as above
        return items
    if isinstance(value, re.Pattern) and isinstance(value.pattern, str):
        shown = redact_string(value.pattern, secrets)
        return value if shown == value.pattern else f"re.compile({shown!r})"
    return value


def _fingerprint_of(value: Any) -> Any:
    if value is None or value == "":
        return value
    if isinstance(value, str):
        return fingerprint(value)
    try:
        return fingerprint(canonical(value))
    except (TypeError, ValueError):  # no JSON
        return value


def _fingerprint(match: re.Match[str]) -> str:
    return fingerprint(match[0])


def _redact_part(match: re.Match[str]) -> str:
    return match["head"] + fingerprint(match["value"].strip())


def _redact_element(match: re.Match[str]) -> str:
    from html import unescape

    said = unescape(match["value"].strip().removeprefix("<![CDATA[").removesuffix("]]>"))
    return match["head"] + (fingerprint(said) if said else match["value"])


def _redact_fields(text: str) -> str:
    """Redact the values of ``name=value``, ``"name": value`` and ``<name>value</name>``."""
    lowered = text.lower()
    if "</" in text and any(word in lowered for word in _LAST_WORDS):
        text = re.sub(_ELEMENT, _redact_element, text)
    if "=" not in text and ":" not in text:
        return text
    field = re.compile(_ANY_FIELD) if "password" in lowered or "api" in lowered else _FIELD
    done: list[str] = []
    position = 0
    while match := field.search(text, position):
        start = match.end()
        form = match["separator"] != ":"
        value = _form_value(text, start) if form else _json_value(text, start)
        done += text[position:start], _stand_in(value, form=form or match["scheme"] is not None)
        position = start + len(value)
    return "".join((*done, text[position:])) if done else text


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
