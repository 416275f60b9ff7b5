"""What an application may do to its connection, and that the server survives it."""

from __future__ import annotations

import queue
import socket
import threading

import pytest

from sandbox.server.wire import Wire
from tests.server.conftest import PATIENCE_S, Client, eventually, open_connections, open_descriptors


def doing(action, taken=None):
    """An application that does `action` to the connection on `/do` and answers everything else."""

    def app(environ, start_response):
        if environ["PATH_INFO"] == "/do":
            result = getattr(environ["sandbox.connection"], action)()
            if taken is not None:
                taken.put(result)
            return []
        start_response("200 OK", [])
        return [b"alive"]

    return app


def is_alive(port):
    with Client(port) as client:
        client.get()
        return client.answer().body == b"alive"


def test_reset_reaches_the_client_as_a_reset(serve, connect):
    server = serve(doing("reset"))
    client = connect(server.port)
    client.get("/do")

    with pytest.raises(ConnectionResetError):
        client.rest()
    assert is_alive(server.port)


def test_close_reaches_the_client_as_a_clean_end(serve, connect):
    server = serve(doing("close"))
    client = connect(server.port)
    client.get("/do")

    assert client.rest() == b""
    assert is_alive(server.port)


def test_close_is_clean_even_with_an_unread_body(serve, connect):
    server = serve(doing("close"))
    client = connect(server.port)
    client.send(b"POST /do HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 1_000_000)

    assert client.rest() == b""


def test_detached_socket_belongs_to_the_application(serve, connect, seen):
    taken = queue.Queue()
    server = serve(doing("detach", taken), threads=1)
    client = connect(server.port)
    client.get("/do")

    with taken.get(timeout=PATIENCE_S) as sock:
        assert is_alive(server.port)
        server.stop()
        assert sock.gettimeout() is None
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        sock.sendall(b"by hand")
        client.send(b"back")
        assert sock.recv(100) == b"back"
    assert client.rest() == b"by hand"
    assert not seen.errors


@pytest.mark.parametrize(("action", "ending"), [("reset", ConnectionResetError), ("close", None), ("detach", None)])
def test_answer_can_be_cut_in_the_middle(serve, connect, seen, action, ending):
    go_on = threading.Event()
    taken = []

    def app(environ, start_response):
        start_response("200 OK", [("Content-Length", "10")])
        yield b"half"
        assert go_on.wait(PATIENCE_S)
        taken.append(getattr(environ["sandbox.connection"], action)())
        yield b"ignored"

    client = connect(serve(app).port)
    client.get()
    while client.line().strip():
        pass
    assert client._file.read(4) == b"half"
    go_on.set()

    if action == "detach":
        eventually(lambda: bool(taken))
        taken[0].close()
    if ending:
        with pytest.raises(ending):
            client.rest()
    else:
        assert client.rest() == b""
    assert not seen.errors


def test_answer_that_ends_short_after_a_close_is_no_error(serve, connect, seen):
    def app(environ, start_response):
        start_response("200 OK", [("Content-Length", "10")])
        yield b"half"
        environ["sandbox.connection"].close()

    client = connect(serve(app).port)
    client.get()

    assert client.rest().endswith(b"\r\n\r\nhalf")
    assert not seen.errors


@pytest.mark.parametrize("action", ["reset", "close", "detach"])
def test_whatever_is_returned_after_taking_over_is_ignored_but_closed(serve, connect, seen, action):
    closed = threading.Event()
    taken = []

    class Parts(list):
        def close(self):
            closed.set()

    def app(environ, start_response):
        start_response("200 OK", [])
        connection = environ["sandbox.connection"]
        assert not connection.aborted
        taken.append(getattr(connection, action)())
        assert connection.aborted
        return Parts([b"ignored"])

    client = connect(serve(app).port)
    client.get()
    assert closed.wait(PATIENCE_S)
    if action == "detach":
        taken[0].close()

    if action == "reset":
        with pytest.raises(ConnectionResetError):
            client.rest()
    else:
        assert client.rest() == b""
    assert not seen.errors


def test_error_after_taking_over_is_reported_and_not_answered(serve, connect, seen):
    def app(environ, start_response):
        environ["sandbox.connection"].close()
        raise ValueError("afterwards")

    client = connect(serve(app).port)
    client.get()

    assert client.rest() == b""
    eventually(lambda: [str(error) for error in seen.errors] == ["afterwards"])


def test_connection_can_be_taken_only_once_and_only_while_it_answers(serve, connect):
    connections = []

    def app(environ, start_response):
        connections.append(environ["sandbox.connection"])
        if environ["PATH_INFO"] == "/do":
            connections[-1].close()
            with pytest.raises(RuntimeError, match="taken over already"):
                connections[-1].reset()
        start_response("200 OK", [])
        return []

    client = connect(serve(app).port)
    client.get()
    client.answer()
    client.get()
    client.answer()
    with pytest.raises(RuntimeError, match="answer is complete"):
        connections[0].reset()
    assert not connections[0].aborted
    client.get("/do")
    assert client.rest() == b""


def test_body_of_a_connection_that_is_gone_cannot_be_read(serve, connect, seen):
    def app(environ, start_response):
        environ["sandbox.connection"].reset()
        environ["wsgi.input"].read()

    client = connect(serve(app).port)
    client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n")

    with pytest.raises(ConnectionResetError):
        client.rest()
    eventually(lambda: bool(seen.errors))
    assert isinstance(seen.errors[0], ConnectionError)


def test_closed_wire_can_be_ended_again():
    ours, theirs = socket.socketpair()
    wire = Wire(ours)
    wire.close()
    wire.cut()
    wire.close()
    wire.end_sending()

    assert wire.fileno() == -1
    with theirs:
        assert theirs.recv(1) == b""


@pytest.mark.parametrize("action", ["reset", "close", "detach"])
def test_a_thousand_of_each_leak_no_thread_and_no_descriptor(serve, seen, action):
    taken = queue.Queue()
    server = serve(doing(action, taken))
    assert is_alive(server.port)
    eventually(lambda: open_connections(server) == 0)
    descriptors, threads = open_descriptors(), threading.active_count()

    for _ in range(1000):
        with Client(server.port) as client:
            client.get("/do")
            sock = taken.get(timeout=PATIENCE_S)
            if sock is not None:
                sock.close()
            if action == "reset":
                with pytest.raises(ConnectionResetError):
                    client.rest()
            else:
                assert client.rest() == b""

    eventually(lambda: open_connections(server) == 0)
    eventually(lambda: open_descriptors() == descriptors)
    assert threading.active_count() == threads
    assert is_alive(server.port)
    assert not seen.errors
