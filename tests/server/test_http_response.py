"""What is written for what a WSGI application says."""

from __future__ import annotations

import pytest

from sandbox.web.http.response import ResponseError
from tests.server.conftest import eventually


def answering(*parts, status="200 OK", headers=()):
    def app(environ, start_response):
        start_response(status, list(headers))
        return list(parts)

    return app


def streaming(*parts, headers=()):
    def app(environ, start_response):
        start_response("200 OK", list(headers))
        yield from parts

    return app


@pytest.mark.parametrize("parts", [(), (b"",), (b"hello",)])
def test_length_of_a_body_in_one_part_is_told(serve, connect, parts):
    client = connect(serve(answering(*parts)).port)
    client.get()
    answer = client.answer()

    assert answer.all("Content-Length") == [str(len(b"".join(parts)))]
    assert answer.all("Connection") == []
    assert answer.body == b"".join(parts)


def test_body_in_parts_is_sent_in_chunks(serve, connect):
    client = connect(serve(streaming(b"one", b"", b"two")).port)
    client.get()
    answer = client.answer()
    client.get()

    assert answer.all("Transfer-Encoding") == ["chunked"]
    assert answer.body == b"onetwo"
    assert client.answer().body == b"onetwo"


def test_empty_stream_has_length_0(serve, connect):
    client = connect(serve(streaming()).port)
    client.get()

    assert client.answer().all("Content-Length") == ["0"]


