"""The head of a request as a value. No I/O.

What two parties on the way could read differently is refused rather than repaired (RFC 9112 §11.2): a test that passes
here must not meet a stricter server in production. httptools (llhttp) reads the header fields. What it refuses is read
again by the rules of this module, which name the mistake, and accept the few things that llhttp is too strict about.
Sections are those of RFC 9112.
"""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Final, NamedTuple
from urllib.parse import unquote_to_bytes

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser

from sandbox.web.http.limits import Limits, RawHeaders
from sandbox.web.paths import is_control_path

END_OF_HEAD: Final = b"\r\n\r\n"
_BARE_LF: Final = "Lines of a request head must end with CR LF."
TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_REQUEST_LINE: Final = re.compile(rf"({TOKEN.pattern}) ([^ ]+) HTTP/([0-9])\.([0-9])")
_CONTROL_CHARACTER: Final = re.compile(r"[\x00-\x20\x7f]")
MAX_METHOD: Final = 64
_REST_OF_REQUEST_LINE: Final = MAX_METHOD
"""Around the target, a request line holds a method, a version and two spaces. No method is longer than this."""

_ABSOLUTE_FORM: Final = re.compile(r"https?://([^/?#]*)", re.IGNORECASE)
_CONTENT_LENGTH: Final = re.compile(r"[0-9]{1,18}")
_HOST: Final = re.compile(
    r"(?:\[[0-9A-Fa-fvV.:]+\]|(?:[0-9A-Za-z._~!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*)(?::[0-9]*)?"  # RFC 3986 §3.2
)
_ONLY_ONCE: Final = frozenset({"host", "content-length", "transfer-encoding"})


