"""A client that a view keeps waiting for news: no thread waits, and pieces or a late answer reach it."""

from __future__ import annotations

import threading

import pytest

from tests.server.conftest import PATIENCE_S, eventually, open_connections


class Told:
    """News that a test makes. ``tell`` bytes, a WSGI application as the last answer, or an error."""

    def __init__(self, seconds: float = 3600.0) -> None:
        self.seconds = seconds
        self.waiting = []
        self.asked = []
        self.wake = None
        self.listening = threading.Event()
        self.closed = threading.Event()

    def tell(self, *pieces):
        assert self.listening.wait(PATIENCE_S)
        self.waiting += pieces
        self.wake()

    def listen(self, wake):
        self.wake = wake
        self.listening.set()

    def next(self, *, timed_out):
        self.asked.append(timed_out)
        piece = self.waiting.pop(0) if self.waiting else b""
        if isinstance(piece, Exception):
            raise piece
        return piece

    def seconds_left(self):
        return self.seconds

    def close(self):
        self.closed.set()


class Parts(list):
    closed = False

    def close(self):
        self.closed = True


def holding(*news):
    """An application that keeps its clients on ``/wait`` waiting, each for the next of ``news``."""
    left, returned = list(news), []

    def app(environ, start_response):
        if environ["PATH_INFO"] != "/wait":
            start_response("200 OK", [])
            return [b"alive"]
        environ["sandbox.connection"](left.pop(0))
        start_response("500 Unsent", [])
        returned.append(Parts([b"unsent"]))
        return returned[-1]

    app.returned = returned
    return app


def late(environ, start_response):
    start_response("200 Late", [("X-Path", environ["PATH_INFO"])])
    return [b"at last"]


def test_pieces_are_written_as_they_are_and_what_the_view_returns_is_closed(serve, connect):
    told = Told()
    app = holding(told)
    client = connect(serve(app).port)
    client.get("/wait")
    told.tell(b"one\n")
    assert client.line() == b"one\n"
    told.tell(b"two\n", b"three\n")

    assert client.line() + client.line() == b"two\nthree\n"
    assert app.returned[0].closed


def test_late_answer_is_sent_and_the_connection_lives_on(serve, connect):
    told = Told()
    client = connect(serve(holding(told)).port)
    client.get("/wait")
    told.tell(late)
    answer = client.answer()
    client.get()

    assert (answer.status, answer.body, answer.all("X-Path")) == (200, b"at last", ["/wait"])
    assert told.closed.wait(PATIENCE_S)
    assert client.answer().body == b"alive"


def test_client_may_wait_again_on_the_same_connection(serve, connect):
    news = [Told(), Told()]
    client = connect(serve(holding(*news)).port)
    for told in news:
        client.get("/wait")
        told.tell(late)
        assert client.answer().body == b"at last"


def test_time_that_is_up_asks_for_the_answer(serve, connect):
    told = Told(0.01)
    client = connect(serve(holding(told)).port)
    client.get("/wait")
    eventually(lambda: len(told.asked) > 2)
    told.tell(late)

    assert client.answer().body == b"at last"
    assert told.asked[:3] == [False, True, True]


def test_a_hundred_that_wait_need_no_thread(serve, connect):
    news = [Told() for _ in range(100)]
    server = serve(holding(*news), threads=1)
    clients = [connect(server.port) for _ in news]
    for client in clients:
        client.get("/wait")
    other = connect(server.port)
    other.get()
    assert other.answer().body == b"alive"
    for told in news:
        told.tell(late)

    assert {client.answer().body for client in clients} == {b"at last"}


@pytest.mark.parametrize("how", ["end", "reset"])
def test_client_that_leaves_is_forgotten(serve, connect, seen, how):
    told = Told()
    server = serve(holding(told))
    client = connect(server.port)
    client.get("/wait")
    assert told.listening.wait(PATIENCE_S)
    client.close() if how == "end" else client.abort()

    assert told.closed.wait(PATIENCE_S)
    eventually(lambda: open_connections(server) == 0)
    assert not seen.errors


def test_nothing_is_made_for_a_client_that_does_not_read(serve, connect):
    told = Told()
    client = connect(serve(holding(told)).port)
    client.get("/wait")
    told.tell(b"x" * 50_000_000)
    eventually(lambda: not told.waiting)
    asked = len(told.asked)
    told.tell(b"more\n")
    assert client._file.read(1) == b"x"
    assert told.waiting == [b"more\n"]
    assert len(told.asked) == asked
    client._file.read(49_999_999)

    assert client.line() == b"more\n"


def test_defect_of_the_news_is_reported_and_costs_the_connection(serve, connect, seen):
    told = Told()
    client = connect(serve(holding(told)).port)
    client.get("/wait")
    told.tell(ValueError("in the news"))

    assert client.rest() == b""
    assert told.closed.wait(PATIENCE_S)
    assert [str(error) for error in seen.errors] == ["in the news"]


def test_what_the_client_says_meanwhile_is_of_no_interest(serve, connect):
    told = Told()
    client = connect(serve(holding(told)).port)
    client.get("/wait")
    assert told.listening.wait(PATIENCE_S)
    client.send(b"x" * 100_000)
    told.tell(b"one\n")

    assert client.line() == b"one\n"


def test_stop_ends_the_waiting(serve, connect):
    told = Told()
    server = serve(holding(told))
    client = connect(server.port)
    client.get("/wait")
    assert told.listening.wait(PATIENCE_S)
    server.stop()

    assert client.rest() == b""
    assert told.closed.is_set()
