"""Start, stop, many clients, slow clients, and time that stands still."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import subprocess
import sys
import threading

import pytest
from freezegun import freeze_time

from sandbox.foundation.real_time import monotonic
from sandbox.server.http import HttpServer, Limits
from tests.server.conftest import PATIENCE_S, Client, attended_to, echo, eventually, open_connections, open_descriptors


def is_alive(port):
    with Client(port) as client:
        client.post(b"alive")
        return client.answer().body == b"alive"


def stops(server):
    """Return whether the server stops in reasonable time."""
    stopping = threading.Thread(target=server.stop)
    stopping.start()
    stopping.join(PATIENCE_S)
    return not stopping.is_alive()


def run(program):
    environ = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", program], check=True, timeout=PATIENCE_S * 6, env=environ)


def is_listening(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


class Stuck:
    """An application in which every request on `/wait` stays until it is let go."""

    def __init__(self):
        self.inside = threading.Semaphore(0)
        self.go_on = threading.Event()
        self.served = []

    def __call__(self, environ, start_response):
        self.served.append(environ["PATH_INFO"])
        if environ["PATH_INFO"] == "/wait":
            self.inside.release()
            assert self.go_on.wait(PATIENCE_S)
        return echo(environ, start_response)


# -- start and stop -----------------------------------------------------------------------------------------


def test_server_accepts_when_start_returns_and_not_when_stop_returns(serve):
    server = serve(echo)

    assert server.host == "127.0.0.1"
    assert is_alive(server.port)
    server.stop()
    assert not is_listening(server.port)


def test_stop_does_nothing_twice_or_before_the_start():
    server = HttpServer(echo)
    server.stop()
    server.start()
    server.stop()
    server.stop()


def test_server_can_be_started_again_but_not_twice(serve):
    server = serve(echo)
    with pytest.raises(RuntimeError, match="started already"):
        server.start()
    server.stop()
    server.start()

    assert is_alive(server.port)


def test_given_port_is_used_again_at_once(serve, connect):
    free = serve(echo)
    free.stop()
    first = serve(echo, port=free.port)
    client = connect(first.port)
    client.get("/", "Connection: close")  # the side that closes first keeps the port busy for a while
    client.rest()
    client.close()
    first.stop()

    second = serve(echo, port=first.port)
    assert second.port == first.port
    assert is_alive(second.port)


def test_port_of_the_last_server_is_free_while_a_client_keeps_its_idle_connection(serve, connect):
    first = serve(echo)
    idle, busy = connect(first.port), connect(first.port)
    busy.post(b"1")
    assert busy.answer().body == b"1"
    first.stop()

    second = serve(echo, port=first.port)
    assert second.port == first.port
    assert is_alive(second.port)
    assert idle.rest() == busy.rest() == b""


def test_taken_port_is_named_in_the_error(serve):
    port = serve(echo).port

    with pytest.raises(OSError, match=rf"127\.0\.0\.1:{port}: the port is in use") as caught:
        HttpServer(echo, port=port).start()
    assert caught.value.errno == errno.EADDRINUSE


def test_unknown_host_is_named_in_the_error():
    with pytest.raises(OSError, match=r"nowhere\.invalid"):
        HttpServer(echo, host="nowhere.invalid").start()


def test_foreign_address_is_named_in_the_error():
    with pytest.raises(OSError, match=r"192\.0\.2\.1:0"):
        HttpServer(echo, host="192.0.2.1").start()


def test_ipv6_is_served(serve):
    try:
        server = serve(echo, host="::1")
    except OSError:
        pytest.skip("no IPv6 here")

    with socket.create_connection(("::1", server.port), PATIENCE_S) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert sock.recv(100).startswith(b"HTTP/1.1 200")


def test_a_thousand_starts_and_stops_leak_nothing():
    descriptors, threads = open_descriptors(), threading.active_count()
    for _ in range(1_000):
        server = HttpServer(echo, threads=2)
        server.start()
        server.stop()

    assert open_descriptors() == descriptors
    assert threading.active_count() == threads


def test_server_that_nobody_stops_does_not_keep_the_process_alive():
    program = """