def test_body_in_parts_ends_the_connection_in_1_0(serve, connect):
    client = connect(serve(streaming(b"one", b"two")).port)
    client.send(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
    answer = client.answer()

    assert answer.body == b"onetwo"
    assert answer.all("Connection") == ["close"]


def test_keep_alive_is_told_in_1_0(serve, connect):
    client = connect(serve(answering(b"one")).port)
    client.send(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
    assert client.answer().all("Connection") == ["keep-alive"]
    client.send(b"GET / HTTP/1.0\r\n\r\n")

    assert client.answer().all("Connection") == ["close"]
    assert client.rest() == b""


def test_close_of_the_client_is_obeyed(serve, connect):
    client = connect(serve(answering(b"one")).port)
    client.get("/", "Connection: close")

    assert client.answer().all("Connection") == ["close"]
    assert client.rest() == b""


def test_close_of_the_application_is_obeyed_and_not_repeated(serve, connect):
    client = connect(serve(answering(b"one", headers=[("connection", "close")])).port)
    client.get()

    assert client.answer().all("Connection") == ["close"]
    assert client.rest() == b""


def test_headers_of_the_application_are_written_as_they_are_and_not_repeated(serve, connect):
    given = [("dAtE", "yesterday"), ("content-length", "3"), ("Set-Cookie", "a"), ("Set-Cookie", "b"), ("X-L", "\xe9")]
    client = connect(serve(answering(b"one", headers=given)).port)
    client.get()

    assert client.answer().headers == given


def test_date_is_added(serve, connect):
    client = connect(serve(answering(b"one")).port)
    client.get()

    assert [len(date) for date in client.answer().all("Date")] == [29]


@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified"])
def test_status_without_a_body_has_none(serve, connect, status):
    client = connect(serve(answering(b"ignored", status=status)).port)
    for _ in range(2):
        client.get()
        answer = client.answer()
        assert answer.status == int(status[:3])
        assert answer.all("Content-Length") == []


def test_head_has_the_length_but_no_body(serve, connect):
    client = connect(serve(answering(b"hello", headers=[("Content-Length", "5")])).port)
    for _ in range(2):
        client.send(b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert client.answer("HEAD").all("Content-Length") == ["5"]


def test_large_body_is_written_whole_to_a_slow_reader(serve, connect):
    body = b"x" * 20_000_000
    client = connect(serve(answering(body)).port)
    client.get()

    assert client.answer().body == body


def test_client_that_takes_no_answer_frees_the_worker(serve, connect, quick, seen):
    closed = []

    def endless():
        try:
            while True:
                yield b"x" * 1_000_000
        finally:
            closed.append(True)

    def app(environ, start_response):
        start_response("200 OK", [])
        return endless() if environ["PATH_INFO"] == "/endless" else [b"two"]

    server = serve(app, limits=quick, threads=1)
    connect(server.port).get("/endless")
    eventually(lambda: closed == [True])
    client = connect(server.port)
    client.get()

    assert client.answer().body == b"two"
    assert not seen.errors


def test_own_framing_is_passed_through_and_ends_the_connection(serve, connect):
    client = connect(serve(answering(b"3\r\none\r\n0\r\n\r\n", headers=[("Transfer-Encoding", "chunked")])).port)
    client.get()
    answer = client.answer()

    assert answer.all("Transfer-Encoding") == ["chunked"]
    assert answer.all("Content-Length") == []
    assert answer.body == b"one"
    assert client.rest() == b""


def test_write_callable_writes(serve, connect):
    def app(environ, start_response):
        write = start_response("200 OK", [])
        write(b"one")
        write(b"")
        return [b"two"]

    client = connect(serve(app).port)
    client.get()

    assert client.answer().body == b"onetwo"


def test_surplus_is_cut_at_the_content_length(serve, connect):
    client = connect(serve(streaming(b"one", b"two", b"three", headers=[("Content-Length", "4")])).port)
    for _ in range(2):
        client.get()
        assert client.answer().body == b"onet"


def test_body_short_of_its_content_length_is_reported_and_ends_the_connection(serve, connect, seen):
    client = connect(serve(answering(b"one", headers=[("Content-Length", "5")])).port)
    client.get()

    assert client.answer().body == b"one"
    assert [str(error) for error in seen.errors] == ["The body ended 2 bytes before its Content-Length."]


class Interrupt(BaseException):
    pass


@pytest.mark.parametrize("error", [ValueError("broken"), SystemExit(3), KeyboardInterrupt(), Interrupt()])
def test_exception_becomes_a_500_and_the_connection_lives_on(serve, connect, seen, error):
    def app(environ, start_response):
        start_response("200 OK", [("X-Half", "done")])
        raise error

    client = connect(serve(app, threads=1).port)
    for _ in range(3):
        client.post(b"unread")
        answer = client.answer()
        assert answer.status == 500
        assert answer.body == b"Internal Server Error\n"
        assert answer.all("X-Half") == []
    assert seen.errors == [error] * 3


def test_exception_in_mid_answer_breaks_it_off(serve, connect, seen):
    def app(environ, start_response):
        start_response("200 OK", [])
        yield b"one"
        raise ValueError("broken")

    client = connect(serve(app).port)
    client.get()

    assert client.rest().endswith(b"\r\n3\r\none\r\n")
    assert [str(error) for error in seen.errors] == ["broken"]


BROKEN = {
    "line break in a value": ("200 OK", [("X", "a\r\nY: b")]),
    "line feed in a value": ("200 OK", [("X", "a\nY: b")]),
    "NUL in a value": ("200 OK", [("X", "a\0b")]),
    "value beyond Latin-1": ("200 OK", [("X", "\u20ac")]),
    "value that is no text": ("200 OK", [("X", 5)]),
    "space in a name": ("200 OK", [("X Y", "a")]),
    "empty name": ("200 OK", [("", "a")]),
    "name that is no text": ("200 OK", [(b"X", "a")]),
    "length that is no number": ("200 OK", [("Content-Length", "-1")]),
    "status without a reason": ("200", []),
    "status with a line break": ("200 OK\r\nX: y", []),
    "status that is no text": (200, []),
}


@pytest.mark.parametrize("case", BROKEN)
def test_head_that_may_not_be_written_becomes_a_500(serve, connect, seen, case):
    status, headers = BROKEN[case]
    client = connect(serve(answering(b"one", status=status, headers=headers)).port)
    client.get()
    answer = client.answer()

    assert answer.status == 500
    assert answer.all("X") == answer.all("Y") == []
    assert [type(error) for error in seen.errors] == [ResponseError]


def silent(environ, start_response):
    return [b"one"]


def twice(environ, start_response):
    start_response("200 OK", [])
    start_response("200 OK", [])
    return [b"one"]


@pytest.mark.parametrize("app", [silent, twice, answering("text")])
def test_broken_wsgi_becomes_a_500(serve, connect, seen, app):
    client = connect(serve(app).port)
    client.get()

    assert client.answer().status == 500
    assert [type(error) for error in seen.errors] == [ResponseError]


def test_status_may_be_replaced_until_it_is_sent(serve, connect):
    def app(environ, start_response):
        start_response("200 OK", [("X", "first")])
        start_response("503 Service Unavailable", [], (None, None, None))
        return [b"two"]

    client = connect(serve(app).port)
    client.get()
    answer = client.answer()

    assert (answer.status, answer.all("X")) == (503, [])


def test_status_cannot_be_replaced_once_it_is_sent(serve, connect, seen):
    error = ValueError("too late")

    def app(environ, start_response):
        start_response("200 OK", [])
        yield b"one"
        start_response("500 Oh", [], (ValueError, error, None))

    client = connect(serve(app).port)
    client.get()
    client.rest()

    assert seen.errors == [error]


class Parts(list):
    def __init__(self, parts, error=None):
        super().__init__(parts)
        self.closed = 0
        self.error = error

    def close(self):
        self.closed += 1
        if self.error:
            raise self.error


def test_answer_is_closed_whatever_happens(serve, connect, seen):
    parts = Parts([b"one"], ValueError("at the close"))

    def app(environ, start_response):
        start_response("200 OK", [])
        return parts

    client = connect(serve(app).port)
    for _ in range(2):
        client.get()
        assert client.answer().body == b"one"
    client.get("/", "Connection: close")
    client.rest()

    assert parts.closed == 3
    assert [str(error) for error in seen.errors] == ["at the close"] * 3


def test_pipelined_requests_are_answered_in_order(serve, connect):
    def app(environ, start_response):
        start_response("200 OK", [])
        return [environ["PATH_INFO"].encode() + environ["wsgi.input"].read()]

    client = connect(serve(app, threads=1).port)
    client.send(b"".join(b"POST /%d HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx" % n for n in range(100)))

    assert [client.answer().body for _ in range(100)] == [b"/%dx" % n for n in range(100)]
