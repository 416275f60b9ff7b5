"""Requests as lines of code: curl, Python, Node, PHP, and a test for pytest.

Each language has a template, and quotes what was received by rules of its own, so that no payload ends a literal. A
variable stands in for each secret, as in ``curl``. A request that a library cannot send as it came is a comment.
"""

from __future__ import annotations

import base64
import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined

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

_AFTER_LINE: Final = re.compile(r"(?<=\n)")
_NOT_BY_FETCH: Final = ("CONNECT", "TRACE", "TRACK")
_JSON: Final = "application/json"
_DOT_SEGMENT: Final = re.compile(r"(?:^|/)(?:\.|%2e){1,2}(?:[/?]|$)", re.IGNORECASE)

Words = list[str]
"""A text in parts: every second one is the name of the variable that stands in for a secret."""


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """The request whose answer gives the variable ``TOKEN`` its value."""

    url: str
    client_id: str
    client_secret: str
    scope: str

    @property
    def form(self) -> dict[str, str]:
        """The fields of its body."""
        return {
            "grant_type": "client_credentials",
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            "scope": self.scope,
        }


@dataclass(frozen=True, slots=True)
class _Request:
    """A request. ``text`` is its body, unless it is bytes (``encoded`` in base64) or in the ``file`` of that name."""

    method: str
    base_url: str
    target: Words
    headers: Sequence[tuple[str, Words | None]]
    """Names and values; ``None`` for a client's id and secret."""
    text: Words
    encoded: str = ""
    file: str = ""
    user: str = ":"
    """The client id with the colon that ends it in Basic credentials."""

    @property
    def has_body(self) -> bool:
        return bool(self.text or self.encoded or self.file)

    @property
    def joined_headers(self) -> list[tuple[str, list[Words | None]]]:
        """The values of each header: ``requests`` cannot send one twice, in either case (RFC 9110 §5.3)."""
        joined: dict[str, tuple[str, list[Words | None]]] = {}
        for name, value in self.headers:
            joined.setdefault(name.lower(), (name, []))[1].append(value)
        return list(joined.values())

    @property
    def variables(self) -> list[str]:
        """The variables in it, each once."""
        parts = [self.target, self.text, *(value or ["", "CLIENT_SECRET"] for _, value in self.headers)]
        return list(dict.fromkeys(name for part in parts for name in part[1::2]))


def _request(entry: Entry, base_url: str) -> _Request:
    body = entry.body
    is_apart = len(body) > MAX_INLINE
    text = None if is_apart or b"\0" in body else entry.text
    return _Request(
        entry.method,
        base_url,
        with_variables(target(entry)),
        [
            (name, with_variables(value) if name.lower() != "authorization" else _credentials(value))
            for name, value in entry.headers
            if name.lower() not in _CONNECTION
        ],
        with_variables(text) if text else [],
        encoded=base64.b64encode(body).decode("ascii") if text is None and not is_apart else "",
        file=entry.id if is_apart else "",
        user=f"{entry.client_id or ''}:",
    )


def _credentials(value: str) -> Words | None:
    return None if is_basic(value) else with_token(value)


@dataclass(frozen=True, slots=True)
class _Language:
    name: str
    hint: str
    quoted: Callable[[str], str]
    plus: str = "+"
    sigil: str = ""
    comment: str = "# "

    def text(self, words: Words, line: str = " ") -> str:
        """Return an expression for a text: its literals, a line of it each, and its variables."""
        operands = [
            self.sigil + word if number % 2 else self.quoted(word)
            for number, part in enumerate(words)
            for word in ([part] if number % 2 else _AFTER_LINE.split(part))
            if word
        ]
        return f"{line}{self.plus} ".join(operands) or self.quoted("")


def _in_python(text: str) -> str:
    r"""Return a literal of Python; it reads ``\ud83d\ude00`` as two characters, unlike JSON."""

    def escape(match: re.Match[str]) -> str:
        code = ord(match[0])
        return f"\\U{code:08x}" if code > 0xFFFF else f"\\u{code:04x}"

    return re.sub(r"[\x7f-\U0010ffff]", escape, write_json(text, ascii=False))


def _in_php(text: str) -> str:
    """Return a literal of PHP: in single quotes, or in double quotes where a character must be escaped."""
    if text.isprintable():
        return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
    escaped = re.sub(r'[\\"$]', r"\\\g<0>", text)
    letters = (char if char.isprintable() else f"\\u{{{ord(char):x}}}" for char in escaped)
    return '"' + "".join(letters).replace("\\u{a}", "\\n") + '"'


_PYTEST: Final = "A test with the fixture patchworks; put the call of your own code in its place"
_LANGUAGES: Final[Mapping[str, _Language]] = {
    "curl": _Language("curl", "POSIX shell", shlex.quote),
    "python": _Language("Python", "Python 3, with requests", _in_python),
    "node": _Language("Node", "Node 18 or newer, as a module", write_json, comment="// "),
    "php": _Language("PHP", "PHP 8, with its curl extension", _in_php, ".", "$", "<?php\n// "),
    "pytest": _Language("pytest", _PYTEST, _in_python),
}
_TEMPLATES: Final = Environment(loader=FileSystemLoader(Path(__file__).parent), undefined=StrictUndefined)  # noqa: S701


class Snippet(NamedTuple):
    """The lines in one language; ``hint`` names what runs them."""

    key: str
    name: str
    hint: str
    text: str


def snippets(entry: Entry, base_url: str) -> list[Snippet]:
    """Return the lines that send one request again; a large body is read from a file with the name of the entry."""
    return [_snippet(key, _sent_again(key, entry, base_url)) for key in _LANGUAGES]


def _snippet(key: str, text: str) -> Snippet:
    return Snippet(key, _LANGUAGES[key].name, _LANGUAGES[key].hint, text)


def _sent_again(key: str, entry: Entry, base_url: str) -> str:
    if key == "curl":
        return curl(entry, base_url)
    if why := why_not_sent(entry) or _why_not(key, entry):
        return f"{_LANGUAGES[key].comment}{not_sent(entry, why)}"
    request = _request(entry, base_url)
    if key == "pytest":
        return _written("python", request, entry=entry)
    return _written(key, request)


def _why_not(language: str, entry: Entry) -> str | None:
    """Return why a library does not send a request as it came, beyond the reasons for which no client can."""
    if language != "php" and _DOT_SEGMENT.search(target(entry)):
        return "its path has dot segments, which the library would resolve"
    if language == "node" and (
        entry.method.upper() in _NOT_BY_FETCH or (entry.method in ("GET", "HEAD") and entry.body)
    ):
        return f"fetch sends no {entry.method}{' with a body' if entry.body else ''}"
    return None


def first_call(token: TokenRequest, base_url: str, path: str, payload: str) -> list[Snippet]:
    """Return the lines that get a token and send a payload with it."""
    headers = [("Authorization", ["Bearer ", "TOKEN"]), *((name, [_JSON]) for name in ("Content-Type", "Accept"))]
    request = _Request("POST", base_url, [path], headers, [payload])
    return [_snippet(key, _written(key, request, token)) for key in _LANGUAGES if key != "pytest"]


def _written(key: str, request: _Request, token: TokenRequest | None = None, entry: Entry | None = None) -> str:
    language = _LANGUAGES[key]
    return _TEMPLATES.get_template(f"{key}.jinja").render(
        request=request,
        variables=[] if token else request.variables,
        token=token,
        entry=entry,
        quoted=language.quoted,
        text=language.text,
    )
