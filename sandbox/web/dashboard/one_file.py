"""A page as one HTML file, which opens without a server and loads nothing: style and scripts are in it.

The policy in the file allows these by their hashes and nothing else, so what a client sent cannot act in it either.
"""

from __future__ import annotations

import base64
import codecs
import hashlib
import re
from dataclasses import replace
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from msgspec.structs import replace as replace_fields

from sandbox._version import __version__
from sandbox.foundation.answer import Headers
from sandbox.foundation.errors import cut
from sandbox.journal.endpoint_kind import PAYLOADS
from sandbox.journal.entry import Entry
from sandbox.journal.known_secrets import KnownSecrets
from sandbox.journal.redaction import redact_body, redact_header
from sandbox.web.dashboard.formats import FILTERS
from sandbox.web.dashboard.opened import Opened, opened

MAX_VALUE: Final = 300
"""Characters of a header, a path or a query."""

_MAX_HEADERS: Final = 60
_CUT: Final = " … cut: "
_REDACTED: Final = "sha256:"
_BASE_URL: Final = "http://127.0.0.1:8025"
_HERE: Final = Path(__file__).parent
_POLICY: Final = (
    "default-src 'none'; style-src '{}'; script-src '{}'; base-uri 'none'; form-action 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
_MODULES: Final = ("status", "copy", "parts")
"""The scripts of the pages that a file has, each after those that it imports from."""

_APART: Final = re.compile(r"^import .*\n|^export (?=async|function|const)|^ *//.*\n|^ +", re.MULTILINE)
"""The parts of a module that it does not need beside the others: imports, exports, comments and indentation."""

_COMMENT: Final = re.compile(r"^/\*.*\n|^\n|^ +", re.MULTILINE)


def templates_of_files(*folders: Path) -> Environment:
    """Return the templates of the dashboard and of ``folders``, with what ``file.html`` needs."""
    loader = FileSystemLoader([*folders, _HERE / "templates"])
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined)
    style = "".join(_COMMENT.sub("", _static(name)) for name in ("style.css", "file.css"))
    script = "".join(_APART.sub("", _static(f"js/{name}.js")) for name in _MODULES)
    policy = _POLICY.format(_hash(style), _hash(script))
    environment.filters.update(FILTERS)
    environment.globals.update(style=style, script=script, policy=policy, version=__version__)
    return environment


def encoded(html: str) -> bytes:
    """Return HTML as bytes, with a question mark for half of a surrogate pair, which JSON and paths may hold."""
    return html.encode("utf-8", "replace")


def _static(name: str) -> str:
    return (_HERE / "static" / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode('utf-8')).digest()).decode('ascii')}"


# --- requests in a file -----------------------------------------------------------------------------------------------


def opened_in_file(entry: Entry, id: str) -> Opened:
    """Return a request without secrets in full; ``id`` is that of its element."""
    found = opened(entry, _BASE_URL)
    return replace(found, id=id, code=[] if _CUT.encode() in entry.body else found.code[:1])


def without_secrets(entry: Entry, limit: int, secrets: KnownSecrets) -> Entry:
    """Return an entry without credentials, those included that a client put into a payload, and with bodies cut."""
    is_payload = entry.kind in PAYLOADS
    return replace_fields(
        entry,
        path=cut(entry.path, MAX_VALUE),
        query=cut(entry.query, MAX_VALUE),
        headers=_fitted_headers(entry.headers, secrets),
        response_headers=_fitted_headers(entry.response_headers, secrets),
        body=_fitted(entry.body, limit, secrets, redacts=is_payload),
        response_body=_fitted(entry.response_body, limit, secrets, redacts=is_payload),
    )


def _fitted_headers(headers: Headers, secrets: KnownSecrets) -> Headers:
    fields = [(cut(name, MAX_VALUE), cut(value, MAX_VALUE)) for name, value in headers[:_MAX_HEADERS]]
    return tuple(field if _REDACTED in field[1] else redact_header(field, secrets) for field in fields)


def _fitted(body: bytes, limit: int, secrets: KnownSecrets, *, redacts: bool) -> bytes:
    """Return a body without credentials. A long one ends with a note that no other body has: they may be compared."""
    beginning = body[: 4 * limit]  # it is cut after the redaction: half a secret is one
    if redacts:
        beginning = redact_body(beginning, secrets)
    if len(body) <= limit:
        return beginning
    digest = hashlib.sha256(body).hexdigest()[:12]
    return _whole_characters(beginning[:limit]) + f"{_CUT}{len(body):,} bytes in all, SHA-256 {digest}".encode()


def _whole_characters(body: bytes) -> bytes:
    """Return the beginning of a text without the part of a character at its end, and other bytes as they are."""
    try:
        return codecs.getincrementaldecoder("utf-8")().decode(body).encode()
    except UnicodeDecodeError:
        return body
