"""Requests as they come: the events, resuming, and what many or slow readers cost."""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest
from werkzeug.test import Client

from sandbox import Sandbox, SandboxServer
from sandbox.foundation.errors import WaitInterruptedError
from sandbox.journal.filter import EntryFilter
from sandbox.web.control.stream_views import PIECE, Feed
from sandbox.web.http.limits import Limits
from tests.conftest import Integration
from tests.journal.journals import exchange as made

PATIENCE_S = 10


def record(sandbox: Sandbox, body: bytes = b"x", vanity_url: str = "orders") -> None:
    exchange = made(body=body, vanity_url=vanity_url, accepted=True)
    sandbox.journal.close(exchange, 200, (), b"")


class Events:
    """A reader of an event stream."""

    def __init__(self, port: int, path: str = "", *headers: str) -> None:
        self.sock = socket.create_connection(("127.0.0.1", port), PATIENCE_S)
        lines = [f"GET /_sandbox/requests/stream{path} HTTP/1.1", "Host: 127.0.0.1", *headers, "", ""]
        self.sock.sendall("\r\n".join(lines).encode())
        self.file = self.sock.makefile("rb")
        self.status = self.file.readline()
        while self.file.readline() != b"\r\n":
            pass

    def next(self) -> dict[str, Any]:
        """Return the next event; comments and retry alone are none."""
        event: dict[str, Any] = {}
        for raw in iter(self.file.readline, b""):
            line = raw.decode().rstrip("\n")
            name, _, value = line.partition(": ")
            if name in ("id", "event", "data"):
                event[name] = value
            elif not line and event:
                event["data"] = json.loads(event["data"])
                return event
        raise EOFError

    def close(self) -> None:
        self.file.close()
        self.sock.close()


@pytest.fixture
def server(sandbox: Sandbox) -> Iterator[SandboxServer]:
    threads = set(threading.enumerate())
    with SandboxServer(sandbox, threads=2) as server:
        yield server
    assert set(threading.enumerate()) <= threads
    assert server.errors == []


@pytest.fixture
def follow(server: SandboxServer) -> Iterator[Callable[..., Events]]:
    opened: list[Events] = []

    def open_events(path: str = "", *headers: str) -> Events:
        opened.append(Events(server.port, path, *headers))
        return opened[-1]

    yield open_events
    for events in opened:
        events.close()


def eventually(condition: Callable[[], bool]) -> None:
    never = threading.Event()
    for _ in range(2_000):
        if condition():
            return
        never.wait(0.005)
    pytest.fail("it did not happen")


def numbers(events: Events, count: int) -> list[int]:
    return [events.next()["data"]["seq"] for _ in range(count)]


def test_new_requests_are_sent_as_they_come(sandbox: Sandbox, follow: Callable[..., Events]) -> None:
    record(sandbox)
    events = follow()
    record(sandbox, b'{"n": 1}')

    event = events.next()
    assert events.status == b"HTTP/1.1 200 OK\r\n"
    assert (event["id"], event["event"]) == (f"{sandbox.journal.id}-2", "request")
    assert event["data"]["json"] == {"n": 1}


def test_stream_begins_after_a_cursor(sandbox: Sandbox, follow: Callable[..., Events]) -> None:
    for _ in range(3):
        record(sandbox)

    assert numbers(follow("?after=0"), 3) == [1, 2, 3]
    assert numbers(follow("?after=1"), 2) == [2, 3]


def test_stream_is_resumed_after_the_last_event(sandbox: Sandbox, follow: Callable[..., Events]) -> None:
    for _ in range(50):
        record(sandbox)
    first = follow("?after=0")
    last = [first.next()["id"] for _ in range(20)][-1]
    first.close()

    assert numbers(follow("?after=0", f"Last-Event-ID: {last}"), 30) == list(range(21, 51))


def test_filters_hold_for_a_stream(sandbox: Sandbox, follow: Callable[..., Events]) -> None:
    events = follow("?vanity_url=rare")
    for number in range(200):
        record(sandbox, vanity_url="rare" if number % 50 == 49 else "orders")

    assert numbers(events, 4) == [50, 100, 150, 200]


def test_reset_is_told_and_the_new_journal_followed(sandbox: Sandbox, follow: Callable[..., Events]) -> None:
    events = follow()
    record(sandbox)
    events.next()
    sandbox.reset()
    assert events.next() == {"event": "reset", "data": {"journal": sandbox.journal.id}}
    record(sandbox)

    assert numbers(events, 1) == [1]


def test_resuming_after_a_reset_tells_it_and_sends_all_that_is_new(
    sandbox: Sandbox, follow: Callable[..., Events]
) -> None:
    record(sandbox)
    before = f"{sandbox.journal.id}-1"
    sandbox.reset()
    record(sandbox)
    events = follow("", f"Last-Event-ID: {before}")

    assert events.next()["event"] == "reset"
    assert numbers(events, 1) == [1]


def test_what_was_dropped_before_it_could_be_sent_is_told(make_sandbox: Callable[..., Sandbox]) -> None:
    sandbox = make_sandbox(journal_entries=5)
    feed = Feed(sandbox, EntryFilter(), 0, sandbox.journal.id)
    for _ in range(12):
        record(sandbox)
    piece = feed.next().decode()

    assert piece.startswith('event: dropped\ndata: {"missed": 7, "dropped": 7}\n\n')
    assert piece.count("event: request") == 5
    assert feed.next() == b""