class HeadError(Exception):
    """The server answers this request itself. ``reason`` is one line that names the mistake."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(status, reason)
        self.status = status
        self.reason = reason


class Head(NamedTuple):
    """A head that keeps to the rules."""

    method: str
    target: str
    path: str
    """Percent-encoded; ``/`` for ``*``."""
    route: str
    """The path as the text that it stands for: percent-decoded, from UTF-8."""
    query: str
    host: str
    """Host and port of the target, where it is a whole URL; of the header field ``Host`` otherwise (§3.2.2)."""
    protocol: str
    headers: RawHeaders
    fields: dict[str, str]
    """The last value of each header field by its name in lower case."""
    is_control: bool
    """Whether the path belongs to the control API."""
    content_length: int
    chunked: bool
    keep_alive: bool
    expects_continue: bool


def parse_head(raw: bytes, limits: Limits) -> Head:
    """Parse a head, given without the empty line that ends it; raise ``HeadError``."""
    lines = raw.count(b"\r\n")
    if raw.count(b"\n") != lines:
        raise HeadError(400, _BARE_LF)
    if raw.count(b"\r") != lines or b"\0" in raw:
        raise HeadError(400, "The request head contains a bare CR or a NUL byte.")
    request_line, _, raw_fields = raw.partition(b"\r\n")
    method, target, protocol = _parse_request_line(request_line.decode("latin-1"), limits)
    authority, path, query = _split_target(target, method)
    if lines > limits.header_count:
        raise HeadError(431, f"The request has {lines} header fields; {limits.header_count} are allowed.")

    headers = _parse_fields(raw_fields) if raw_fields else ()
    fields: dict[str, str] = {}
    connection = ""
    for name, value in headers:
        lower = name.lower()
        if lower in _ONLY_ONCE and lower in fields:
            raise HeadError(400, f"The header field {name} may be sent only once.")
        if lower == "connection":
            connection += "," + value.lower()
        elif lower == "expect" and lower in fields:
            fields[lower] += f", {value}"
            continue
        fields[lower] = value

    is_1_1, expect = protocol == "HTTP/1.1", fields.get("expect", "").lower()
    host = fields.get("host")
    if is_1_1 and host is None:
        raise HeadError(400, "An HTTP/1.1 request needs a Host header field.")
    if not _HOST.fullmatch(host or "") or (authority is not None and not _HOST.fullmatch(authority)):
        raise HeadError(400, "The host must be a name or an address, with or without a port.")
    if expect and is_1_1 and {each.strip() for each in expect.split(",")} != {"100-continue"}:
        raise HeadError(417, "The only expectation that can be met is 100-continue.")
    content_length, chunked = _parse_framing(fields, is_1_1)
    options = {option.strip() for option in connection.split(",")} if connection else ()
    route = decoded(path)
    return Head(
        method=method,
        target=target,
        path=path,
        route=route,
        query=query,
        host=authority or host or "",
        protocol=protocol,
        headers=headers,
        fields=fields,
        is_control=is_control_path(route),
        content_length=content_length,
        chunked=chunked,
        keep_alive="close" not in options if is_1_1 else "keep-alive" in options,
        expects_continue=bool(expect) and is_1_1 and (chunked or content_length > 0),
    )


def check_unfinished(head: bytes | bytearray, searched: int, limits: Limits) -> None:
    """Raise ``HeadError`` for a head that need not be waited for; ``searched`` bytes of it were looked at before."""
    at = searched - 1 if head[:searched].endswith(b"\r") else searched  # a CR belongs to an LF that comes now
    if head.count(b"\n", at) != head.count(b"\r\n", at):
        raise HeadError(400, _BARE_LF)  # or else its end would be waited for in vain
    longest_line = limits.target_bytes + _REST_OF_REQUEST_LINE
    if len(head) > longest_line and head.find(b"\r\n", 0, longest_line) < 0:
        raise HeadError(414, f"The request target is longer than {limits.target_bytes} bytes.")
    if len(head) > limits.header_bytes:
        raise HeadError(431, f"The request head is longer than {limits.header_bytes} bytes.")


def glimpse(raw: bytes, limits: Limits) -> tuple[str, str, RawHeaders]:
    """Return what can be made out of a head that was refused: method, target and header fields.

    A method of ``MAX_METHOD`` characters and a target of ``limits.target_bytes`` may have been cut. Of a head that is
    too long, the last line is left out: the journal would not recognise half a secret.
    """
    request_line, *lines = raw[: limits.header_bytes].decode("latin-1").split("\r\n")
    if len(raw) > limits.header_bytes:
        lines = lines[:-1]
    method, _, rest = request_line.partition(" ")
    target = rest.partition(" ")[0]
    fields = [line.partition(":") for line in lines[: limits.header_count] if ":" in line]
    headers = tuple((name, value.strip(" \t")) for name, _, value in fields)
    return method[:MAX_METHOD], target[: limits.target_bytes], headers


def decoded(path: str) -> str:
    """Return a percent-encoded path as the UTF-8 text that it stands for."""
    if path.isascii() and "%" not in path:
        return path
    return unquote_to_bytes(path.encode("latin-1")).decode("utf-8", "replace")


def as_utf_8(latin: str) -> str:
    """Return the UTF-8 text that Latin-1 text stands for, as WSGI has it."""
    return latin if latin.isascii() else latin.encode("latin-1").decode("utf-8", "replace")


def parse_field(line: str) -> tuple[str, str]:
    """Return name and value of a header or trailer field; raise ``HeadError`` (§5)."""
    name, colon, value = line.partition(":")
    if TOKEN.fullmatch(name) and colon:
        return name, value.strip(" \t")
    if line[:1] in {" ", "\t"}:
        raise HeadError(400, "Header fields may not be folded over several lines.")
    raise HeadError(400, "A header field is not of the form: Name: value")


def _parse_request_line(line: str, limits: Limits) -> tuple[str, str, str]:
    match = _REQUEST_LINE.fullmatch(line)
    if match is None:
        raise HeadError(400, "The request line is not of the form: METHOD TARGET HTTP/1.1")
    method, target, major, minor = match.groups()
    if major != "1":
        raise HeadError(505, "Only HTTP/1.0 and HTTP/1.1 are spoken here.")
    if len(target) > limits.target_bytes:
        raise HeadError(414, f"The request target has {len(target)} bytes; {limits.target_bytes} are allowed.")
    if _CONTROL_CHARACTER.search(target):
        raise HeadError(400, "The request target contains a control character.")
    return method, target, "HTTP/1.0" if minor == "0" else "HTTP/1.1"


def _split_target(target: str, method: str) -> tuple[str | None, str, str]:
    """Return authority, path and query of an origin-form, absolute-form or asterisk-form target (§3.2)."""
    authority = None
    if not target.startswith("/"):
        if target == "*" and method == "OPTIONS":
            return None, "/", ""
        origin = _ABSOLUTE_FORM.match(target)
        if origin is None or not origin[1]:
            raise HeadError(400, "The request target must be a path that starts with / or an absolute http URL.")
        authority, target = origin[1], target[origin.end() :]
    path, _, query = target.partition("?")
    return authority, path or "/", query


def _parse_fields(raw: bytes) -> RawHeaders:
    """Return the header fields; llhttp leaves blanks behind a value in it."""
    fields: list[tuple[str, str]] = []
    collect = SimpleNamespace(
        on_header=lambda name, value: fields.append((name.decode("latin-1"), value.decode("latin-1").rstrip(" \t")))
    )
    try:
        # llhttp knows no methods but its own, and no targets beyond ASCII: it is given a request line of ours.
        HttpRequestParser(collect).feed_data(b"POST / HTTP/1.1\r\n" + raw + END_OF_HEAD)
    except HttpParserUpgrade:  # an upgrade is not offered, and may be ignored (RFC 9110 §7.8)
        pass
    except HttpParserError:
        return tuple([parse_field(line) for line in raw.decode("latin-1").split("\r\n")])
    return tuple(fields)


def _parse_framing(fields: dict[str, str], is_1_1: bool) -> tuple[int, bool]:
    """Return the length of the body and whether it comes in chunks instead (§6)."""
    length = fields.get("content-length")
    coding = fields.get("transfer-encoding")
    if coding is None:
        if length is None:
            return 0, False
        if not _CONTENT_LENGTH.fullmatch(length):
            raise HeadError(400, "Content-Length must be a decimal number.")
        return int(length), False
    if length is not None:
        raise HeadError(400, "Content-Length and Transfer-Encoding exclude each other.")
    if not is_1_1:
        raise HeadError(400, "Transfer-Encoding needs HTTP/1.1.")
    if coding.lower() != "chunked":
        raise HeadError(501, "The only transfer coding that is understood is chunked.")
    return 0, True
