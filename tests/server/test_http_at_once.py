"""Requests that the selecting thread serves itself: what it leaves to workers, and what clients must not notice."""

from __future__ import annotations

import contextlib
import socket
import threading

import pytest

from sandbox.server.http import Limits
from sandbox.server.sandbox_server import _is_at_once
from tests.server.conftest import PATIENCE_S, echo, eventually, open_connections

POST = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n"


def naming_thread(environ, start_response):
    """Answer with the name of the thread that serves, in the reason phrase, and with the body."""
    name = threading.current_thread().name.rstrip("-0123456789")
    body = environ["wsgi.input"].read()
    start_response(f"200 {name}", [("Content-Length", str(len(body)))])
    return [body]


def thread_of(client):
    line = client.line().decode().rstrip()
    length = 0
    while field := client.line().strip().lower():
        if field.startswith(b"content-length:"):
            length = int(field.split()[1])
    return line.removeprefix("HTTP/1.1 200 "), client._file.read(length)


@pytest.fixture
def client(serve, connect):
    return connect(serve(naming_thread, at_once=lambda method, path: path != "/slow").port)


@pytest.mark.parametrize(
    ("request_", "body"),
    [
        (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b""),
        (POST + b"0123456789", b"0123456789"),
    ],
    ids=["no body", "body"],
)
def test_whole_request_needs_no_change_of_threads(client, request_, body):
    for _ in range(3):
        client.send(request_)

        assert thread_of(client) == ("http-accept", body)


def test_body_may_come_in_pieces(client):
    client.send(POST + b"01234")
    client.send(b"567")
    client.send(b"89")

    assert thread_of(client) == ("http-accept", b"0123456789")


def test_head_may_come_in_pieces(client):
    client.send(POST[:20])
    client.send(POST[20:])
    client.send(b"0123456789")

    assert thread_of(client) == ("http-accept", b"0123456789")


def test_trickling_head_has_one_deadline_as_a_whole(serve, connect):
    client = connect(serve(echo, at_once=lambda method, path: True, limits=Limits(head_timeout_s=0.1)).port)
    client.send(b"GET / HTTP/1.1\r\nX: ")
    for answered in client.trickle(b"x"):
        assert answered == b"HTTP/1.1 408"


def test_client_that_is_gone_before_its_answer_costs_only_itself(serve, connect, seen):
    gone = threading.Event()

    def app(environ, start_response):
        assert gone.wait(PATIENCE_S)
        return echo(environ, start_response)

    server = serve(app, at_once=lambda method, path: True)
    client = connect(server.port)
    client.get()
    client.abort()
    gone.set()

    eventually(lambda: open_connections(server) == 0)
    assert not seen.errors


