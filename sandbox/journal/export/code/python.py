"""The lines in Python: a program, and a test for pytest."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from sandbox.foundation.strict_json import write_json
from sandbox.journal.entry import Entry
from sandbox.journal.export.code.parts import Parts, joined


def python(parts: Parts) -> str:
    """Return a program."""
    lines = _call(parts, _text([parts.base_url]))
    before = [f'{name} = os.environ["{name}"]' for name in parts.variables]
    if parts.token is not None:
        before += _token(_quoted(parts.token.url), {name: _quoted(value) for name, value in parts.token.form.items()})
    imports = _imports(parts, [*lines, *before])
    return "\n".join(
        [*imports, "", *before, *([""] if before else []), *lines, "print(response.status_code, response.text)"]
    )


def pytest(parts: Parts, entry: Entry) -> str:
    """Return a test that expects the status of a recorded request, with the clock and the fault that made it."""
    lines = _call(parts, "patchworks.base_url")
    before = []
    for name in parts.variables:
        match name:
            case "CLIENT_SECRET":
                before.append("CLIENT_SECRET = patchworks.client_secret")
            case "TOKEN":
                before += _token("patchworks.token_url", _FORM)
            case _:
                before.append(f'{name} = os.environ["{name}"]')
    if (entry.reason or "").startswith("token_expired"):
        before.append("patchworks.clock.advance(hours=25)")
    if entry.fault_kind == "status" and entry.status:
        before.append(f'patchworks.faults.add({{"kind": "status", "code": {entry.status}}}, times=1)')
    elif entry.fault:
        before.append(f"# a fault acted on it then, of the kind {entry.fault_kind}: add it with patchworks.faults.add")
    wanted = f"assert response.status_code == {entry.status}" if entry.status else "assert response is not None"
    body = [f"    {line}" for line in [*before, *lines]]
    head = f"def test_request_is_answered_with_{entry.status}(patchworks):"
    return "\n".join([*_imports(parts, body), "", "", head, *body, "", f"    {wanted}"])


_FORM: Final = {
    "grant_type": '"client_credentials"',
    "client_id": "patchworks.client_id",
    "client_secret": "patchworks.client_secret",
}


def _token(url: str, form: Mapping[str, str]) -> list[str]:
    """Return the lines that get a token; URL and values are expressions."""
    fields = [f'        "{name}": {value},' for name, value in form.items()]
    return [
        "TOKEN = requests.post(",
        f"    {url},",
        "    data={",
        *fields,
        "    },",
        "    timeout=30,",
        ').json()["access_token"]',
    ]


def _imports(parts: Parts, lines: Sequence[str]) -> list[str]:
    text = "\n".join(lines)
    standard = [f"import {name}" for name in ("base64", "os") if f"{name}." in text]
    if parts.file:
        standard.append("from pathlib import Path")
    return [*standard, *([""] if standard else []), "import requests"]


def _call(parts: Parts, base: str) -> list[str]:
    headers: dict[str, list[str]] = {}
    for name, value in parts.headers:
        words = f'"Basic " + base64.b64encode(({_quoted(parts.user)} + CLIENT_SECRET).encode()).decode()'
        headers.setdefault(name, []).append(words if value is None else _text(value))
    body = (
        f'Path("{parts.file}").read_bytes()'
        if parts.file
        else f'base64.b64decode("{parts.encoded}")'
        if parts.encoded
        else f"({_text(parts.text, chr(10) + ' ' * 8)}).encode()"
    )
    return [
        "response = requests.request(",
        f"    {_quoted(parts.method)},",
        f"    {base} + {_text(parts.target)},",
        "    headers={",
        *(f"        {_quoted(name)}: {_REPEATED.join(values)}," for name, values in headers.items()),
        "    },",
        *([f"    data={body},"] if parts.has_body else []),
        "    timeout=30,",
        ")",
    ]


_REPEATED: Final = ' + ", " + '
"""Between the values of a repeated header, which ``requests`` cannot send twice (RFC 9110 §5.3)."""


def _text(parts: Sequence[str], line: str = " ") -> str:
    return joined(parts, _quoted, f"{line}+ " if line != " " else " + ")


def _quoted(text: str) -> str:
    r"""Return a literal of Python; it reads ``\ud83d\ude00`` as two characters, unlike JSON."""

    def escape(match: re.Match[str]) -> str:
        code = ord(match[0])
        return f"\\U{code:08x}" if code > 0xFFFF else f"\\u{code:04x}"

    return re.sub(r"[\x7f-\U0010ffff]", escape, write_json(text, ascii=False))