from sandbox.server.http import HttpServer
HttpServer(lambda environ, start_response: []).start()
"""
    run(program)


def test_stop_waits_for_none_of_500_idle_connections(serve, connect):
    server = serve(echo, limits=Limits(grace_s=3_600))
    clients = [connect(server.port) for _ in range(500)]
    for client in clients[::2]:
        client.get()
        assert client.answer().status == 200
    descriptors = open_descriptors()

    assert stops(server)
    assert open_descriptors() <= descriptors - 500
    assert all(client.rest() == b"" for client in clients)


def test_stop_waits_for_no_body(serve, connect):
    server = serve(echo, limits=Limits(grace_s=3_600))
    client = connect(server.port)
    client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n")
    attended_to(server)

    assert stops(server)
    assert client.rest() == b""


def test_stop_cuts_answers_that_nobody_takes(serve, connect):
    begun = threading.Semaphore(0)

    def app(environ, start_response):
        begun.release()
        start_response("200 OK", [])
        while True:
            yield b"x" * 1_000_000

    server = serve(app, threads=4)
    for _ in range(2):
        connect(server.port).get()
        assert begun.acquire(timeout=PATIENCE_S)

    assert stops(server)


def test_answer_in_flight_may_end_and_closes_its_connection(serve, connect):
    app = Stuck()
    server = serve(app, limits=Limits(grace_s=PATIENCE_S))
    client = connect(server.port)
    client.get("/wait")
    assert app.inside.acquire(timeout=PATIENCE_S)
    stopping = threading.Thread(target=server.stop)
    stopping.start()
    eventually(lambda: not is_listening(server.port))
    app.go_on.set()
    stopping.join()

    assert client.answer().all("Connection") == ["close"]
    assert client.rest() == b""


def test_stop_leaves_an_application_behind_that_does_not_return(serve, connect, seen):
    app = Stuck()
    others = set(threading.enumerate())
    server = serve(app, limits=Limits(stuck_s=0.01))
    client = connect(server.port)
    client.get("/wait")
    assert app.inside.acquire(timeout=PATIENCE_S)
    workers = set(threading.enumerate()) - others
    server.stop()

    assert client.rest() == b""
    assert [str(error) for error in seen.errors] == ["At the stop, 1 requests did not return from the application."]
    app.go_on.set()
    for worker in workers:
        worker.join(PATIENCE_S)
        assert not worker.is_alive()


def test_application_may_stop_its_own_server(serve, connect):
    stopped = threading.Event()

    def app(environ, start_response):
        server.stop()
        stopped.set()
        return echo(environ, start_response)

    server = serve(app)
    client = connect(server.port)
    client.get()

    assert stopped.wait(PATIENCE_S)
    assert client.rest() == b""


def test_listener_for_refusals_may_stop_the_server(serve, connect, seen):
    """It runs in the loop's thread."""
    others = set(threading.enumerate())
    server = serve(echo, limits=Limits(connections=1), on_refused=lambda _: server.stop())
    threads = set(threading.enumerate()) - others
    clients = [connect(server.port) for _ in range(2)]

    assert clients[0].rest() == b""
    clients[1].rest()
    for thread in threads:
        thread.join(PATIENCE_S)
        assert not thread.is_alive()
    assert not is_listening(server.port)
    assert not seen.errors


def test_requests_that_still_wait_for_a_worker_at_the_stop_are_dropped(serve, connect):
    app = Stuck()
    server = serve(app, threads=1)
    connect(server.port).get("/wait")
    assert app.inside.acquire(timeout=PATIENCE_S)
    waiting = connect(server.port)
    waiting.get("/wait")
    attended_to(server)
    stopping = threading.Thread(target=server.stop)
    stopping.start()
    eventually(lambda: not is_listening(server.port))
    app.go_on.set()
    stopping.join()

    with contextlib.suppress(ConnectionResetError):
        assert waiting.rest() == b""
    assert not app.inside.acquire(blocking=False)


# -- many clients -------------------------------------------------------------------------------------------


def test_500_silent_connections_hold_no_worker(serve, connect):
    server = serve(echo, threads=1)
    for _ in range(500):
        connect(server.port)

    assert is_alive(server.port)


def test_500_idle_connections_stay_usable_beside_a_busy_one(serve, connect):
    server = serve(echo, threads=2)
    idle = [connect(server.port) for _ in range(500)]
    for client in idle:
        client.post(b"1")
        assert client.answer().body == b"1"
    busy = connect(server.port)
    for _ in range(200):
        busy.post(b"busy")
        assert busy.answer().body == b"busy"

    for client in idle:
        client.post(b"2")
        assert client.answer().body == b"2"


def test_500_half_sent_heads_hold_no_worker(serve, connect):
    server = serve(echo, threads=1)
    for _ in range(500):
        connect(server.port).send(b"GET / HTTP/1.1\r\nHost:")

    assert is_alive(server.port)


def test_client_in_a_hurry_does_not_starve_the_others(serve, connect):
    app = Stuck()
    server = serve(app, threads=1)
    greedy, modest = connect(server.port), connect(server.port)
    greedy.send(b"GET /wait HTTP/1.1\r\nHost: a\r\n\r\n" * 1000)
    assert app.inside.acquire(timeout=PATIENCE_S)
    modest.send(b"POST /modest HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nme too")
    attended_to(server)
    app.go_on.set()

    assert modest.answer().body == b"me too"
    served = app.served.index("/modest")
    assert sum(greedy.answer().status == 200 for _ in range(1000)) == 1000
    assert served < 10


