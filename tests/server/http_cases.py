"""HTTP/1.1 as clients, scanners and attackers write it: requests as bytes, and the answers that must come.

A row is a name, bytes and an expectation. ``{H}``-like names in the bytes stand for what a run puts in their place: the
host, a bearer token, and good requests. ``KEEP`` and ``CLOSE`` say whether the connection must live on; without either
the client ends its side after the last byte, so that the server answers and closes. Sections are those of RFC 9112.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

KEEP, CLOSE, EITHER = "keep", "close", "either"
OK, NOT_FOUND, BAD, WRONG_METHOD = (200,), (404,), (400,), (405,)

PAYLOAD = b'{"a":1}'
CHUNKS = b"7\r\n" + PAYLOAD + b"\r\n0\r\n\r\n"
PATH = b"/v1/acme/anything"
HOST = b"Host: sandbox.test\r\n"
BEARER = b"Authorization: Bearer {bearer}\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
EVIL = b"Host: evil.example\r\n"


@dataclass(frozen=True)
class Case:
    """``sent`` is a piece or several; the client waits for an answer before each piece but the first."""

    name: str
    sent: tuple[bytes, ...]
    statuses: tuple[tuple[int, ...], ...]
    """The statuses that each answer may have, in order."""
    end: str = EITHER
    heads: tuple[int, ...] = ()
    """The answers, by position, that have no body because the request is a HEAD."""
    absent: bytes = b""
    """Must not occur in the answers."""
    ends_side: bool = False
    """Whether the client ends its side although the server must close by itself, or must not."""


def get(
    target: bytes = b"/nowhere",
    fields: bytes = b"",
    *,
    version: bytes = b"1.1",
    host: bytes = HOST,
    method: bytes = b"GET",
) -> bytes:
    return method + b" " + target + b" HTTP/" + version + b"\r\n" + host + fields + b"\r\n"


def post(
    body: bytes = PAYLOAD,
    fields: bytes = b"",
    *,
    length: bytes | None = None,
    version: bytes = b"1.1",
    target: bytes = PATH,
    bearer: bytes = BEARER,
    host: bytes = HOST,
) -> bytes:
    """A payload; ``length`` is the field that says its length, which is right unless it is given."""
    sized = b"Content-Length: %d\r\n" % len(body) if length is None else length
    common = host + bearer + b"Content-Type: application/json\r\n" + sized + fields
    return b"POST " + target + b" HTTP/" + version + b"\r\n" + common + b"\r\n" + body


def chunked(body: bytes = CHUNKS, coding: bytes = CHUNKED) -> bytes:
    return post(body, coding, length=b"")


NEXT = get(b"/smuggled")
"""A second request: whether it is answered shows how far the first one was read."""


def each(prefix: str, rows: Mapping[str, bytes], statuses: tuple[int, ...], end: str = EITHER) -> Iterator[Case]:
    """A case for each row, with one answer."""
    for name, sent in rows.items():
        yield Case(f"{prefix}: {name}", (sent,), (statuses,), end)


def request_lines() -> Iterator[Case]:
    """§2.2, §2.3, §3."""
    yield from each("line", {"lower case is another method": get(method=b"get")}, NOT_FOUND, KEEP)
    yield from each("line", {"unknown method": get(PATH, method=b"BREW")}, WRONG_METHOD, KEEP)
    yield from each("line", {"very long method": get(method=b"A" * 5000)}, NOT_FOUND, KEEP)
    lines = {
        "tab for a blank": b"GET\t/\tHTTP/1.1",
        "two blanks": b"GET  / HTTP/1.1",
        "blank behind": b"GET / HTTP/1.1 ",
        "blank in front": b" GET / HTTP/1.1",
        "blank in the target": b"GET /a b HTTP/1.1",
        "HTTP/11": b"GET / HTTP/11",
        "http in lower case": b"GET / http/1.1",
        "full-width digit": b"GET / HTTP/1.\xef\xbc\x91",
        "HTP": b"GET / HTP/1.1",
        "no method": b" / HTTP/1.1",
        "colon in the method": b"GE:T / HTTP/1.1",
        "NUL in the method": b"GE\0T / HTTP/1.1",
        "8 bits in the method": b"G\xc9T / HTTP/1.1",
    }
    yield from each("line", {name: line + b"\r\n" + HOST + b"\r\n" for name, line in lines.items()}, BAD, CLOSE)
    versions = {f"HTTP/{version.decode()}": get(version=version) for version in (b"1.1.1", b"01.1", b"1.x")}
    yield from each("line", versions, BAD, CLOSE)
    yield from each("line", {"HTTP/0.9 with an empty line": b"GET /\r\n\r\n"}, BAD, CLOSE)
    yield from each("line", {"HTTP/0.9, one line": b"GET /\r\n"}, BAD)
    newer = {"HTTP/0.9 spelled out": get(version=b"0.9"), "HTTP/2.0": get(version=b"2.0")}
    yield from each("line", {**newer, "preface of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"}, (505,), CLOSE)
    good = {"HTTP/1.2 is served as 1.1": get(version=b"1.2"), "CRLF in front": b"\r\n" + get()}
    yield from each("line", {**good, "three CRLF in front": b"\r\n" * 3 + get()}, NOT_FOUND, KEEP)
    yield Case("line: nothing but CRLF", (b"\r\n" * 50,), ())
    others = {
        "garbage": b"\x80\x81\x82\x83\r\n\r\n",
        "a TLS greeting": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 60,
        "SSL 2": b"\x80\x2e\x01\x00\x02" + b"\0" * 40 + b"\r\n\r\n",
        "SSH": b"SSH-2.0-OpenSSH_9\r\n\r\n",
        "RTSP": b"OPTIONS * RTSP/1.0\r\nHost: a\r\n\r\n",
        "ICE": b"SOURCE /x ICE/1.0\r\n\r\n",
        "PROXY protocol": b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n" + get(),
    }
    yield from each("line", others, BAD, CLOSE)
    yield from each("line", {"SOCKS 5": b"\x05\x01\x00"}, BAD)


def line_ends() -> Iterator[Case]:
    """§2.2."""
    rows = {
        "bare LF everywhere": get().replace(b"\r\n", b"\n"),
        "bare LF after the request line": b"GET / HTTP/1.1\n" + HOST + b"\r\n",
        "bare LF between fields": get(fields=b"X-A: 1\nX-B: 2\r\n"),
        "bare LF ends the head": b"GET / HTTP/1.1\r\n" + HOST[:-2] + b"\n\n",
        "bare CR in a value": get(fields=b"X-A: 1\rX-B: 2\r\n"),
        "CR CR LF": get(fields=b"X-A: 1\r\r\n"),
        "bare CR in the request line": b"GET /\r HTTP/1.1\r\n" + HOST + b"\r\n",
        "LF CR": get(fields=b"X-A: 1\n\r"),
    }
    yield from each("eol", rows, BAD, CLOSE)
    none = {"NEL is none": get(fields=b"X-A: 1\x85X-B: 2\r\n"), "VT and FF are none": get(fields=b"X: 1\x0bX\x0cY\r\n")}
    yield from each("eol", none, NOT_FOUND, KEEP)


def fields() -> Iterator[Case]:
    """§5."""
    lines = {
        "blank before the colon": b"X-A : 1",
        "tab before the colon": b"X-A\t: 1",
        "folded with a blank": b"X-A: 1\r\n 2",
        "folded with a tab": b"X-A: 1\r\n\t2",
        "no colon": b"X-A",
        "no name": b": x",
        "NUL in the name": b"X\0A: x",
        "NUL in the value": b"X-A: a\0b",
        "8 bits in the name": b"X-\xe4: x",
    }
    lines |= {f"{character} in the name": f"X{character}A: x".encode() for character in '"(),/;<=>?@[\\]{}'}
    yield from each("field", {name: get(fields=line + b"\r\n") for name, line in lines.items()}, BAD, CLOSE)
    yield from each(
        "field", {"the first begins with a blank": b"GET / HTTP/1.1\r\n X: 1\r\n" + HOST + b"\r\n"}, BAD, CLOSE
    )
    good = {
        "control character in the value": b"X-A: a\x01b",
        "DEL in the value": b"X-A: a\x7fb",
        "8 bits in the value": b"X-A: \xe4\xff",
        "every character that a name may have": b"!#$%&'*+-.^_`|~09azAZ: x",
        "empty value": b"X-A:",
        "no blank behind the colon": b"X-A:1",
        "a value of 60 kB": b"X-A: " + b"a" * 60_000,
        "100 of them": b"\r\n".join(b"X-%d: 1" % number for number in range(99)),
    }
    yield from each("field", {name: get(fields=line + b"\r\n") for name, line in good.items()}, NOT_FOUND, KEEP)
    long = {
        "101 of them": b"\r\n".join(b"X-%d: 1" % number for number in range(100)),
        "20,001 of them": b"\r\n".join(b"X-%d: 1" % number for number in range(20_000)),
        "a value of 70 kB": b"X-A: " + b"a" * 70_000,
        "a name of 70 kB": b"X" * 70_000 + b": a",
    }
    yield from each("field", {name: get(fields=line + b"\r\n") for name, line in long.items()}, (431,), CLOSE)


def hosts() -> Iterator[Case]:
    """§3.2: a server must answer 400 to a Host that is none; it is uri-host [":" port]."""
    rows = {
        "missing": b"",
        "twice the same": HOST + HOST,
        "two": HOST + EVIL,
        "a list": b"Host: a, b\r\n",
        "with a blank": b"Host: a b\r\n",
        "with a path": b"Host: a/b\r\n",
        "with user information": b"Host: u@a\r\n",
        "a port that is none": b"Host: a:99x\r\n",
        "8 bits": b"Host: \xe4\r\n",
    }
    yield from each("host", {name: get(host=host) for name, host in rows.items()}, BAD, CLOSE)
    yield from each("host", {"two in HTTP/1.0": get(host=HOST + EVIL, version=b"1.0")}, BAD, CLOSE)
    yield from each("host", {"missing in HTTP/1.0": get(host=b"", version=b"1.0")}, NOT_FOUND, CLOSE)
    good = {"empty": b"Host:\r\n", "IPv6 literal": b"Host: [::1]:80\r\n", "the emulated API is served under any": EVIL}
    yield from each("host", {name: get(host=host) for name, host in good.items()}, NOT_FOUND, KEEP)


def targets() -> Iterator[Case]:
    """§3.2."""
    bad = {
        "absolute form with an empty host": b"http:///nowhere",
        "ftp": b"ftp://x/nowhere",
        "javascript": b"javascript:alert(1)",
        "authority form": b"example.com:80",
        "*": b"*",
        "no slash": b"nowhere",
        "NUL": b"/a\0b",
        "tab": b"/a\tb",
        "DEL": b"/a\x7fb",
    }
    yield from each("target", {name: get(target) for name, target in bad.items()}, BAD, CLOSE)
    found = {
        "absolute form": b"http://sandbox.test/nowhere",
        "absolute form of another host": b"http://evil.example/nowhere",
        "absolute form in upper case": b"HTTP://x/nowhere",
        "absolute form without a path": b"http://x",
        "absolute form, query only": b"http://x?a=b",
        "fragment": b"/nowhere#x",
        "UTF-8": "/ä".encode(),
        "8 bits that are no UTF-8": b"/\xff\xfe",
        "%00": b"/v1/acme/any%00thing",
        "16 KiB": b"/" + b"a" * 16_383,
    }
    yield from each("target", {name: get(target) for name, target in found.items() if name != "%00"}, NOT_FOUND, KEEP)
    yield from each("target", {"%00": get(found["%00"])}, WRONG_METHOD, KEEP)
    yield from each("target", {"16 KiB and 1": get(b"/" + b"a" * 16_384)}, (414,), CLOSE)
    yield from each("target", {"100 kB": get(b"/" + b"a" * 100_000)}, (414,), CLOSE)
    yield from each("target", {"CONNECT": get(b"example.com:80", method=b"CONNECT")}, BAD, CLOSE)
    yield from each("target", {"CONNECT with a path": get(b"/", method=b"CONNECT")}, NOT_FOUND, KEEP)
    yield from each("target", {"OPTIONS *": get(b"*", method=b"OPTIONS")}, NOT_FOUND, KEEP)
    yield from each("target", {"none": b"GET  HTTP/1.1\r\n" + HOST + b"\r\n"}, BAD, CLOSE)
    yield from each("target", {"POST in absolute form": post(target=b"http://x.example" + PATH)}, OK, KEEP)
    good = {"an encoded letter": b"/v1/acme/%61nything", "query": PATH + b"?a=b&a=c", "slash behind": PATH + b"/"}
    yield from each("target", {name: post(target=target) for name, target in good.items()}, OK, KEEP)
    yield from each("target", {"slashes behind": post(target=PATH + b"///")}, (200, 404), KEEP)
    unknown = {
        "%2F in the company": b"/v1/acme%2Fanything",
        "%2f in the vanity URL": b"/v1/acme/any%2fthing",
        "%2e%2e": b"/v1/x/%2e%2e/acme/anything",
        "..": b"/v1/x/../acme/anything",
        "encoded twice": b"/v1/acme/%2561nything",
        "%zz": b"/v1/acme/%zz",
        "lone percent sign": b"/v1/acme/%",
        "overlong UTF-8": b"/v1/acme%c0%afanything",
        "two slashes in front": b"//v1/acme/anything",
        "two slashes inside": b"/v1//acme/anything",
        "path parameters": b"/v1/acme/anything;a=b",
    }
    yield from each("target", {name: post(target=t) for name, t in unknown.items()}, (404, 200), KEEP)
    yield from each("target", {"backslashes": post(target=b"/v1\\acme\\anything")}, (404, 400))


def content_lengths() -> Iterator[Case]:
    """§6.2, §6.3."""
    good = [b"7 ", b" 7", b"07", b"007"]
    yield from each(
        "length", {str(value): post(length=b"Content-Length:" + value + b"\r\n") for value in good}, OK, KEEP
    )
    bad = [b"-1", b"+7", b"0x7", b"7,7", b"7, 7", b"7;7", b"7.0", b"7e0", b"\xef\xbc\x97", b"", b"abc", b"1_0"]
    bad += [b"9" * 30, b"18446744073709551623", b"\x0b7", b"7\x0c"]
    yield from each(
        "length", {str(value): post(length=b"Content-Length:" + value + b"\r\n") for value in bad}, BAD, CLOSE
    )
    doubled = {
        "twice the same": post(fields=b"Content-Length: 7\r\n"),
        "two": post(fields=b"Content-Length: 8\r\n"),
        "two, in other case": post(fields=b"content-LENGTH: 8\r\n"),
    }
    yield from each("length", doubled, BAD, CLOSE)
    underscore = post(b"", b"Content_Length: 7\r\n", length=b"")
    yield Case("length: Content_Length is none", (underscore + NEXT,), ((422,), NOT_FOUND), KEEP)
    on_get = get(fields=b"Content-Length: 5\r\n") + b"hello"
    yield Case("length: on GET, and then another", (on_get + NEXT,), (NOT_FOUND, NOT_FOUND), KEEP)
    yield from each("length", {"none on POST": post(b"", length=b"")}, (422,), KEEP)
    yield Case("length: 0, and then another", (post(b"") + NEXT,), ((422,), NOT_FOUND), KEEP)
    short = post(b"", length=b"Content-Length: 3\r\n") + PAYLOAD + NEXT
    yield Case("length: too small, the rest is no request", (short,), ((200, 400, 422), BAD), CLOSE)
    large = {
        "17 digits": post(b"", length=b"Content-Length: 99999999999999999\r\n") + b"x",
        "above the limit": post(b"", length=b"Content-Length: 8388609\r\n") + b"x" * 1000,
    }
    for case in each("length", large, (413,), CLOSE):
        yield Case(case.name, case.sent, case.statuses, CLOSE, ends_side=True)


def transfer_encodings() -> Iterator[Case]:
    """§6.1, §6.3: what a front and a back could frame differently."""
    both = {
        "length and coding": post(b"0\r\n\r\n", CHUNKED) + NEXT,
        "coding and length": chunked(b"0\r\n\r\n", CHUNKED + b"Content-Length: 5\r\n") + NEXT,
    }
    yield from each("smuggling", both, BAD, CLOSE)
    values = [b"xchunked", b"chunked, chunked", b"chunked, identity", b"identity, chunked", b"identity", b"gzip"]
    values += [b"gzip, chunked", b"", b"chunked;q=1", b'"chunked"', b"chunked,", b",chunked", b"\x0bchunked"]
    values += [b"chunked\x0c", b"chun ked", b"ch\xc3\xbcnked", b"cow", b"chunked\x85"]
    odd = {str(value): chunked(coding=b"Transfer-Encoding: " + value + b"\r\n") + NEXT for value in values}
    yield from each("smuggling", odd, (400, 501), CLOSE)
    good = {
        "upper case is the same": chunked(coding=b"Transfer-Encoding: CHUNKED\r\n"),
        "a tab behind is a blank": chunked(coding=b"Transfer-Encoding: chunked\t\r\n"),
        "tabs in front are blanks": chunked(coding=b"Transfer-Encoding:\t\tchunked\r\n"),
    }
    yield from each("smuggling", good, OK, KEEP)
    lines = {
        "twice": CHUNKED + CHUNKED,
        "a second one": CHUNKED + b"Transfer-encoding: cow\r\n",
        "blank before the colon": b"Transfer-Encoding : chunked\r\n",
        "folded": b"Transfer-Encoding:\r\n chunked\r\n",
        "behind a bare LF": b"X: x\nTransfer-Encoding: chunked\r\n",
    }
    yield from each("smuggling", {name: chunked(coding=line) + NEXT for name, line in lines.items()}, BAD, CLOSE)
    underscore = post(b"", b"Transfer_Encoding: chunked\r\n")
    yield Case("smuggling: Transfer_Encoding is none", (underscore + NEXT,), ((422,), NOT_FOUND), KEEP)
    old = {
        "in HTTP/1.0": post(CHUNKS, CHUNKED, length=b"", version=b"1.0") + NEXT,
        "in HTTP/1.0 with a length": post(CHUNKS, CHUNKED, version=b"1.0") + NEXT,
    }
    yield from each("smuggling", old, BAD, CLOSE)
    body = b"5\r\nhello\r\n0\r\n\r\n"
    yield Case("smuggling: on GET", (get(fields=CHUNKED) + body + NEXT,), (NOT_FOUND, NOT_FOUND), KEEP)
    on_head = get(fields=CHUNKED, method=b"HEAD") + body
    yield Case("smuggling: on HEAD", (on_head + NEXT,), (NOT_FOUND, NOT_FOUND), KEEP, heads=(0,))


def chunks() -> Iterator[Case]:
    """§7.1."""
    behind = b"\r\n" + PAYLOAD + b"\r\n0\r\n\r\n"
    good = {
        "size 07": b"07" + behind,
        "size with leading zeros": b"0000000007" + behind,
        "size with a blank behind": b"7 " + behind,
        "extension": b"7;a=b" + behind,
        "extension, quoted": b'7;a="b;c"' + behind,
        "extension, empty": b"7;" + behind,
        "extension with blanks": b"7 ; a = b" + behind,
        "the last of size 000": b"7\r\n" + PAYLOAD + b"\r\n000\r\n\r\n",
        "a byte each": b"".join(b"1\r\n%c\r\n" % byte for byte in PAYLOAD) + b"0\r\n\r\n",
    }
    yield from each("chunk", {name: chunked(body) for name, body in good.items()}, OK, KEEP)
    bad = {
        "size with a plus": b"+7" + behind,
        "size with a minus": b"-7" + behind,
        "size 0x7": b"0x7" + behind,
        "size with an underscore": b"0_7" + behind,
        "size with a blank in front": b" 7" + behind,
        "size of letters": b"zz" + behind,
        "no size": behind,
        "size of 16 digits": b"8000000000000000" + behind,
        "size of 17 digits": b"10000000000000007" + behind,
        "size with 2000 zeros": b"0" * 2000 + b"7" + behind,
        "size in full width": b"\xef\xbc\x97" + behind,
        "size with a comma": b"7,7" + behind,
        "size with NUL": b"7\0" + behind,
        "size with a vertical tab": b"7\x0b" + behind,
        "extension with a bare LF": b"7;a\nb" + behind,
        "extension with a bare CR": b"7;a\rb" + behind,
        "extension with NUL": b"7;a\0b" + behind,
        "extension of 5 kB": b"7;" + b"a" * 5000 + behind,
        "LF behind the size": b"7\n" + PAYLOAD + b"\r\n0\r\n\r\n",
        "LF behind the data": b"7\r\n" + PAYLOAD + b"\n0\r\n\r\n",
        "longer than its size": b"5" + behind,
        "shorter than its size": b"9" + behind,
        "the last of size -0": b"7\r\n" + PAYLOAD + b"\r\n-0\r\n\r\n",
    }
    yield from each("chunk", {name: chunked(body) + NEXT for name, body in bad.items()}, BAD, CLOSE)
    yield from each("chunk", {"the last does not come": chunked(b"7\r\n" + PAYLOAD + b"\r\n")}, BAD)


def trailers() -> Iterator[Case]:
    """§7.1.2."""
    begun = b"7\r\n" + PAYLOAD + b"\r\n0\r\n"
    for name, line in {"a field": b"X-T: 1", "Content-Length": b"Content-Length: 60"}.items():
        sent = chunked(begun + line + b"\r\n\r\n") + NEXT
        yield Case(f"trailer: {name}", (sent,), (OK, NOT_FOUND), KEEP)
    bad = {
        "70 kB": (b"X: " + b"a" * 48 + b"\r\n") * 1500 + b"\r\n",
        "no field": b"!!\x01 nonsense\r\n\r\n",
        "LF LF ends it for others": b"X: 1\n\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n",
        "a request line": b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n",
    }
    yield from each("trailer", {name: chunked(begun + lines) + NEXT for name, lines in bad.items()}, BAD, CLOSE)


def expectations() -> Iterator[Case]:
    """RFC 9110 §10.1.1."""
    asked = post(b"", b"Expect: 100-continue\r\n", length=b"Content-Length: 7\r\n")
    yield Case("expect: 100-continue", (asked, PAYLOAD), ((100,), OK), KEEP)
    mixed = asked.replace(b"100-continue", b"100-Continue")
    yield Case("expect: in other case", (mixed, PAYLOAD), ((100,), OK), KEEP)
    yield from each("expect", {"the body comes at once": post(fields=b"Expect: 100-continue\r\n")}, OK, KEEP)
    yield from each("expect", {"something else": post(fields=b"Expect: 200-ok\r\n")}, (417,), CLOSE)
    yield from each("expect", {"two": post(fields=b"Expect: 100-continue\r\nExpect: x\r\n")}, (417,), CLOSE)
    yield Case("expect: in HTTP/1.0", (asked.replace(b"1.1", b"1.0") + PAYLOAD,), (OK,), CLOSE)
    without = post(b"", b"Expect: 100-continue\r\n", length=b"Content-Length: 7\r\n", bearer=b"")
    yield Case("expect: without a token", (without, PAYLOAD), ((100,), (401,)), KEEP)
    yield from each("expect", {"no body": get(fields=b"Expect: 100-continue\r\n")}, NOT_FOUND, KEEP)
    large = asked.replace(b"Length: 7", b"Length: 9000000")
    yield Case("expect: 413 at once", (large,), ((413,),), CLOSE, absent=b"100 Continue")
    control = (
        large.replace(PATH, b"/_sandbox/faults").replace(HOST, b"Host: localhost\r\n").replace(b"9000000", b"9" * 9)
    )
    yield Case("expect: 413 at once of the control API", (control,), ((413,),), CLOSE, absent=b"100 Continue")


def methods() -> Iterator[Case]:
    """RFC 9110 §9."""
    yield Case("method: HEAD", (get(PATH, method=b"HEAD"),), (WRONG_METHOD,), KEEP, heads=(0,))
    yield Case("method: HEAD has no body", (get(method=b"HEAD") + NEXT,), (NOT_FOUND, NOT_FOUND), KEEP, heads=(0,))
    yield from each("method", {"OPTIONS": get(PATH, method=b"OPTIONS")}, (200, 204), KEEP)
    traced = get(PATH, b"Cookie: secret=1\r\n", method=b"TRACE")
    yield Case("method: TRACE", (traced,), (WRONG_METHOD,), KEEP, absent=b"secret=1")
    others = {method.decode(): get(PATH, method=method) for method in (b"DELETE", b"PUT")}
    yield from each("method", others, WRONG_METHOD, KEEP)


def persistence() -> Iterator[Case]:
    """§9.3."""
    closing = {
        "HTTP/1.0": post(version=b"1.0"),
        "close, and then another": post(fields=b"Connection: close\r\n") + NEXT,
        "CLOSE": post(fields=b"Connection: CLOSE\r\n"),
        "close in a list": post(fields=b"Connection: foo, close\r\n"),
        "close in a second field": post(fields=b"Connection: keep-alive\r\nConnection: close\r\n"),
    }
    yield from each("persist", closing, OK, CLOSE)
    keeping = {
        "HTTP/1.0 with keep-alive": post(version=b"1.0", fields=b"Connection: keep-alive\r\n"),
        "closed is not close": post(fields=b"Connection: closed\r\n"),
    }
    yield from each("persist", keeping, OK, KEEP)
    h2c = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n"
    websocket = b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    websocket += b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    upgrades = {"upgrade to h2c is ignored": get(fields=h2c), "upgrade to websocket is ignored": get(fields=websocket)}
    yield from each("persist", upgrades, NOT_FOUND, KEEP)
    bodies = {
        "body of an upgrade to h2c": post(fields=h2c),
        "chunked body of an upgrade to h2c": chunked(coding=CHUNKED + h2c),
    }
    yield from each("persist", bodies, OK, KEEP)
    yield Case("persist: 10 at once", (post() * 10,), (OK,) * 10, KEEP)
    yield Case("persist: 100 at once", (get() * 100,), (NOT_FOUND,) * 100, KEEP)
    mixed = post() + get() + chunked() + get(method=b"HEAD") + post()
    yield Case("persist: several kinds at once", (mixed,), (OK, NOT_FOUND, OK, NOT_FOUND, OK), KEEP, heads=(3,))
    local = b"Host: localhost\r\n"
    unread = {
        "401 with a body": (post(b"x" * 100, bearer=b""), (401,)),
        "404 with a body": (post(b"x" * 100, target=b"/nowhere"), NOT_FOUND),
        "405 with chunks": (chunked().replace(b"POST", b"PUT"), WRONG_METHOD),
        "control 404 with a body": (post(b"x" * 100, target=b"/_sandbox/nowhere", host=local), NOT_FOUND),
        "control 403 with a body": (post(b'{"x":"GET /x HTTP/1.1"}', target=b"/_sandbox/reset", host=EVIL), (403,)),
        "control with chunks": (
            chunked(b"2\r\n{}\r\n0\r\n\r\n").replace(PATH, b"/_sandbox/health").replace(HOST, local),
            (200, 405, 422),
        ),
        "control 404 with chunks": (chunked().replace(PATH, b"/_sandbox/nowhere").replace(HOST, local), NOT_FOUND),
    }
    for name, (sent, statuses) in unread.items():
        yield Case(f"persist: {name}, and then another", (sent + NEXT,), (statuses, NOT_FOUND), KEEP)


def ends() -> Iterator[Case]:
    """§9.6: a client that ends its side."""
    whole = post()
    yield Case("early: FIN behind the request", (whole,), (OK,), CLOSE, ends_side=True)
    yield Case("early: FIN in the head", (b"GET / HT",), (BAD,), CLOSE, ends_side=True)
    yield Case("early: FIN in the body", (whole[:-3],), (BAD,), CLOSE, ends_side=True)
    yield Case("early: FIN at once", (b"",), (), CLOSE, ends_side=True)


def guard() -> Iterator[Case]:
    """No way around the check of the host name of the control API."""
    targets = [b"/_sandbox", b"/_sandbox/", b"/_sandbox/clients", b"/%5fsandbox/clients", b"/%5Fsandbox/clients"]
    targets += [b"/_sandbox%2Fclients", b"/_sandbox/%2e%2e/_sandbox/clients", b"/_sandbox//clients"]
    targets += [b"/_sandbox/;/clients", b"/_sandbox/clients/", b"http://evil.example/_sandbox/clients"]
    targets += [b"http://127.0.0.1/_sandbox/clients"]
    for target in targets:
        sent = get(target, host=EVIL)
        yield Case(f"guard: {target.decode()}", (sent,), ((403, 404),), KEEP, absent=b"{client_id}")
    sent = get(b"http://evil.example/_sandbox/clients", host=b"Host: 127.0.0.1\r\n")
    yield Case("guard: the target counts, not Host (§3.2.2)", (sent,), ((403,),), KEEP, absent=b"{client_id}")
    others = [b"//_sandbox/clients", b"/_SANDBOX/clients", b"/x/../_sandbox/clients", b"/./_sandbox/clients"]
    for target in (*others, b"/v1/../_sandbox/clients", b"/\\_sandbox\\clients"):
        sent = get(target, host=EVIL)
        yield Case(f"guard: not it: {target.decode()}", (sent,), (NOT_FOUND,), KEEP, absent=b"{client_id}")
    foreign = [b"127.0.0.1.evil.example", b"localhost.evil.example", b"0x7f.evil", b"", b"localhost,evil.example"]
    invalid = [b"evil.example:127.0.0.1", b"[::1", b"::1", b"127.0.0.1@evil.example", b"evil.example#127.0.0.1"]
    invalid += [b"evil.example/127.0.0.1", b"evil.example, localhost", b"localhost evil.example", b"localhost\xe4"]
    for name in (*foreign, *invalid):
        sent = get(b"/_sandbox/clients", host=b"Host: " + name + b"\r\n")
        statuses, end = (BAD, CLOSE) if name in invalid else ((403,), KEEP)
        yield Case(f"guard: host {name!r}", (sent,), (statuses,), end, absent=b"{client_id}")


def cases() -> list[Case]:
    """Every case."""
    sections = (request_lines, line_ends, fields, hosts, targets, content_lengths, transfer_encodings, chunks, trailers)
    sections += (expectations, methods, persistence, ends, guard)
    return [case for section in sections for case in section()]
