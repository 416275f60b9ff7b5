"""What the server reads in the head of a request, and what it refuses there."""

from __future__ import annotations

import pytest

from sandbox.server.http import Limits, Refused
from sandbox.web.http.request_head import HeadError, parse_head
from tests.server.conftest import echo

HOST = "Host: test"


def head(*lines: str) -> bytes:
    return "\r\n".join(lines).encode("latin-1")


def parse(*lines: str, **limits: int):
    return parse_head(head(*lines), Limits(**limits))


def test_fields_keep_case_order_and_repeats():
    parsed = parse("GET / HTTP/1.1", "hOST: a", "X-One: 1", "x-one:2  ", "Accept:\t*/*", "Empty:")

    assert parsed.headers == (("hOST", "a"), ("X-One", "1"), ("x-one", "2"), ("Accept", "*/*"), ("Empty", ""))


@pytest.mark.parametrize(
    ("target", "path", "query"),
    [
        ("/", "/", ""),
        ("/a%20b?c=%20d?e", "/a%20b", "c=%20d?e"),
        ("http://host:80/a?b", "/a", "b"),
        ("HTTPS://host", "/", ""),
        ("http://host?b", "/", "b"),
        ("/\xe9", "/\xe9", ""),
    ],
)
def test_target_is_split_into_path_and_query(target, path, query):
    parsed = parse(f"GET {target} HTTP/1.1", HOST)

    assert (parsed.target, parsed.path, parsed.query) == (target, path, query)


def test_asterisk_is_the_root_for_options():
    assert parse("OPTIONS * HTTP/1.1", HOST).path == "/"


@pytest.mark.parametrize(
    ("protocol", "field", "keep_alive"),
    [
        ("HTTP/1.1", "X: y", True),
        ("HTTP/1.1", "Connection: close", False),
        ("HTTP/1.1", "Connection: TE, Close", False),
        ("HTTP/1.0", "X: y", False),
        ("HTTP/1.0", "Connection: Keep-Alive", True),
    ],
)
def test_connection_persists_as_protocol_and_field_say(protocol, field, keep_alive):
    assert parse(f"GET / {protocol}", HOST, field).keep_alive is keep_alive


def test_later_minor_version_is_spoken_to_as_1_1():
    assert parse("GET / HTTP/1.2", HOST).protocol == "HTTP/1.1"


@pytest.mark.parametrize(
    ("fields", "length", "chunked"),
    [
        ([], 0, False),
        (["Content-Length: 0"], 0, False),
        (["Content-Length: 00012"], 12, False),
        (["Transfer-Encoding: Chunked"], 0, True),
    ],
)
def test_body_is_framed_by_length_or_chunks(fields, length, chunked):
    parsed = parse("POST / HTTP/1.1", HOST, *fields)

    assert (parsed.content_length, parsed.chunked) == (length, chunked)


@pytest.mark.parametrize(
    ("protocol", "length", "expects"), [("HTTP/1.1", 5, True), ("HTTP/1.1", 0, False), ("HTTP/1.0", 5, False)]
)
def test_expectation_counts_only_for_a_body_in_1_1(protocol, length, expects):
    parsed = parse(f"POST / {protocol}", HOST, "Expect: 100-Continue", f"Content-Length: {length}")

    assert parsed.expects_continue is expects