def test_crowd_is_accepted_before_anybody_is_served_again(serve, connect):
    """One at a time, the last of 64 waited until all others had been served dozens of times."""
    inside, go_on, accepted = threading.Event(), threading.Event(), []

    def on_refused(_):  # in the loop's thread
        accepted.append(server.connections)
        inside.set()
        assert go_on.wait(PATIENCE_S)

    server = serve(echo, on_refused=on_refused)
    connect(server.port).send(b"nonsense\r\n\r\n")
    assert inside.wait(PATIENCE_S)
    crowd = [connect(server.port) for _ in range(20)]
    for client in crowd:
        client.send(b"nonsense\r\n\r\n")
    go_on.set()

    assert {client.answer().status for client in crowd} == {400}
    assert accepted[:2] == [1, 21]


def test_one_connection_too_many_is_told_so(serve, connect, seen):
    server = serve(echo, limits=Limits(connections=3))
    clients = [connect(server.port) for _ in range(3)]
    surplus = connect(server.port)
    surplus.get()
    answer = surplus.answer()

    assert answer.status == 503
    assert answer.body == b"The server has 3 connections already, as many as it may.\n"
    assert surplus.rest() == b""
    assert [refused.status for refused in seen.refused] == [503]
    clients.pop().close()
    surplus.close()
    eventually(lambda: open_connections(server) == 2)
    assert is_alive(server.port)


def test_flood_of_surplus_connections_is_closed_without_a_word(serve, connect, seen):
    server = serve(echo, limits=Limits(connections=1, turned_away=1))
    clients = [connect(server.port) for _ in range(3)]

    assert clients[2].rest() == b""
    assert clients[1].answer().status == 503
    assert len(seen.refused) == 1


def failing_to_accept(monkeypatch, *errors):
    accept, left = socket.socket.accept, list(errors)

    def failing(sock):
        if left:
            raise left.pop(0)
        return accept(sock)

    monkeypatch.setattr(socket.socket, "accept", failing)


def test_server_survives_running_out_of_descriptors_and_says_so_once(serve, monkeypatch, seen):
    server = serve(echo)
    assert is_alive(server.port)
    failing_to_accept(monkeypatch, *[OSError(errno.EMFILE, "Too many open files")] * 2)

    assert is_alive(server.port)
    assert [error.errno for error in seen.errors] == [errno.EMFILE]


@pytest.mark.parametrize("error", [BlockingIOError, ConnectionAbortedError])
def test_client_that_is_gone_before_it_is_accepted_is_no_error(serve, monkeypatch, seen, error):
    server = serve(echo)
    failing_to_accept(monkeypatch, error())

    assert is_alive(server.port)
    assert not seen.errors


def no_more(_):
    raise RuntimeError("can't start new thread")


def test_request_for_which_the_system_gives_no_thread_is_answered_500(serve, connect, monkeypatch, seen):
    server = serve(echo)
    client = connect(server.port)
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", no_more)
        client.get()
        assert client.answer().status == 500

    assert [str(error) for error in seen.errors] == ["can't start new thread"]
    assert is_alive(server.port)


def test_one_thread_does_where_the_system_gives_no_more(serve, connect, monkeypatch, seen):
    app = Stuck()
    server = serve(app)
    connect(server.port).get("/wait")
    assert app.inside.acquire(timeout=PATIENCE_S)
    client = connect(server.port)
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", no_more)
        client.get()
        attended_to(server)
    app.go_on.set()

    assert client.answer().status == 200
    assert not seen.errors


def test_clients_that_come_and_go_leak_nothing(serve, seen):
    server = serve(echo)
    assert is_alive(server.port)
    eventually(lambda: open_connections(server) == 0)
    descriptors = open_descriptors()
    for number in range(300):
        client = Client(server.port)
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n"[: number % 60])
        client.abort() if number % 2 else client.close()

    eventually(lambda: open_connections(server) == 0)
    eventually(lambda: open_descriptors() == descriptors)


# -- slow clients -------------------------------------------------------------------------------------------


def test_half_sent_head_is_answered_408_at_its_deadline(serve, connect, seen):
    server = serve(echo, limits=Limits(head_timeout_s=0.05))
    client = connect(server.port)
    client.send(b"GET /half HTTP/1.1\r\nHost: a\r\n")
    answer = client.answer()

    assert answer.status == 408
    assert answer.body == b"The request head was not complete after 0.05 seconds.\n"
    assert client.rest() == b""
    assert [(refused.status, refused.target) for refused in seen.refused] == [(408, "/half")]


