"""curl lines that send the recorded requests again, to any base URL and with other secrets.

The shell puts a variable in place of each secret: ``TOKEN`` for bearer tokens, ``CLIENT_SECRET`` for that of a token
request, ``SECRET`` for any other.
"""

from __future__ import annotations

import base64
import re
import shlex
from collections.abc import Iterable, Iterator
from typing import Final
from urllib.parse import quote

from sandbox.journal.entry import Entry
from sandbox.journal.log_line import escaped

HEAD: Final = """\
# Requests recorded by patchworks-sandbox, to be run by a POSIX shell:
#   BASE_URL=http://127.0.0.1:8025 CLIENT_SECRET=... TOKEN=... sh requests.sh
# Secrets are left out: the variables stand in for them.
: "${BASE_URL:=http://127.0.0.1:8025}" "${CLIENT_SECRET:=}" "${TOKEN:=}" "${SECRET:=}"
"""
_FINGERPRINT: Final = re.compile(r"sha256:[0-9a-f]{12}")
_CLIENT_SECRET: Final = re.compile(r"(client_secret\"?\s*[:=]\s*\"?)$", re.IGNORECASE)
NOT_SENT_AGAIN: Final = frozenset({"host", "content-length", "transfer-encoding", "connection", "expect"})
_BY_DEFAULT: Final = ("Accept", "User-Agent")
"""Headers that curl adds unless told otherwise."""

MAX_INLINE: Final = 16 * 1024
"""Bytes of a body that a command to copy holds itself."""

_METHOD: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""A token (RFC 9110 §5.6.2): a method, or the name of a header."""

_NOT_IN_A_TARGET: Final = re.compile(r"[\0-\x20\x7f#]")
_NOT_IN_A_VALUE: Final = re.compile(r"[\0-\x08\x0a-\x1f\x7f]")
_SAID: Final = 200
_MAX_ARGUMENT: Final = 64 * 1024
"""Bytes of a body that can be an argument of a program on every system."""


def as_curl(entries: Iterable[Entry], dropped: int) -> Iterator[str]:
    """Yield a shell script, an entry at a time."""
    yield HEAD
    if dropped:
        yield f"# {dropped} older requests were dropped because the journal was full.\n"
    for entry in entries:
        yield f"\n# {entry.id}: {entry.status} {entry.outcome}\n{_line(entry)}\n"


def curl(entry: Entry, base_url: str) -> str:
    """Return the lines that send one request again; a large body is read from a file with the name of the entry."""
    return f"BASE_URL={shlex.quote(base_url)}\n{_line(entry, MAX_INLINE)}"


def why_not_sent(entry: Entry) -> str | None:
    """Return why curl, or any other client, cannot send a request again as it came; ``None`` where it can.

    A target that does not begin with a slash would become part of the host, which then gets the credentials.
    """
    if not entry.path.startswith("/") or _NOT_IN_A_TARGET.search(entry.query):
        return "its target is none"
    if not _METHOD.fullmatch(entry.method):
        return "its method is none"
    if any(not _METHOD.fullmatch(name) or _NOT_IN_A_VALUE.search(value) for name, value in entry.headers):
        return "a header is malformed"
    if _NOT_IN_A_VALUE.search(entry.client_id or ""):
        return "its client id holds a character that no argument can hold"
    return None


def not_sent(entry: Entry, why: str) -> str:
    """Return the comment in place of a request, on one line that ends no comment and no program."""
    said = f"{entry.method} {entry.path}"[:_SAID].replace("?>", "? >")
    return f"not sent again, because {why}: {escaped(said)}"


def _line(entry: Entry, max_inline: int | None = None) -> str:
    """Return the line that sends a request again, as a comment where curl cannot send it.

    A body of more than ``max_inline`` bytes is read from a file with the name of the entry.
    """
    if why := why_not_sent(entry):
        return f"# {not_sent(entry, why)}"
    words = ["curl", "-sS", "--globoff", "--path-as-is"]
    if entry.method == "HEAD":
        words.append("--head")
    else:
        words += ["-X", shlex.quote(entry.method)]
    words.append(f'"$BASE_URL"{_quoted(target(entry))}')
    given = {name.lower() for name, _ in entry.headers}
    for name, value in entry.headers:
        words += _header(name, value, entry)
    words += [f"-H '{name}:'" for name in _BY_DEFAULT if name.lower() not in given]
    before = ""
    if entry.body:
        if "content-type" not in given:
            words.append("-H 'Content-Type:'")
        before, data = _body(entry, max_inline)
        words.append(data)
    return before + " ".join(words)


def target(entry: Entry) -> str:
    """Return the path and the query as they are sent again."""
    path = quote(entry.path, safe="/:@!$&'()*+,;=~%-._")
    return f"{path}?{entry.query}" if entry.query else path


def _header(name: str, value: str, entry: Entry) -> list[str]:
    lower = name.lower()
    if lower in NOT_SENT_AGAIN:
        return []
    if lower == "authorization":
        if is_basic(value):
            return ["--user", shlex.quote(f"{entry.client_id or ''}:") + '"$CLIENT_SECRET"']
        return ["-H", _spliced(with_token(f"{name}: {value}"))]
    return ["-H", _quoted(f"{name}: {value}" if value else f"{name};")]


def _body(entry: Entry, max_inline: int | None) -> tuple[str, str]:
    """Return the commands before curl that make the body, and curl's option to send it."""
    if max_inline is not None and len(entry.body) > max_inline:
        return "", f"--data-binary @{entry.id}"
    text = entry.text
    if text is None or "\0" in text:
        encoded = base64.b64encode(entry.body).decode("ascii")
        return f"printf %s {encoded} | base64 -d | ", "--data-binary @-"
    if len(entry.body) > _MAX_ARGUMENT:  # printf is part of the shell: its arguments may be longer
        return f"printf %s {_quoted(text)} | ", "--data-binary @-"
    return "", f"--data-raw {_quoted(text)}"


def _quoted(text: str) -> str:
    return _spliced(with_variables(text))


def with_variables(text: str) -> list[str]:
    """Return a text in parts: every second one is the name of the variable that stands in for a secret."""

    def variable(match: re.Match[str]) -> str:
        return "\0CLIENT_SECRET\0" if _CLIENT_SECRET.search(text[: match.start()]) else "\0SECRET\0"

    return _FINGERPRINT.sub(variable, text.replace("\0", "")).split("\0")


def with_token(value: str) -> list[str]:
    """Return the value of an Authorization header in parts, as ``with_variables`` does; the secret is a token."""
    return _FINGERPRINT.sub("\0TOKEN\0", value).split("\0")


def is_basic(value: str) -> bool:
    """Return whether the value of an Authorization header is a client's id and secret."""
    return value.partition(" ")[0].lower() == "basic" and _FINGERPRINT.search(value) is not None


def _spliced(parts: list[str]) -> str:
    return "".join(f'"${part}"' if number % 2 else shlex.quote(part) for number, part in enumerate(parts) if part)
