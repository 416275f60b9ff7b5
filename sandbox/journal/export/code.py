"""One recorded request as lines of code that send it again: curl, Python, Node, PHP, and a test for pytest.

Each language quotes what was received by rules of its own, so that no payload ends a literal. A variable stands in for
each secret, as in ``curl``. A request that a library cannot send as it came is a comment.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from sandbox.foundation.strict_json import write_json
from sandbox.journal.entry import Entry
from sandbox.journal.export.curl import (
    MAX_INLINE,
    NOT_SENT_AGAIN,
    curl,
    is_basic,
    not_sent,
    target,
    why_not_sent,
    with_token,
    with_variables,
)

_CONNECTION: Final = NOT_SENT_AGAIN | {"keep-alive", "upgrade", "te", "trailer"}
"""Headers that belong to a connection; ``fetch`` refuses some of them."""

_NOT_BY_FETCH: Final = ("CONNECT", "TRACE", "TRACK")
_DOT_SEGMENT: Final = re.compile(r"(?:^|/)(?:\.|%2e){1,2}(?:[/?]|$)", re.IGNORECASE)
_AFTER_LINE: Final = re.compile(r"(?<=\n)")


@dataclass(frozen=True, slots=True)
class Snippet:
    """The lines in one language; ``hint`` names what runs them."""

    key: str
    name: str
    hint: str
    text: str

    @property
    def tab(self) -> tuple[str, str]:
        """The key and the name."""
        return self.key, self.name


def snippets(entry: Entry, base_url: str) -> list[Snippet]:
    """Return the lines that send one request again; a large body is read from a file with the name of the entry."""
    writers: Sequence[tuple[str, str, str, Callable[[_Parts], str], str]] = (
        ("python", "Python", "Python 3, with requests", _python, "# "),
        ("node", "Node", "Node 18 or newer, as a module", _node, "// "),
        ("php", "PHP", "PHP 8, with its curl extension", _php, "<?php\n// "),
        (
            "pytest",
            "pytest",
            "A test with the fixture patchworks; put the call of your own code in its place",
            _test,
            "# ",
        ),
    )
    found = [Snippet("curl", "curl", "POSIX shell", curl(entry, base_url))]
    for key, name, hint, write, comment in writers:
        why = why_not_sent(entry) or _why_not(key, entry)
        text = f"{comment}{not_sent(entry, why)}" if why else write(_Parts(entry, base_url))
        found.append(Snippet(key, name, hint, text))
    return found


def _why_not(language: str, entry: Entry) -> str | None:
    """Return why a library does not send a request as it came, beyond the reasons for which no client can."""
    if language == "php":
        return None
    if _DOT_SEGMENT.search(target(entry)):
        return "its path has dot segments, which the library would resolve"
    if language == "node" and (
        entry.method.upper() in _NOT_BY_FETCH or (entry.method in ("GET", "HEAD") and entry.body)
    ):
        return f"fetch sends no {entry.method}{' with a body' if entry.body else ''}"
    return None


class _Parts:
    """A request in the parts that every language writes; a part is a text, or a list with variables at odd places."""

    def __init__(self, entry: Entry, base_url: str) -> None:
        self.entry = entry
        self.base_url = base_url
        self.target = with_variables(target(entry))
        self.headers: list[tuple[str, list[str] | None]] = [
            (name, _credentials(value) if name.lower() == "authorization" else with_variables(value))
            for name, value in entry.headers
            if name.lower() not in _CONNECTION
        ]
        """Names and values; ``None`` for a client's id and secret."""
        body = entry.body
        self.is_apart = len(body) > MAX_INLINE
        text = None if self.is_apart or b"\0" in body else entry.text
        self.text = None if text is None else with_variables(text)
        self.encoded = base64.b64encode(body).decode("ascii") if text is None and not self.is_apart else ""

    @property
    def variables(self) -> list[str]:
        """The variables that the parts name, each once."""
        parts = [self.target, self.text or [], *(value or ["", "CLIENT_SECRET"] for _, value in self.headers)]
        return list(dict.fromkeys(name for part in parts for name in part[1::2]))

    @property
    def user(self) -> str:
        """The client id with the colon that ends it in Basic credentials."""
        return f"{self.entry.client_id or ''}:"


def _credentials(value: str) -> list[str] | None:
    return None if is_basic(value) else with_token(value)