REFUSED = {
    "two hosts": (400, "once", ["GET / HTTP/1.1", HOST, "host: other"]),
    "no host": (400, "Host", ["GET / HTTP/1.1", "X: y"]),
    "two lengths": (400, "once", ["POST / HTTP/1.1", HOST, "Content-Length: 1", "Content-Length: 1"]),
    "list of lengths": (400, "decimal", ["POST / HTTP/1.1", HOST, "Content-Length: 1, 1"]),
    "signed length": (400, "decimal", ["POST / HTTP/1.1", HOST, "Content-Length: +1"]),
    "superscript length": (400, "decimal", ["POST / HTTP/1.1", HOST, "Content-Length: \xb2"]),
    "empty length": (400, "decimal", ["POST / HTTP/1.1", HOST, "Content-Length:"]),
    "endless length": (400, "decimal", ["POST / HTTP/1.1", HOST, "Content-Length: " + "9" * 5000]),
    "two codings": (
        400,
        "once",
        ["POST / HTTP/1.1", HOST, "Transfer-Encoding: chunked", "transfer-encoding: chunked"],
    ),
    "length and coding": (
        400,
        "exclude each other",
        ["POST / HTTP/1.1", HOST, "Content-Length: 1", "Transfer-Encoding: chunked"],
    ),
    "coding in 1.0": (400, "needs HTTP/1.1", ["POST / HTTP/1.0", "Transfer-Encoding: chunked"]),
    "other coding": (501, "chunked", ["POST / HTTP/1.1", HOST, "Transfer-Encoding: gzip, chunked"]),
    "other expectation": (417, "100-continue", ["POST / HTTP/1.1", HOST, "Expect: a-miracle"]),
    "two expectations": (417, "100-continue", ["POST / HTTP/1.1", HOST, "Expect: a-miracle", "Expect: 100-continue"]),
    "folded field": (400, "folded", ["GET / HTTP/1.1", HOST, "X: a", " b"]),
    "field folded with a tab": (400, "folded", ["GET / HTTP/1.1", HOST, "X: a", "\tb: c"]),
    "space before the colon": (400, "Name: value", ["GET / HTTP/1.1", HOST, "X : a"]),
    "no colon": (400, "Name: value", ["GET / HTTP/1.1", HOST, "X"]),
    "no name": (400, "Name: value", ["GET / HTTP/1.1", HOST, ": a"]),
    "bare CR": (400, "bare CR", ["GET / HTTP/1.1", HOST, "X: a\rY: b"]),
    "bare LF": (400, "CR LF", ["GET / HTTP/1.1", HOST, "X: a\nY: b"]),
    "NUL": (400, "NUL", ["GET / HTTP/1.1", HOST, "X: a\0b"]),
    "HTTP/0.9": (400, "METHOD TARGET", ["GET /"]),
    "two spaces": (400, "METHOD TARGET", ["GET  / HTTP/1.1", HOST]),
    "no target": (400, "METHOD TARGET", ["GET  HTTP/1.1", HOST]),
    "no method": (400, "METHOD TARGET", [" / HTTP/1.1", HOST]),
    "method with a bracket": (400, "METHOD TARGET", ["G(T / HTTP/1.1", HOST]),
    "other protocol": (400, "METHOD TARGET", ["GET / ICY/1.1", HOST]),
    "HTTP/2": (505, "HTTP/1.1", ["PRI * HTTP/2.0"]),
    "asterisk for GET": (400, "path", ["GET * HTTP/1.1", HOST]),
    "CONNECT": (400, "path", ["CONNECT host:443 HTTP/1.1", HOST]),
    "tab in the target": (400, "control character", ["GET /a\tb HTTP/1.1", HOST]),
    "long target": (414, "16384", ["GET /" + "a" * 16384 + " HTTP/1.1", HOST]),
    "many fields": (431, "100", ["GET / HTTP/1.1", HOST] + ["X: y"] * 100),
}


@pytest.mark.parametrize("case", REFUSED)
def test_head_is_refused(case):
    status, reason, lines = REFUSED[case]

    with pytest.raises(HeadError) as caught:
        parse(*lines)

    assert caught.value.status == status
    assert reason in caught.value.reason


def test_refusal_is_answered_in_one_line_and_reported(client, seen):
    client.send(b"POST /in?q HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n")
    answer = client.answer()

    assert answer.status == 400
    assert answer.all("Connection") == ["close"]
    assert answer.body == b"Content-Length must be a decimal number.\n"
    assert client.rest() == b""
    assert seen.refused == [
        Refused(
            400,
            "Content-Length must be a decimal number.",
            "127.0.0.1",
            "POST",
            "/in?q",
            (("Host", "a"), ("Content-Length", "x")),
        )
    ]


def test_tls_is_told_to_use_http_and_leaves_no_bytes_of_its_own(client, seen):
    """The beginning of a ClientHello; a whole one seldom has what ends a head, and would be waited for."""
    client.send(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(32))

    assert client.answer().body == b"This port speaks plain HTTP: use http.\n"
    assert seen.refused == [Refused(400, "This port speaks plain HTTP: use http.", "127.0.0.1")]


