"""A worker that waits for its client is stood in for: clients that dawdle keep nobody waiting but themselves."""

from __future__ import annotations

import threading

import pytest

from tests.server.conftest import echo, eventually

HEAD = b"POST / HTTP/1.1\r\nHost: test\r\n"
DAWDLERS = {
    "sized": (HEAD + b"Content-Length: 4\r\n\r\nta", b"le"),
    "in chunks": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\nta\r\n", b"2\r\nle\r\n0\r\n\r\n"),
    "within a chunk": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n4\r\nta", b"le\r\n0\r\n\r\n"),
    "greeted": (HEAD + b"Expect: 100-continue\r\nContent-Length: 4\r\n\r\n", b"tale"),
}


def workers(server):
    return sum(worker.is_alive() for worker in server._listener.requests._crew)


@pytest.mark.parametrize(("begun", "rest"), DAWDLERS.values(), ids=DAWDLERS)
def test_bodies_that_dawdle_keep_nobody_waiting(serve, connect, seen, begun, rest):
    server = serve(echo, threads=1)
    slow = [connect(server.port) for _ in range(5)]
    for client in slow:
        client.send(begun)
    other = connect(server.port)
    other.get()
    served = other.answer().status
    for client in slow:
        client.send(rest)
        if b"Expect" in begun:
            assert (client.line(), client.line()) == (b"HTTP/1.1 100 Continue\r\n", b"\r\n")

    assert served == 200
    assert [client.answer().body for client in slow] == [b"tale"] * 5
    eventually(lambda: workers(server) == 1)
    assert seen.errors == []


def test_body_that_trickles_keeps_nobody_waiting(serve, connect):
    server = serve(echo, threads=1)
    slow, other = connect(server.port), connect(server.port)
    slow.send(HEAD + b"Content-Length: 1000000\r\n\r\n")
    stop, sent = threading.Event(), threading.Semaphore(0)

    def trickle():
        while not stop.wait(0.005):
            slow.send(b"x")
            sent.release()

    trickling = threading.Thread(target=trickle)
    trickling.start()
    assert sent.acquire(timeout=10)
    other.get()
    served = other.answer().status
    stop.set()
    trickling.join()

    assert served == 200


def test_answers_that_nobody_takes_keep_nobody_waiting(serve, connect):
    large = 50_000_000

    def app(environ, start_response):
        start_response("200 OK", [])
        return [b"x" * (large if environ["PATH_INFO"] == "/large" else 1)]

    server = serve(app, threads=1)
    slow = [connect(server.port) for _ in range(3)]
    for client in slow:
        client.get("/large")
    other = connect(server.port)
    other.get()

    assert other.answer().body == b"x"
    assert [len(client.answer().body) for client in slow] == [large] * 3
    eventually(lambda: workers(server) == 1)


def test_requests_that_come_whole_need_nobody(serve, connect, monkeypatch):
    server = serve(echo, threads=1)
    asked = []
    monkeypatch.setattr(server._listener._service, "stand_in", lambda: asked.append(1) or False)
    client = connect(server.port)
    for size in (0, 10, 60_000):
        client.post(b"x" * size)
        assert len(client.answer().body) == size

    assert asked == []


def test_worker_waits_itself_where_the_system_gives_no_more_threads(serve, connect, seen, monkeypatch):
    server = serve(echo, threads=1)
    start, refused = threading.Thread.start, threading.Event()

    def refuse(thread):
        if type(thread).__name__ != "WorkerThread":
            return start(thread)
        refused.set()
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    client = connect(server.port)
    client.send(HEAD + b"Content-Length: 4\r\n\r\nta")
    assert refused.wait(10)
    client.send(b"le")

    assert client.answer().body == b"tale"
    assert seen.errors == []


def test_nobody_is_hired_once_the_server_stops(serve, connect):
    server = serve(echo, threads=1)
    crew = server._listener.requests
    server.stop()

    assert not crew.stand_in()
    assert not any(worker.is_alive() for worker in crew._crew)