def test_client_that_still_sends_after_its_408_gets_to_read_it(serve, connect):
    client = connect(serve(echo, limits=Limits(head_timeout_s=0.05)).port)
    client.send(b"GET /half HTTP/1.1\r\nHost: a\r\n")
    assert client.line() == b"HTTP/1.1 408 Request Timeout\r\n"
    for _ in range(50):
        client.send(b"X: " + b"y" * 10_000)

    assert client.rest().endswith(b"seconds.\n")


def test_trickling_head_has_one_deadline_as_a_whole(serve, connect):
    client = connect(serve(echo, limits=Limits(head_timeout_s=0.1)).port)
    client.send(b"GET / HTTP/1.1\r\nX: ")
    for answered in client.trickle(b"x"):
        assert answered == b"HTTP/1.1 408"


@pytest.mark.parametrize("requests", [0, 1])
def test_idle_connection_is_closed_at_its_deadline(serve, connect, quick, seen, requests):
    client = connect(serve(echo, limits=quick).port)
    for _ in range(requests):
        client.get()
        client.answer()

    assert client.rest() == b""
    assert not seen.refused


def test_half_sent_head_behind_another_request_has_its_own_deadline(serve, connect):
    client = connect(serve(echo, limits=Limits(head_timeout_s=0.05)).port)
    client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HT")

    assert client.answer().status == 200
    assert client.answer().status == 408


# -- callbacks ----------------------------------------------------------------------------------------------


def test_errors_are_logged_when_nobody_listens(serve, connect, caplog):
    def app(environ, start_response):
        raise ValueError("broken")

    client = connect(serve(app, on_error=None).port)
    client.get()

    assert client.answer().status == 500
    assert [record.exc_info[1].args for record in caplog.records] == [("broken",)]


def test_refusal_that_nobody_takes_is_no_error(serve, connect, seen):
    told = threading.Event()

    def on_refused(_):
        client.abort()
        told.set()

    server = serve(echo, on_refused=on_refused)
    client = connect(server.port)
    client.send(b"nonsense\r\n\r\n")

    assert told.wait(PATIENCE_S)
    eventually(lambda: open_connections(server) == 0)
    assert not seen.errors


def test_broken_listener_does_not_end_the_server(serve, connect, seen):
    def broken(_):
        raise RuntimeError("in the listener")

    server = serve(echo, on_refused=broken, threads=1)
    client = connect(server.port)
    client.send(b"nonsense\r\n\r\n")

    assert client.answer().status == 400
    assert is_alive(server.port)
    assert [error.args for error in seen.errors] == [("in the listener",)]


def test_defect_of_the_server_itself_is_reported_and_costs_one_connection(serve, connect, monkeypatch, seen):
    server = serve(echo, threads=1)
    with monkeypatch.context() as patch:
        patch.setattr("sandbox.web.http.reader.parse_head", None)
        client = connect(server.port)
        client.get()
        assert client.rest() == b""

    assert [type(error) for error in seen.errors] == [TypeError]
    assert is_alive(server.port)


# -- time that stands still ---------------------------------------------------------------------------------


def test_frozen_time_does_not_freeze_deadlines(serve, connect, quick):
    with freeze_time("2020-01-01"):
        server = serve(echo, limits=quick)
        half = connect(server.port)
        half.send(b"GET /")
        assert half.answer().status == 408
        assert connect(server.port).rest() == b""
        before = monotonic()
        eventually(lambda: monotonic() > before)


def test_jump_in_time_closes_no_connection(serve, connect):
    client = connect(serve(echo, limits=Limits(keep_alive_s=5)).port)
    client.post(b"1")
    assert client.answer().body == b"1"
    with freeze_time("2099-01-01") as frozen:
        client.post(b"2")
        assert client.answer().body == b"2"
        frozen.tick(1_000_000)
        client.post(b"3")
        answer = client.answer()
        assert answer.body == b"3"
        assert "2099" in answer.all("Date")[0]
    client.post(b"4")
    assert client.answer().body == b"4"


def test_stop_is_quick_in_frozen_time(serve, connect):
    others = set(threading.enumerate())
    server = serve(echo)
    with freeze_time("2020-01-01"):
        connect(server.port).get()
        threads = set(threading.enumerate()) - others
        server.stop()
        assert not any(thread.is_alive() for thread in threads)


def test_clock_runs_even_when_it_is_imported_in_frozen_time():
    program = """
from freezegun import freeze_time
with freeze_time("2020-01-01"):
    from sandbox.foundation.real_time import monotonic
    before = monotonic()
    while monotonic() == before:
        pass
after = monotonic()
assert before < after < before + 60
"""
    run(program)