def _joined(parts: Sequence[str], quote: Callable[[str], str], operator: str, sigil: str = "") -> str:
    """Return an expression for a text: its literals, a line of it each, and its variables."""
    words = [
        sigil + word if number % 2 else quote(word)
        for number, part in enumerate(parts)
        for word in ([part] if number % 2 else _AFTER_LINE.split(part))
        if word
    ]
    return operator.join(words) or quote("")


# --- Python -----------------------------------------------------------------------------------------------------------


def _python(parts: _Parts) -> str:
    lines = _python_call(parts, _python_text([parts.base_url]))
    imports = _python_imports(parts, lines, bool(parts.variables))
    secrets = [f'{name} = os.environ["{name}"]' for name in parts.variables]
    return "\n".join(
        [*imports, "", *secrets, *([""] if secrets else []), *lines, "print(response.status_code, response.text)"]
    )


def _test(parts: _Parts) -> str:
    entry = parts.entry
    lines = _python_call(parts, "patchworks.base_url")
    before = []
    for name in parts.variables:
        match name:
            case "CLIENT_SECRET":
                before.append("CLIENT_SECRET = patchworks.client_secret")
            case "TOKEN":
                before += _TOKEN
            case _:
                before.append(f'{name} = os.environ["{name}"]')
    if (entry.reason or "").startswith("token_expired"):
        before.append("patchworks.clock.advance(hours=25)")
    if entry.fault_kind == "status" and entry.status:
        before.append(f'patchworks.faults.add({{"kind": "status", "code": {entry.status}}}, times=1)')
    elif entry.fault:
        before.append(f"# a fault acted on it then, of the kind {entry.fault_kind}: add it with patchworks.faults.add")
    imports = _python_imports(parts, [*lines, *before], "SECRET" in parts.variables)
    head = f"def test_request_is_answered_with_{entry.status}(patchworks):"
    wanted = [f"assert response.status_code == {entry.status}"] if entry.status else ["assert response is not None"]
    return "\n".join(
        [
            *imports,
            "",
            "",
            head,
            *(f"    {line}" for line in [*before, *lines]),
            "",
            *(f"    {line}" for line in wanted),
        ]
    )


_TOKEN: Final = (
    "credentials = {",
    '    "grant_type": "client_credentials",',
    '    "client_id": patchworks.client_id,',
    '    "client_secret": patchworks.client_secret,',
    "}",
    'TOKEN = requests.post(patchworks.token_url, data=credentials, timeout=30).json()["access_token"]',
)


def _python_imports(parts: _Parts, lines: Sequence[str], reads_environment: bool) -> list[str]:
    text = "\n".join(lines)
    used = {"base64": "base64." in text, "os": reads_environment}
    standard = [f"import {name}" for name, is_used in used.items() if is_used]
    if parts.is_apart:
        standard.append("from pathlib import Path")
    return [*standard, *([""] if standard else []), "import requests"]


def _python_call(parts: _Parts, base: str) -> list[str]:
    headers: dict[str, list[str]] = {}
    for name, value in parts.headers:
        words = f'"Basic " + base64.b64encode(({_quoted(parts.user)} + CLIENT_SECRET).encode()).decode()'
        headers.setdefault(name, []).append(words if value is None else _python_text(value))
    body = (
        f'Path("{parts.entry.id}").read_bytes()'
        if parts.is_apart
        else f'base64.b64decode("{parts.encoded}")'
        if parts.text is None
        else f"({_python_text(parts.text, chr(10) + ' ' * 8)}).encode()"
    )
    return [
        "response = requests.request(",
        f"    {_quoted(parts.entry.method)},",
        f"    {base} + {_python_text(parts.target)},",
        "    headers={",
        *(f"        {_quoted(name)}: {_REPEATED.join(values)}," for name, values in headers.items()),
        "    },",
        *([f"    data={body},"] if parts.entry.body else []),
        "    timeout=30,",
        ")",
    ]


_REPEATED: Final = ' + ", " + '
"""Between the values of a repeated header, which ``requests`` cannot send twice (RFC 9110 §5.3)."""


def _python_text(parts: Sequence[str], line: str = " ") -> str:
    return _joined(parts, _quoted, f"{line}+ " if line != " " else " + ")


