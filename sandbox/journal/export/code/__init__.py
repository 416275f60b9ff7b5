"""Requests as lines of code: curl, Python, Node, PHP, and a test for pytest.

Each language quotes what was received by rules of its own, so that no payload ends a literal. A variable stands in for
each secret, as in ``curl``. A request that a library cannot send as it came is a comment.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from typing import Final

from sandbox.journal.entry import Entry
from sandbox.journal.export.code.node import node
from sandbox.journal.export.code.parts import Parts, TokenRequest
from sandbox.journal.export.code.php import php
from sandbox.journal.export.code.python import pytest, python
from sandbox.journal.export.curl import curl, not_sent, target, why_not_sent

__all__ = ["Snippet", "TokenRequest", "first_call", "snippets"]

_NOT_BY_FETCH: Final = ("CONNECT", "TRACE", "TRACK")
_DOT_SEGMENT: Final = re.compile(r"(?:^|/)(?:\.|%2e){1,2}(?:[/?]|$)", re.IGNORECASE)
_LANGUAGES: Final = {
    "curl": ("curl", "POSIX shell"),
    "python": ("Python", "Python 3, with requests"),
    "node": ("Node", "Node 18 or newer, as a module"),
    "php": ("PHP", "PHP 8, with its curl extension"),
    "pytest": ("pytest", "A test with the fixture patchworks; put the call of your own code in its place"),
}
_WRITERS: Final = {"python": python, "node": node, "php": php}
_COMMENTS: Final = {"node": "// ", "php": "<?php\n// "}


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
    return [Snippet(key, *words, _written(key, entry, base_url)) for key, words in _LANGUAGES.items()]


def _written(key: str, entry: Entry, base_url: str) -> str:
    if key == "curl":
        return curl(entry, base_url)
    if why := why_not_sent(entry) or _why_not(key, entry):
        return f"{_COMMENTS.get(key, '# ')}{not_sent(entry, why)}"
    parts = Parts.of(entry, base_url)
    return pytest(parts, entry) if key == "pytest" else _WRITERS[key](parts)


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


def first_call(token: TokenRequest, base_url: str, path: str, payload: str) -> list[Snippet]:
    """Return the lines that get a token and send a payload with it."""
    headers = (
        ("Authorization", ("Bearer ", "TOKEN")),
        ("Content-Type", ("application/json",)),
        ("Accept", ("application/json",)),
    )
    parts = Parts("POST", base_url, (path,), headers, text=(payload,), token=token)
    texts = {key: write(parts) for key, write in _WRITERS.items()}
    texts = {"curl": _first_curl(token, base_url + path, payload), **texts}
    return [Snippet(key, *_LANGUAGES[key], text) for key, text in texts.items()]


def _first_curl(token: TokenRequest, url: str, payload: str) -> str:
    fields = " ".join(f"\\\n  --data-urlencode {shlex.quote(f'{name}={value}')}" for name, value in token.form.items())
    return f"""\
TOKEN=$(curl -sS {shlex.quote(token.url)} {fields} \\
  | sed -E 's/.*"access_token":"([^"]+)".*/\\1/')

curl -i {shlex.quote(url)} \\
  -H "Authorization: Bearer $TOKEN" \\
  -H 'Content-Type: application/json' \\
  -H 'Accept: application/json' \\
  --data-raw {shlex.quote(payload)}"""