@pytest.mark.parametrize(
    ("request_", "body"),
    [
        (b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n", b""),
        (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n", b"ab"),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 70000\r\n\r\n" + b"x" * 70_000, b"x" * 70_000),
    ],
    ids=["not at once", "chunked", "large"],
)
def test_what_may_keep_others_waiting_is_left_to_a_worker(client, request_, body):
    client.send(request_)

    assert thread_of(client) == ("http-worker", body)


def test_greeting_is_left_to_a_worker(client):
    client.send(b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
    assert client.line() + client.line() == b"HTTP/1.1 100 Continue\r\n\r\n"
    client.send(b"ab")

    assert thread_of(client) == ("http-worker", b"ab")


def test_requests_that_do_not_await_their_answers_are_left_to_a_worker(client):
    client.send((POST + b"0123456789") * 3)

    assert [thread_of(client) for _ in range(3)] == [("http-worker", b"0123456789")] * 3


def test_connection_serves_at_once_again_after_a_worker_had_it(client):
    client.send(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
    thread_of(client)

    def served_at_once():
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        return thread_of(client)[0] == "http-accept"

    eventually(served_at_once)  # as long as the worker lingers, it is the worker's


def test_half_sent_bodies_hold_no_worker(serve, connect):
    server = serve(echo, at_once=lambda method, path: path == "/", threads=1)
    for _ in range(8):
        connect(server.port).send(POST + b"half")
    other = connect(server.port)
    other.get("/slow")

    assert other.answer().status == 200


def test_body_that_does_not_come_in_time_is_the_applications_to_answer(serve, connect):
    failures = []

    def app(environ, start_response):
        try:
            environ["wsgi.input"].read()
        except TimeoutError as error:
            failures.append(error)
        start_response("408 Request Timeout", [("Content-Length", "0")])
        return []

    limits = Limits(head_timeout_s=0.05, body_timeout_s=0.05, keep_alive_s=0.05)
    client = connect(serve(app, at_once=lambda method, path: True, limits=limits).port)
    client.send(POST + b"half")

    assert client.answer().status == 408
    assert str(failures[0]) == "The request body was not complete after 0.05 seconds."
    assert client.rest() == b""


@pytest.mark.parametrize("how", ["end", "reset"])
def test_sender_that_vanishes_within_the_body_is_told_to_the_application(serve, connect, seen, how):
    failures = []

    def app(environ, start_response):
        try:
            environ["wsgi.input"].read()
        except ConnectionError as error:
            failures.append(error)
        start_response("400 Bad Request", [("Content-Length", "0")])
        return []

    client = connect(serve(app, at_once=lambda method, path: True).port)
    client.send(POST + b"half")
    if how == "end":
        client.sock.shutdown(socket.SHUT_WR)
    else:
        client.abort()

    eventually(lambda: bool(failures))
    assert not seen.errors


def test_sender_that_vanishes_between_requests_is_forgotten(serve, connect, seen):
    server = serve(echo, at_once=lambda method, path: True)
    client = connect(server.port)
    client.get()
    client.answer()
    client.abort()

    eventually(lambda: open_connections(server) == 0)
    assert not seen.errors


def test_answer_that_nobody_takes_keeps_nobody_else_waiting(serve, connect):
    size = 32 * 1024 * 1024

    def app(environ, start_response):
        length = size if environ["PATH_INFO"] == "/large" else 2
        start_response("200 OK", [("Content-Length", str(length))])
        return [b"x" * length]

    server = serve(app, at_once=lambda method, path: True)
    greedy, other = connect(server.port), connect(server.port)
    greedy.get("/large")
    other.get()

    assert other.answer().body == b"xx"
    assert len(greedy.answer().body) == size
    greedy.get()
    assert greedy.answer().body == b"xx"


def test_large_answer_in_parts_arrives_whole_and_ends_as_it_should(serve, connect):
    part = b"x" * 4_000_000

    def app(environ, start_response):
        start_response("200 OK", [("Connection", "close"), ("Content-Length", str(5 * len(part)))])
        return [part] * 5

    client = connect(serve(app, at_once=lambda method, path: True).port)
    client.get()

    assert client.answer().body == part * 5
    assert client.rest() == b""


def test_client_that_goes_away_before_it_has_all_costs_only_itself(serve, connect, seen):
    def app(environ, start_response):
        start_response("200 OK", [("Content-Length", "64000000")])
        return [b"x" * 64_000_000]

    server = serve(app, at_once=lambda method, path: True)
    client = connect(server.port)
    client.get()
    client.line()
    client.abort()

    eventually(lambda: open_connections(server) == 0)
    assert not seen.errors


@pytest.mark.parametrize("end", ["reset", "close"])
def test_connection_can_be_ended_by_the_application(serve, connect, end):
    def app(environ, start_response):
        getattr(environ["sandbox.connection"], end)()
        return []

    client = connect(serve(app, at_once=lambda method, path: True).port)
    client.get()

    if end == "close":
        assert client.rest() == b""
    else:
        with pytest.raises(ConnectionResetError):
            client.rest()


def test_connection_can_be_detached(serve, connect):
    taken = []

    def app(environ, start_response):
        taken.append(environ["sandbox.connection"].detach())
        return []

    client = connect(serve(app, at_once=lambda method, path: True).port)
    client.get()
    eventually(lambda: bool(taken))
    with taken[0] as sock:
        client.send(b"more")
        assert sock.recv(4) == b"more"
        sock.sendall(b"to you\n")

    assert client.line() == b"to you\n"


def test_failing_application_is_reported_and_answered(serve, connect, seen):
    client = connect(serve(lambda *_: 1 / 0, at_once=lambda method, path: True).port)
    client.get()

    assert client.answer().status == 500
    assert isinstance(seen.errors[0], ZeroDivisionError)


def test_bad_head_is_refused_and_the_client_gets_to_read_it(serve, connect, seen):
    client = connect(serve(echo, at_once=lambda method, path: True).port)
    client.send(b"GET /\r\n\r\n")

    assert client.line().startswith(b"HTTP/1.1 400 ")
    assert client.rest()
    assert [refused.status for refused in seen.refused] == [400]


def test_defect_of_the_server_itself_costs_one_connection(serve, connect, monkeypatch, seen):
    server = serve(echo, at_once=lambda method, path: True)
    client, other = connect(server.port), connect(server.port)
    with monkeypatch.context() as patch:
        patch.setattr("sandbox.server.channel.parse_head", lambda *_: 1 / 0)
        client.get()
        assert client.rest() == b""
    other.get()

    assert other.answer().status == 200
    assert isinstance(seen.errors[0], ZeroDivisionError)


def test_stop_waits_for_no_client(serve, connect):
    server = serve(echo, at_once=lambda method, path: True)
    client = connect(server.port)
    client.send(POST + b"half")
    stopped = threading.Thread(target=server.stop)
    stopped.start()
    stopped.join(PATIENCE_S)

    assert not stopped.is_alive()
    with contextlib.suppress(ConnectionResetError):  # what was sent and never read becomes a reset
        assert client.rest() == b""


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("POST", "/oauth/token", True),
        ("POST", "/v1/acme/orders", True),
        ("GET", "/oauth/token", False),  # is routed by Flask
        ("POST", "/_sandbox/reset", False),
        ("POST", "/%5fsandbox/reset", False),
    ],
)
def test_sandbox_serves_at_once_what_is_sent_all_day(method, path, expected):
    assert _is_at_once(method, path) is expected
