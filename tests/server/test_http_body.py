"""Request bodies: how they are read, and how they fail."""

from __future__ import annotations

import contextlib
import gc
import socket
import threading
import weakref

import pytest

from sandbox.server.http import Limits
from tests.server.conftest import PATIENCE_S, attended_to, echo, eventually

CHUNKED = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"


def reading(*sizes):
    """An application that reads in pieces of `sizes` and answers with what it got."""

    def app(environ, start_response):
        parts = [environ["wsgi.input"].read(size) for size in sizes]
        start_response("200 OK", [])
        return [b"|".join(parts)]

    return app


def telling(failures):
    """An application that reads twice, notes the errors that it gets and answers with the first."""

    def app(environ, start_response):
        for _ in range(2):
            with pytest.raises((OSError, ValueError)) as caught:
                environ["wsgi.input"].read()
            failures.append(caught.value)
        start_response("400 Bad Request", [])
        return [str(failures[0]).encode()]

    return app


@pytest.mark.parametrize("size", [0, 1, 1000, 65_535, 65_536, 300_000, 5_000_000])
def test_body_of_a_length_comes_back_whole(client, size):
    body = bytes(range(256)) * (size // 256 + 1)
    client.post(body[:size])

    assert client.answer().body == body[:size]


@pytest.mark.parametrize("sizes", [[3, 5, 100], [None], [0, -1], [100], [10, 5]])
def test_body_is_read_in_pieces_up_to_its_end(serve, connect, sizes):
    client = connect(serve(reading(*sizes)).port)
    client.post(b"0123456789")
    client.get()

    whole = client.answer().body
    assert whole.replace(b"|", b"") == b"0123456789"
    assert client.answer().status == 200


def test_body_is_read_in_large_pieces(serve, connect):
    client = connect(serve(reading(200_000, 200_000)).port)
    client.post(b"x" * 300_000)

    assert client.answer().body == b"x" * 200_000 + b"|" + b"x" * 100_000


def test_body_reads_like_a_file(serve, connect):
    def app(environ, start_response):
        stream = environ["wsgi.input"]
        assert stream.readable()
        into = bytearray(2)
        parts = [stream.readline(), bytes(into[: stream.readinto(into)]), stream.read1(), stream.read1(5), *stream]
        start_response("200 OK", [])
        return [repr(parts).encode()]

    client = connect(serve(app).port)
    client.post(b"one\ntwo\nthree")

    assert client.answer().body == b"[b'one\\n', b'tw', b'o\\nthree', b'']"


@pytest.mark.parametrize(
    "chunks",
    [
        b"0\r\n\r\n",
        b"5\r\nhello\r\n0\r\n\r\n",
        b"2;name=value\r\nhe\r\n3 \r\nllo\r\n0\r\nTrailer: dropped\r\n\r\n",
        b"A\r\n0123456789\r\n000f\r\n0123456789abcde\r\n0\r\n\r\n",
    ],
)
def test_chunks_are_joined_and_the_connection_lives_on(client, chunks):
    client.send(CHUNKED + chunks)
    body = client.answer().body
    client.post(b"next")

    assert body in {b"", b"hello", b"01234567890123456789abcde"}
    assert client.answer().body == b"next"


def test_chunks_may_come_byte_by_byte(client):
    client.send(CHUNKED)
    for byte in b"5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n":
        client.send(bytes([byte]))

    assert client.answer().body == b"hello!"


def test_many_tiny_chunks_come_back_whole(client):
    client.send(CHUNKED + b"1\r\nx\r\n" * 20_000 + b"0\r\n\r\n")

    assert client.answer().body == b"x" * 20_000


def test_large_chunked_body_comes_back_whole(client):
    client.send(CHUNKED)
    for _ in range(50):
        client.send(b"11170\r\n" + b"x" * 0x11170 + b"\r\n")
    client.send(b"0\r\n\r\n")

    assert client.answer().body == b"x" * 0x11170 * 50


@pytest.mark.parametrize(
    ("chunks", "message"),
    [
        (b"x\r\n", "does not begin with its size"),
        (b"\r\n", "does not begin with its size"),
        (b"-1\r\n", "does not begin with its size"),
        (b"1" * 5000, "longer than"),
        (b"2\r\nabc\r\n", "longer than its size"),
        (b"0\r\n" + (b"X: " + b"y" * 4000 + b"\r\n") * 20, "trailer"),
    ],
)
def test_malformed_chunk_raises_value_error_again_and_again(serve, connect, chunks, message):
    failures = []
    client = connect(serve(telling(failures)).port)
    client.send(CHUNKED + chunks)
    answer = client.answer()

    assert answer.status == 400
    assert answer.all("Connection") == ["close"]
    assert [type(failure) for failure in failures] == [ValueError, ValueError]
    assert message in str(failures[0])
    assert client.rest() == b""


SIZED = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n"


@pytest.mark.parametrize(
    "begun",
    [
        (SIZED, b"12345"),
        (CHUNKED, b"5\r\nhel"),
        (CHUNKED, b"5\r\nhello\r\n"),
        (CHUNKED, b"5\r\nhello\r"),
        (CHUNKED, b""),
    ],
    ids=["length", "in a chunk", "between chunks", "after a chunk", "before a chunk"],
)
@pytest.mark.parametrize("how", ["end", "reset"])
def test_vanished_sender_raises_connection_error(serve, connect, seen, begun, how):
    head, sent = begun
    failures = []
    client = connect(serve(telling(failures)).port)
    client.send(head.replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n"))
    assert client.line() == b"HTTP/1.1 100 Continue\r\n"  # the server has seen the head: a reset cannot overtake it
    client.send(sent)
    if how == "end":
        client.sock.shutdown(1)
    else:
        client.abort()

    eventually(lambda: len(failures) == 2)
    assert all(isinstance(failure, ConnectionError) for failure in failures)
    assert not seen.errors


def test_slow_body_raises_timeout_error_and_can_be_answered(serve, connect, quick):
    failures = []
    client = connect(serve(telling(failures), limits=quick).port)
    client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n12345")
    answer = client.answer()

    assert answer.status == 400
    assert answer.body == b"The request body was not complete after 0.05 seconds."
    assert [type(failure) for failure in failures] == [TimeoutError, TimeoutError]
    assert client.rest() == b""


def test_trickling_body_has_one_deadline_as_a_whole(serve, connect):
    failures = []
    client = connect(serve(telling(failures), limits=Limits(body_timeout_s=0.1)).port)
    client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n")
    for answered in client.trickle(b"x"):
        assert answered == b"HTTP/1.1 400"

    assert type(failures[0]) is TimeoutError


def test_continue_is_sent_when_the_body_is_waited_for(serve, connect):
    client = connect(serve(echo).port)
    client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")

    assert client.line() == b"HTTP/1.1 100 Continue\r\n"
    assert client.line() == b"\r\n"
    client.send(b"hello")
    assert client.answer().body == b"hello"


def test_continue_is_not_sent_for_a_body_that_is_too_large(serve, connect):
    client = connect(serve(reading(), body_limit=4).port)
    client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
    answer = client.answer()

    assert answer.status == 200
    assert answer.all("Connection") == ["close"]
    assert client.rest() == b""


def test_continue_waits_for_the_answer_before_it(serve, connect):
    go_on = threading.Event()

    def app(environ, start_response):
        assert go_on.wait(PATIENCE_S)
        return echo(environ, start_response)

    client = connect(serve(app).port)
    client.post(b"first")
    client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\nExpect: 100-continue\r\n\r\n")
    go_on.set()

    assert client.answer().body == b"first"
    assert client.line() + client.line() == b"HTTP/1.1 100 Continue\r\n\r\n"
    client.send(b"second")
    assert client.answer().body == b"second"


def test_continue_is_not_sent_when_the_body_is_here_already(client):
    client.post(b"hello", "Expect: 100-continue")

    assert client.answer().body == b"hello"


def test_body_cannot_be_read_when_its_request_is_over(serve, connect):
    bodies = []

    def app(environ, start_response):
        bodies.append(environ["wsgi.input"])
        start_response("200 OK", [])
        return []

    client = connect(serve(app).port)
    client.post(b"unread")
    client.answer()
    client.get()
    client.answer()

    with pytest.raises(ValueError, match="closed"):
        bodies[0].read()


def test_unread_body_is_skipped_and_the_connection_lives_on(serve, connect):
    client = connect(serve(reading()).port)
    for _ in range(3):
        client.post(b"x" * 1_000_000)
        assert client.answer().status == 200


def test_application_is_called_once_the_body_is_whole(serve, connect):
    called = threading.Event()

    def app(environ, start_response):
        called.set()
        return echo(environ, start_response)

    server = serve(app)
    client = connect(server.port)
    client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n12345")
    attended_to(server)
    assert not called.is_set()
    client.send(b"67890")

    assert client.answer().body == b"1234567890"


@pytest.mark.parametrize(
    "head",
    [CHUNKED + b"11170\r\n", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\n"],
    ids=["in chunks", "sized"],
)
def test_body_that_is_too_large_is_answered_before_it_comes_and_ends_the_connection_but_not_with_a_reset(
    serve, connect, head
):
    client = connect(serve(reading(), body_limit=65_536).port)
    client.send(head)
    assert client.line() == b"HTTP/1.1 200 OK\r\n"
    for _ in range(20):
        client.send(b"x" * 65_536)

    assert b"\r\nConnection: close\r\n" in client.rest()


def test_body_that_is_too_large_cannot_be_read(serve, connect):
    failures = []

    def app(environ, start_response):
        try:
            environ["wsgi.input"].read()
        except ValueError as error:
            failures.append(str(error))
        start_response("413 Content Too Large", [])
        return []

    client = connect(serve(app, body_limit=4).port)
    client.post(b"12345")

    assert client.answer().status == 413
    assert failures == ["The request body is larger than 4 bytes."]


def test_endless_sender_is_cut_off_in_the_end(serve, connect):
    client = connect(serve(reading(), body_limit=1, limits=Limits(discarded_bytes=1_000_000)).port)
    client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\n")

    with pytest.raises(ConnectionError):
        client.send(b"x" * 65_000_000)


def test_body_that_broke_off_leaves_nothing_for_the_collector(serve, connect):
    held = []

    def app(environ, start_response):
        environ["test.held"] = thing = threading.Event()
        held.append(weakref.ref(thing))
        with contextlib.suppress(ConnectionError):
            environ["wsgi.input"].read()
        start_response("400 Bad Request", [])
        return []

    client = connect(serve(app).port)
    gc.collect()
    gc.disable()
    try:
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf")
        client.sock.shutdown(socket.SHUT_WR)

        eventually(lambda: held and held[0]() is None)
    finally:
        gc.enable()