def test_piece_is_bounded_however_much_there_is(sandbox: Sandbox) -> None:
    feed = Feed(sandbox, EntryFilter(), 0, sandbox.journal.id)
    for _ in range(3 * PIECE):
        record(sandbox, b"x" * 100_000)
    pieces = [feed.next() for _ in range(4)]

    assert [piece.count(b"event: request") for piece in pieces] == [PIECE, PIECE, PIECE, 0]
    assert max(map(len, pieces)) < PIECE * 2_000


def test_streams_take_no_worker(sandbox: Sandbox, follow: Callable[..., Events]) -> None:
    several = [follow() for _ in range(10)]  # of a server with two workers
    record(sandbox)

    assert [numbers(events, 1) for events in several] == [[1]] * 10


def test_reader_that_does_not_read_holds_up_nobody(sandbox: Sandbox, follow: Callable[..., Events]) -> None:
    stuck, reading = follow(), follow()
    for _ in range(300):
        record(sandbox, b"x" * 60_000)

    assert numbers(reading, 300) == list(range(1, 301))
    assert numbers(stuck, 300) == list(range(1, 301))


def test_what_a_reader_says_is_of_no_interest(sandbox: Sandbox, follow: Callable[..., Events]) -> None:
    events = follow()
    events.sock.sendall(b"GET / HTTP/1.1\r\n\r\n")
    record(sandbox)
    assert numbers(events, 1) == [1]
    events.sock.sendall(b"more")
    record(sandbox)

    assert numbers(events, 1) == [2]


def test_place_of_a_client_that_reset_is_free_again(server: SandboxServer, follow: Callable[..., Events]) -> None:
    events = follow()
    events.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    events.close()

    eventually(lambda: len(server.app.streams) == 0)


def test_reader_that_takes_nothing_for_long_is_let_go(sandbox: Sandbox) -> None:
    for _ in range(400):  # more than the system takes
        record(sandbox, b"x" * 60_000)
    with SandboxServer(sandbox, limits=Limits(body_timeout_s=0.05)) as server:
        events = Events(server.port, "?after=0")
        eventually(lambda: len(server.app.streams) == 1)
        eventually(lambda: len(server.app.streams) == 0)
        events.close()


def test_place_of_a_client_that_left_is_free_again(
    sandbox: Sandbox, server: SandboxServer, follow: Callable[..., Events]
) -> None:
    events = follow()
    assert len(server.app.streams) == 1
    events.close()

    eventually(lambda: len(server.app.streams) == 0)


def test_too_many_streams_are_refused(
    server: SandboxServer, follow: Callable[..., Events], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server.app.streams, "max_streams", 1)
    follow()

    assert follow().status.startswith(b"HTTP/1.1 503 ")


def test_silence_is_broken_by_a_sign_of_life(server: SandboxServer, follow: Callable[..., Events]) -> None:
    server.app.streams.heartbeat_s = 0.01
    events = follow()

    assert [events.file.readline() for _ in range(4)] == [b"retry: 1000\n", b"\n", b": still here\n", b"\n"]


def test_streams_end_when_the_server_stops_and_it_can_be_started_again(sandbox: Sandbox) -> None:
    server = SandboxServer(sandbox)
    for _ in range(2):
        with server, closing(Events(server.port)) as events:
            server.stop()
            with pytest.raises(EOFError):
                events.next()
    assert len(server.app.streams) == 0


def test_stream_without_a_server_is_read_by_its_caller(integration: Integration) -> None:
    integration.post()
    endless = Client(integration.http.application)  # one that does not read an answer to its end
    response = endless.get("/_sandbox/requests/stream?after=0", buffered=False)
    pieces = iter(response.response)

    assert next(pieces) == b"retry: 1000\n\n"
    assert b'"seq": 1' in next(pieces)
    response.close()
    assert len(integration.http.application.streams) == 0  # type: ignore[attr-defined]


@pytest.fixture
def endless(integration: Integration) -> Iterator[Iterator[bytes]]:
    """The pieces of a stream that its caller reads, after the first."""
    integration.http.application.streams.heartbeat_s = 0.01  # type: ignore[attr-defined]
    response = Client(integration.http.application).get("/_sandbox/requests/stream", buffered=False)
    pieces = iter(response.response)
    next(pieces)
    yield pieces  # type: ignore[misc]
    response.close()


def test_stream_without_a_server_gives_signs_of_life(endless: Iterator[bytes]) -> None:
    assert [next(endless), next(endless)] == [b": still here\n\n"] * 2


def test_stream_without_a_server_tells_a_reset(sandbox: Sandbox, endless: Iterator[bytes]) -> None:
    wait = sandbox.journal.wait

    def reset_meanwhile(*args: Any, **kwargs: Any) -> Any:
        sandbox.reset()
        return wait(*args, **kwargs)

    sandbox.journal.wait = reset_meanwhile  # type: ignore[method-assign]

    assert next(endless).startswith(b"event: reset\n")


def test_stream_without_a_server_ends_when_waiting_does(sandbox: Sandbox, endless: Iterator[bytes]) -> None:
    def interrupted(*_: Any, **__: Any) -> Any:
        raise WaitInterruptedError("the server is stopping")

    sandbox.journal.wait = interrupted  # type: ignore[method-assign]

    assert list(endless) == []


def test_head_of_a_stream_takes_no_place(integration: Integration) -> None:
    answer = integration.http.head("/_sandbox/requests/stream")

    assert (answer.status_code, answer.mimetype, answer.data) == (200, "text/event-stream", b"")
    assert len(integration.http.application.streams) == 0  # type: ignore[attr-defined]


@pytest.mark.parametrize("query", ["knd=x", "status=x", "after=-1"])
def test_stream_of_a_wrong_filter_is_refused(integration: Integration, query: str) -> None:
    assert integration.http.get(f"/_sandbox/requests/stream?{query}").status_code == 422
