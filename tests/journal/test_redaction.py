"""Redaction: no form in which a secret can travel brings it into the journal."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import sys
from collections.abc import Callable
from urllib.parse import quote, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox.journal import encodings, known_secrets, redaction
from sandbox.journal.known_secrets import KnownSecrets, fingerprint
from sandbox.journal.redaction import SENSITIVE_FIELDS, redact_text

SECRET = "Tea/and+Biscuits-4711"
STAND_IN = fingerprint(SECRET)
TOKEN = "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJ4In0.c2lnbmVk"


def redact_body(body: bytes) -> bytes:
    """Redact a body by names and shapes alone: no secret is known."""
    return redaction.redact_body(body, KnownSecrets())


def redact_query(query: str) -> str:
    return redaction.redact_string(query, KnownSecrets())


def redact_headers(headers: list[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    return tuple(redaction.redact_header(field, KnownSecrets()) for field in headers)


def test_fingerprint_is_the_start_of_the_sha256() -> None:
    assert fingerprint(SECRET) == "sha256:" + hashlib.sha256(SECRET.encode()).hexdigest()[:12]
    assert fingerprint("pä\udcff\ud800").startswith("sha256:")


# --- bodies ---------------------------------------------------------------------------------------------------------

_ESCAPED_NAME = "".join(f"\\u{ord(char):04X}" for char in "client_secret")
_ENCODED_NAME = "".join(f"%{ord(char):02x}" for char in "client_secret")
_MULTIPART = (
    '--b\r\nContent-Disposition: form-data; name="grant_type"\r\n\r\nclient_credentials\r\n'
    "--b\r\nContent-Disposition: form-data; {name}{more}\r\n\r\n{value}\r\n--b--\r\n"
)

COMPARABLE = {
    "form": urlencode({"grant_type": "client_credentials", "client_secret": SECRET, "scope": "a"}),
    "form, first": urlencode({"client_secret": SECRET, "a": "b"}),
    "form, spaces around": f"client_secret=+{quote(SECRET, safe='')}%20&a=b",
    "form, underscore encoded": f"a=b&client%5Fsecret={quote(SECRET, safe='')}",
    "form, all encoded": f"{_ENCODED_NAME}={quote(SECRET, safe='')}",
    "form beside a brace": f"scope={{&client%5fsecret={quote(SECRET, safe='')}&x=%7B",
    "form, array": f"client_secret[]={quote(SECRET)}&client_secret%5B0%5D={quote(SECRET)}".replace("+", "%2B"),
    "form, in an object": f"u[client_secret]={quote(SECRET, safe='')}&u%5Bclient_secret%5D={quote(SECRET)}",
    "form, upper case": f"CLIENT_SECRET={quote(SECRET, safe='')}",
    "JSON": json.dumps({"client_id": "x", "client_secret": SECRET, "scope": "a"}),
    "JSON, pretty": json.dumps({"client_secret": SECRET, "scope": "a"}, indent=4),
    "JSON, slashes escaped": json.dumps({"client_secret": SECRET}).replace("/", "\\/"),
    "JSON, value escaped": '{"client_secret":"' + "".join(f"\\u{ord(char):04x}" for char in SECRET) + '"}',
    "JSON, key escaped": f'{{"client\\u005fsecret":"{SECRET}"}}',
    "JSON, key all escaped": f'{{"{_ESCAPED_NAME}":"{SECRET}"}}',
    "JSON, upper case": f'{{"Client_Secret" : "{SECRET}"}}',
    "JSON, nested": json.dumps({"data": [{"client_secret": SECRET}]}),
    "JSON, twice": f'{{"client_secret":"{SECRET}","client_secret":"{SECRET}"}}',
    "JSON in a string": json.dumps(json.dumps({"client_secret": SECRET, "a": 1})),
    "JSON, broken before": f'{{"a": b, "client_secret": "{SECRET}"}}',
    "JSON, broken after": f'{{"client_secret": "{SECRET}", ',
    "JSON, broken, key escaped": f'{{"client\\u005Fsecret": "{SECRET}", ',
    "JSON, single quotes": str({"client_id": "x", "client_secret": SECRET}),
    "JSON, key unquoted": f'{{client_secret: "{SECRET}"}}',
    "JSON, nothing quoted": f"{{client_secret: {SECRET}}}",
    "JSON, cut in the value": f'{{"a":1,"client_secret":"{SECRET}',
    "JSON in a string, cut": json.dumps(json.dumps({"client_secret": SECRET}))[:-4],
    "XML": f"<a><b>1</b><clientSecret>{SECRET}</clientSecret></a>",
    "XML, names and attributes": f"<x:client_secret type='a'>\n {SECRET} </x:client_secret ><b>1</b>",
    "XML, CDATA": f"<token><![CDATA[{SECRET}]]></token>",
    "XML, cut": f"<a></a><token>{SECRET}",
    "multipart": _MULTIPART.format(name='name="client_secret"', more="", value=SECRET),
    "multipart, unquoted": _MULTIPART.format(name="name=client_secret", more="", value=SECRET),
    "multipart, array": _MULTIPART.format(name='name="client_secret[]"', more="", value=SECRET),
    "multipart, file": _MULTIPART.format(
        name='name="client_secret"', more='; filename="s.txt"\r\nContent-Type: text/plain', value=SECRET
    ),
    "multipart, bare line feeds": _MULTIPART.format(name='name="client_secret"', more="", value=SECRET).replace(
        "\r", ""
    ),
    "multipart, cut": _MULTIPART.format(name='name="client_secret"', more="", value=SECRET).partition("\r\n--b--")[0],
}

HIDDEN = {
    "form, JSON encoded": urlencode({"variables": json.dumps({"client_secret": SECRET})}),
    "form, form encoded": urlencode({"next": "/x?" + urlencode({"a": 1, "client_secret": SECRET})}),
    "XML, nested": f"<secret><value>{SECRET}</value></secret>",
    "JSON, list": json.dumps({"client_secret": ["a b", SECRET], "scope": "a"}),
    "JSON, object": json.dumps({"client_secret": {"value": SECRET}}),
    "JSON, list, broken": f'{{"client_secret": ["a", "{SECRET}"',
    "JSON, deep": '{"client_secret":' + "[" * 5_000 + f'"{SECRET}"' + "]" * 5_000 + "}",
    "JSON, string and more": f'{{"client_secret": "{SECRET}\\',
    "form, spaces within": f"client_secret=two words {SECRET}",
    "JSON, UTF-16": json.dumps({"client_secret": SECRET}).encode("utf-16"),
    "JSON, UTF-32": json.dumps({"client_secret": SECRET}).encode("utf-32-be"),
    "JSON, bad escape": f'{{"client_secret": "{SECRET}\\x"}}',
    "bad UTF-8": b'\xff{"client_secret": "\xfe' + SECRET.encode() + b'"}',
}


@pytest.mark.parametrize("body", COMPARABLE.values(), ids=COMPARABLE.keys())
def test_secret_in_a_body_becomes_its_fingerprint(body: str) -> None:
    redacted = redact_body(body.encode()).decode()

    assert STAND_IN in redacted
    assert SECRET not in redacted
    assert quote(SECRET, safe="") not in redacted
    assert "Biscuits" not in redacted


@pytest.mark.parametrize("body", HIDDEN.values(), ids=HIDDEN.keys())
def test_secret_in_a_form_that_nobody_reads_is_hidden_too(body: str | bytes) -> None:
    redacted = redact_body(body if isinstance(body, bytes) else body.encode())

    assert b"sha256:" in redacted
    assert SECRET.encode() not in redacted.replace(b"\0", b"")


@pytest.mark.parametrize(
    "name",
    [
        *SENSITIVE_FIELDS,
        "apiKey",
        "API-KEY",
        "X-Api-Key",
        "ClientSecret",
        "access.token",
        "userPassword",
        "new_password",
    ],
)
def test_every_sensitive_field_is_redacted_and_its_neighbours_stay(name: str) -> None:
    assert json.loads(redact_body(json.dumps({"a": 1, name: SECRET, "z": [2]}).encode())) == {
        "a": 1,
        name: STAND_IN,
        "z": [2],
    }
    assert redact_body(urlencode({"a": 1, name: SECRET, "z": 2}).encode()) == f"a=1&{name}={STAND_IN}&z=2".encode()
    assert redact_query(urlencode({"a": 1, name: SECRET, "z": 2})) == f"a=1&{name}={STAND_IN}&z=2"
    assert redact_headers([(name.replace("_", "-").title(), SECRET)])[0][1] == STAND_IN


@pytest.mark.parametrize("name", ["api key", "API%20Key", "api+key"])
def test_words_of_the_name_of_a_key_may_be_apart(name: str) -> None:
    assert redact_body(f"a=1&{name}={quote(SECRET, safe='')}".encode()) == f"a=1&{name}={STAND_IN}".encode()
    assert redact_body(f'{{"{name}": "{SECRET}"}}'.encode()) == f'{{"{name}": "{STAND_IN}"}}'.encode()


@pytest.mark.parametrize("value", [4711, 47.11, True, ["x"], {"x": 1}], ids=str)
def test_value_that_is_no_string_is_replaced_by_one(value: object) -> None:
    redacted = json.loads(redact_body(json.dumps({"client_secret": value, "a": 1}).encode()))

    assert redacted == {"client_secret": fingerprint(json.dumps(value)), "a": 1}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe\0\x01",
        b"grant_type=client_credentials&client_id=9d3c6f0e&scope=a%20b",
        b"<token/><b>1</b><tokens>abc</tokens><passwordHint>abc</passwordHint><client_secret></client_secret>",
        b"client_secret=&a=b",
        b"client_secret",
        b"my_client_secret=abc&client_secrets=abc&client_secret_hint=abc",
        b'{"client_secret":"","a":"\\u00e9\\/"}',
        b'{"client_secret": null, "password_hint": "abc"}',
        b'{ "order" : "\\u0031001",\n "lines": [1.0] }',
        b'--b\r\nContent-Disposition: form-data; name="client_secrets"\r\n\r\nabc\r\n--b--',
    ],
    ids=repr,
)
def test_body_without_a_secret_is_kept_byte_for_byte(body: bytes) -> None:
    assert redact_body(body) == body


@given(secret=st.from_regex(r"[!-~]{8,60}", fullmatch=True).filter(lambda text: "sha256" not in text))
@settings(deadline=None, max_examples=200)
def test_no_secret_survives_in_what_clients_write(secret: str) -> None:
    fields = {"grant_type": "client_credentials", "client_secret": secret, "client_id": "."}
    multipart = _MULTIPART.format(name='name="client_secret"', more="", value=secret)
    bodies = [json.dumps(fields), json.dumps(fields, indent=1), urlencode(fields), multipart]

    for body in bodies:
        redacted = redact_body(body.encode()).decode()
        assert fingerprint(secret) in redacted
        assert secret not in redacted.replace(fingerprint(secret), "")
    assert json.loads(redact_body(bodies[0].encode())) == {**fields, "client_secret": fingerprint(secret)}


@given(
    body=st.binary(max_size=60) | st.text("client_secret\"\\u005f=:&[]{}'%5fname\r\n-- ", max_size=60).map(str.encode)
)
@settings(deadline=None, max_examples=300)
def test_redaction_of_anything_ends_and_is_stable(body: bytes) -> None:
    once = redact_body(body)

    assert isinstance(once, bytes)


# --- short cuts -----------------------------------------------------------------------------------------------------

_WORDS = ("client_secret", "Client%5fSecret", "client\\u005Fsecret", "pass%77ord", "\\u0070assword", "%61ccess_token")
_MARKS = (
    "=",
    ":",
    '"',
    "'",
    "\\",
    '\\"',
    "&",
    "[",
    "]",
    "{",
    "}",
    " ",
    "%",
    "-",
    "x",
    "name=",
    'name="',
    "é",
    "\0",
    "\ufeff",
)
_LINES = ("\n", "\r\n", "\r\n\r\n", "\n\n--")
_PIECES = st.lists(st.sampled_from((*_WORDS, *_MARKS, *_LINES)) | st.text(max_size=3), max_size=14).map("".join)


def unhurried(body: bytes, monkeypatch: pytest.MonkeyPatch) -> bytes:
    """Redact without any of the short cuts: every pattern is tried everywhere, every string parsed."""

    class NeverWithout(str):
        __slots__ = ()

        def __contains__(self, _: str) -> bool:
            return True

    def parsed(text: str) -> str:
        try:
            return str(json.loads(f'"{text}"', strict=False))
        except ValueError:
            return text

    quick_look = rf"(?=[{redaction._BEGINNINGS}%\\])"
    pattern = redaction._FIELD.pattern
    assert quick_look in pattern
    with monkeypatch.context() as patched:
        patched.setattr(redaction, "_FIELD", re.compile(pattern.replace(quick_look, ""), redaction._FIELD.flags))
        patched.setattr(redaction, "_unescaped", parsed)
        text = body.decode("utf-8", "surrogateescape").replace("\0", "")
        parts = NeverWithout(re.sub(redaction._PART, redaction._redact_part, text))
        redacted = KnownSecrets().redact(redaction._redact_fields(parts))
    return body if redacted == text else redacted.encode("utf-8", "surrogateescape")


@given(text=_PIECES)
@settings(deadline=None, max_examples=1000, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_short_cuts_redact_what_the_long_way_does(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    body = text.encode("utf-8", "surrogatepass")

    assert redact_body(body) == unhurried(body, monkeypatch)


@pytest.mark.parametrize("body", [*COMPARABLE.values(), *HIDDEN.values()], ids=[*COMPARABLE, *HIDDEN])
def test_short_cuts_redact_known_bodies_as_the_long_way_does(
    body: str | bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_bytes = body if isinstance(body, bytes) else body.encode()

    assert redact_body(as_bytes) == unhurried(as_bytes, monkeypatch)


_PLAIN = st.sampled_from(("nullnull", "client_secret", "access_token", "sha256", TOKEN, "x-y.z_")) | st.from_regex(
    r"\A[A-Za-z0-9._-]{1,12}\Z"
)


@given(
    before=_PIECES,
    name=st.sampled_from(("client_secret=", '"client_secret":"', '"client_secret": "', '"access_token": "')),
    values=st.lists(st.lists(_PLAIN, min_size=1, max_size=3).map("".join), min_size=3, max_size=3),
    after=_PIECES | st.sampled_from(("", '"}', "&scope=a")),
)
@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_text_that_was_clean_around_a_value_is_clean_around_another(
    before: str, name: str, values: list[str], after: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets = KnownSecrets()
    for value in values:
        body = (before + name + value + after).encode("utf-8", "surrogatepass")

        assert redaction.redact_body(body, secrets) == unhurried(body, monkeypatch)


def test_text_around_a_value_is_searched_again_once_it_is_a_secret_itself() -> None:
    secrets = KnownSecrets()
    bodies = [f"client_secret=value-{n}&note={SECRET}".encode() for n in range(3)]
    assert SECRET.encode() in redaction.redact_body(bodies[0], secrets)

    secrets.note(SECRET)

    for body in bodies[1:]:
        assert SECRET.encode() not in redaction.redact_body(body, secrets)


def test_body_of_lines_without_a_name_is_not_searched_for_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redaction, "_PART", None)

    assert redact_body(b'{\n    "message": "The route nope could not be found."\n}').startswith(b"{")


# --- queries and headers --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ""),
        ("a=b&c", "a=b&c"),
        ("client_secret=", "client_secret="),
        (f"client_id=x&client_secret={quote(SECRET, safe='')}", f"client_id=x&client_secret={STAND_IN}"),
        (f"client%5Fsecret={quote(SECRET, safe='')}&a=b", f"client%5Fsecret={STAND_IN}&a=b"),
        (f"Client_Secret={quote(SECRET, safe='')}", f"Client_Secret={STAND_IN}"),
        (f"client_secret[]={quote(SECRET, safe='')}", f"client_secret[]={STAND_IN}"),
        (f"patchworks_signature={quote(SECRET, safe='')}", f"patchworks_signature={STAND_IN}"),
        ("client_secret=pä%C3%A4", f"client_secret={fingerprint('pää')}"),
        (f"token={TOKEN}&access_token={TOKEN}", f"token={fingerprint(TOKEN)}&access_token={fingerprint(TOKEN)}"),
        (TOKEN, fingerprint(TOKEN)),
    ],
    ids=repr,
)
def test_query_is_redacted_parameter_by_parameter(query: str, expected: str) -> None:
    assert redact_query(query) == expected


_BASIC = base64.b64encode(f"id:{SECRET}".encode()).decode()


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("Authorization", f"Bearer {SECRET}", f"Bearer {STAND_IN}"),
        ("authorization", f"bearer {SECRET}", f"bearer {STAND_IN}"),
        ("Authorization", f"Bearer  {SECRET} ", f"Bearer {STAND_IN}"),
        ("AUTHORIZATION", f"Basic {_BASIC}", f"Basic {fingerprint(_BASIC)}"),
        ("Authorization", SECRET, STAND_IN),
        ("Authorization", f"Secret {SECRET}", fingerprint(f"Secret {SECRET}")),
        ("Authorization", "", fingerprint("")),
        ("Proxy-Authorization", f"Basic {_BASIC}", f"Basic {fingerprint(_BASIC)}"),
        ("X-API-Key", SECRET, STAND_IN),
        ("Cookie", f"session={SECRET}; a=b", fingerprint(f"session={SECRET}; a=b")),
        ("Set-Cookie", SECRET, STAND_IN),
        ("Client-Secret", SECRET, STAND_IN),
        ("Referer", f"http://h/?client_secret={quote(SECRET, safe='')}", f"http://h/?client_secret={STAND_IN}"),
        ("X-Auth-Token", TOKEN, fingerprint(TOKEN)),
        ("Token", f"Bearer {TOKEN}", f"Bearer {fingerprint(TOKEN)}"),
        ("User-Agent", "curl/8 client_secret=x", "curl/8 client_secret=x"),
        ("Content-Type", "application/json", "application/json"),
    ],
    ids=lambda value: value[:25],
)
def test_header_with_credentials_is_redacted_and_its_scheme_kept(name: str, value: str, expected: str) -> None:
    assert redact_headers([("A", "1"), (name, value), ("B", "2")]) == (("A", "1"), (name, expected), ("B", "2"))


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("GET /x?client_secret=hush&a=1", ["GET /x?client_secret=sha256:", "&a=1"]),
        ('{"password": "hush"} more', ['{"password": "sha256:', "} more"]),
        ("Authorization: Bearer hush, then", ["Authorization: Bearer sha256:", ", then"]),
        ("sent 'Basic aHVzaA==' twice", ["sent 'Basic sha256:", "' twice"]),
        ("token eyJ0eXAiOiJKV1Qi.eyJodXNoIjoxfQ.c2ln.", ["token sha256:"]),
        ("cut eyJ0eXAiOiJKV1Qi.eyJodX", ["cut sha256:"]),
        (f"/v1/acme/{'hush' * 10}/x", ["/v1/acme/sha256:", "/x"]),
    ],
)
def test_text_for_a_log_holds_nothing_that_looks_like_a_credential(text: str, kept: list[str]) -> None:
    redacted = redact_text(text)

    assert not [hidden for hidden in ("hush", "aHVzaA", "eyJ", "c2ln") if hidden in redacted]
    assert all(part in redacted for part in kept)


@pytest.mark.parametrize("text", ["POST /v1/acme/orders", "a" * 39, "f" * 80, "Bearer", "eyJ", "", "Basic"])
def test_text_for_a_log_is_otherwise_left_alone(text: str) -> None:
    assert redact_text(text) == text


@pytest.mark.parametrize("around", ["x", "x y", "=", " "], ids=["one word", "words", "padding", "blanks"])
@pytest.mark.parametrize("encode", [str.encode, lambda said: base64.b64encode(said.encode())], ids=["plain", "base64"])
def test_secret_at_the_border_of_two_slices_is_found(
    monkeypatch: pytest.MonkeyPatch, encode: Callable[[str], bytes], around: str
) -> None:
    monkeypatch.setattr(encodings, "SLICE", 64)
    secrets, secret = KnownSecrets(), "Vb3kQ0yTqf7mZc1sXr9uJd5wLh8nPe2g"
    secrets.note(secret)
    sent = encode(secret).decode()

    for before in range(130):
        for gap in ("", " "):
            text = f"{(around * 130)[:before]}{gap}{sent}{gap}{around * 100}"
            assert sent not in secrets.redact(text), text


@pytest.mark.parametrize("text", ["x" * 200_000, "Manchester, Teapot. " * 10_000, " " * 200_000])
def test_long_text_is_searched_in_slices(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    looked_at: list[int] = []

    class Counted:
        def __init__(self, pattern: re.Pattern[str]) -> None:
            self._pattern = pattern

        def search(self, text: str, start: int = 0, end: int = sys.maxsize) -> re.Match[str] | None:
            looked_at.append(min(end, len(text)) - start)
            return self._pattern.search(text, start, end)

    monkeypatch.setattr(known_secrets, "LEGIBLE", Counted(known_secrets.LEGIBLE))
    assert KnownSecrets().redact(text) == text
    assert max(looked_at, default=0) <= encodings.SLICE