def test_refusal_of_a_second_request_is_about_that_one(client, seen):
    client.send(b"GET /good HTTP/1.1\r\nHost: a\r\n\r\nGET /bad HTTP/1.1\nHost: a\n\n")

    assert client.answer().status == 200
    assert client.answer().status == 400
    assert [refused.target for refused in seen.refused] == ["/bad"]


def test_environ_has_raw_fields_and_their_cgi_names(serve, connect):
    environs = []

    def app(environ, start_response):
        environs.append(environ)
        return echo(environ, start_response)

    server = serve(app)
    client = connect(server.port)
    client.get(
        "/a%20b%2Fc?d=%20", "X-Twice: 1", "x-twice: 2", "Cookie: a", "cookie: b", "X_Twice: 3", "Content_Length: 9"
    )
    client.answer()

    environ = environs[0]
    assert environ["sandbox.raw_headers"] == (
        ("Host", "test"),
        ("X-Twice", "1"),
        ("x-twice", "2"),
        ("Cookie", "a"),
        ("cookie", "b"),
        ("X_Twice", "3"),
        ("Content_Length", "9"),
    )
    assert environ["HTTP_X_TWICE"] == "1,2"
    assert environ["HTTP_COOKIE"] == "a; b"
    assert "CONTENT_LENGTH" not in environ
    assert environ["PATH_INFO"] == "/a b/c"
    assert environ["QUERY_STRING"] == "d=%20"
    assert environ["RAW_URI"] == "/a%20b%2Fc?d=%20"
    assert environ["REMOTE_ADDR"] == "127.0.0.1"
    assert environ["REMOTE_PORT"] == str(client.sock.getsockname()[1])
    assert environ["SERVER_PORT"] == str(server.port)
    assert environ["wsgi.input_terminated"] is True
    assert environ["wsgi.url_scheme"] == "http"


@pytest.mark.parametrize(
    ("sent", "refused"),
    [
        (b"GET /" + b"a" * 17_000, (414, "GET", "/" + "a" * 16_383)),
        (b"GET / HTTP/1.1\r\nX: " + b"a" * 70_000, (431, "GET", "/")),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 65_536 + b"\r\n\r\n", (431, "GET", "/")),
        (b"GET / HTTP/1.1\nHost: a\n\n", (400, "GET", "/")),
        (b"A" * 20_000, (414, "A" * 64, "")),
    ],
    ids=["endless target", "endless head", "whole head too long", "bare line feeds", "endless method"],
)
def test_oversized_or_broken_head_is_refused_before_its_end(client, seen, sent, refused):
    client.send(sent)

    assert client.answer().status == refused[0]
    assert [(one.status, one.method, one.target) for one in seen.refused] == [refused]


def test_one_megabyte_of_header_gets_to_read_its_431(client):
    client.send(b"GET / HTTP/1.1\r\nHost: a\r\nX: ")
    for _ in range(16):
        client.send(b"a" * 65_536)

    assert client.answer().status == 431
    assert client.rest() == b""


WHOLE = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nrest"


@pytest.mark.parametrize("cut", range(1, len(WHOLE)))
def test_head_is_found_wherever_it_is_cut(client, cut):
    client.send(WHOLE[:cut])
    client.send(WHOLE[cut:])

    assert client.answer().body == b"rest"


def test_head_may_come_byte_by_byte(client):
    for byte in b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nok":
        client.send(bytes([byte]))

    assert client.answer().body == b"ok"


def test_line_breaks_before_a_request_are_skipped(client):
    client.send(b"\r\n")
    client.send(b"\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n")

    assert client.answer().status == 200


def test_client_that_ends_in_the_middle_of_a_head_is_reported(client, seen):
    client.send(b"GET /half HTTP/1.1\r\nHost: a\r\nX-Whole: 1\r\nX-Ha")
    client.sock.shutdown(1)

    assert client.answer().status == 400
    assert seen.refused[0].target == "/half"
    assert ("X-Whole", "1") in seen.refused[0].headers