def _quoted(text: str) -> str:
    r"""Return a literal of Python; it reads ``\ud83d\ude00`` as two characters, unlike JSON."""

    def escape(match: re.Match[str]) -> str:
        code = ord(match[0])
        return f"\\U{code:08x}" if code > 0xFFFF else f"\\u{code:04x}"

    return re.sub(r"[\x7f-\U0010ffff]", escape, write_json(text, ascii=False))


# --- Node -------------------------------------------------------------------------------------------------------------


def _node(parts: _Parts) -> str:
    def text(words: Sequence[str], line: str = " + ") -> str:
        return _joined(words, write_json, line)

    def value(words: list[str] | None) -> str:
        if words is not None:
            return text(words)
        return f'"Basic " + Buffer.from({write_json(parts.user)} + CLIENT_SECRET).toString("base64")'

    body = (
        f'await readFile("{parts.entry.id}")'
        if parts.is_apart
        else f'Buffer.from("{parts.encoded}", "base64")'
        if parts.text is None
        else f"Buffer.from({text(parts.text, chr(10) + '    + ')})"
    )
    return "\n".join(
        [
            *(['import { readFile } from "node:fs/promises";', ""] if parts.is_apart else []),
            *([f"const {{ {', '.join(parts.variables)} }} = process.env;", ""] if parts.variables else []),
            f"const response = await fetch({write_json(parts.base_url)} + {text(parts.target)}, {{",
            f"  method: {write_json(parts.entry.method)},",
            "  headers: [",
            *(f"    [{write_json(name)}, {value(words)}]," for name, words in parts.headers),
            "  ],",
            *([f"  body: {body},"] if parts.entry.body else []),
            "});",
            "console.log(response.status, await response.text());",
        ]
    )


# --- PHP --------------------------------------------------------------------------------------------------------------


def _php(parts: _Parts) -> str:
    def text(words: Sequence[str], line: str = " . ") -> str:
        return _joined(words, _php_quoted, line, "$")

    def header(name: str, words: list[str] | None) -> str:
        if words is None:
            return f"{_php_quoted(f'{name}: Basic ')} . base64_encode({_php_quoted(parts.user)} . $CLIENT_SECRET)"
        return text([f"{name}: {words[0]}", *words[1:]]) if "".join(words) else _php_quoted(f"{name};")

    given = {name.lower() for name, _ in parts.headers}
    left_out = [
        f"{name}:" for name in ("Accept", *(["Content-Type"] if parts.entry.body else [])) if name.lower() not in given
    ]
    body = (
        f"file_get_contents('{parts.entry.id}')"
        if parts.is_apart
        else f"base64_decode('{parts.encoded}')"
        if parts.text is None
        else text(parts.text, "\n        . ")
    )
    method = [f"    CURLOPT_CUSTOMREQUEST => {_php_quoted(parts.entry.method)},"]
    if parts.entry.method == "HEAD":
        method = ["    CURLOPT_NOBODY => true,"]
    return "\n".join(
        [
            "<?php",
            *(f"${name} = getenv('{name}');" for name in parts.variables),
            f"$curl = curl_init({_php_quoted(parts.base_url)} . {text(parts.target)});",
            "curl_setopt_array($curl, [",
            *method,
            "    CURLOPT_PATH_AS_IS => true,",
            "    CURLOPT_HTTPHEADER => [",
            *(f"        {header(name, words)}," for name, words in parts.headers),
            *(f"        {_php_quoted(name)}," for name in left_out),
            "    ],",
            *([f"    CURLOPT_POSTFIELDS => {body},"] if parts.entry.body else []),
            "    CURLOPT_RETURNTRANSFER => true,",
            "    CURLOPT_TIMEOUT => 30,",
            "]);",
            "$answer = curl_exec($curl);",
            'echo curl_getinfo($curl, CURLINFO_RESPONSE_CODE), " ", $answer, "\\n";',
        ]
    )


def _php_quoted(text: str) -> str:
    """Return a literal of PHP: in single quotes, or in double quotes where a character must be escaped."""
    if text.isprintable():
        return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
    escaped = re.sub(r'[\\"$]', r"\\\g<0>", text)
    return (
        '"'
        + "".join(char if char.isprintable() else f"\\u{{{ord(char):x}}}" for char in escaped).replace("\\u{a}", "\\n")
        + '"'
    )
