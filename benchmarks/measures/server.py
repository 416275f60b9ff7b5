"""The HTTP server for itself: a bare WSGI application, against cheroot as it comes, with the same number of workers."""

from __future__ import annotations

import contextlib
import statistics
import threading
from collections.abc import Callable, Iterator
from typing import Any

from cheroot.wsgi import Server as StockServer

from benchmarks import wrk
from benchmarks.plan import Plan
from benchmarks.process import Request
from benchmarks.report import Outcome, Section, Table, Target, not_measured
from benchmarks.rounds import interleaved, median_ratio
from sandbox.server.http import HttpServer

NAME = "server"
TITLE = "The server for itself"
CONNECTIONS = (1, 8, 64)
TARGETS: tuple[Target, ...] = (Target("bare requests/s at 1, 8, 64", "≥ cheroot as it comes"),)
_THREADS = 10
_BODY = b'{"status":"ok"}'
_REQUEST = Request("POST", "/", {"Content-Type": "application/json"}, b"x" * 1024)


def run(plan: Plan) -> Section:
    """Load both, in turns, each in this process."""
    if not wrk.is_installed():
        return not_measured(TARGETS, wrk.MISSING)
    rows, ratios = [], []
    for connections in CONNECTIONS:
        plan.tell(f"{connections} connections")
        rates = interleaved(
            plan.rounds, {"ours": _loaded(ours, connections, plan), "stock": _loaded(stock, connections, plan)}
        )
        ratio = median_ratio(rates["ours"], rates["stock"])
        ratios.append(ratio)
        medians = [f"{statistics.median(taken):,.0f}" for taken in rates.values()]
        rows.append([str(connections), *medians, f"{ratio:.2f}"])
    told = ", ".join(f"{ratio:.2f}" for ratio in ratios)
    return Section(
        [Outcome(TARGETS[0], f"{told} × cheroot", min(ratios) >= 1)],
        [Table("Requests a second.", ["connections", "ours", "cheroot", "ratio"], rows)],
    )


def application(environ: dict[str, Any], start_response: Callable[..., object]) -> list[bytes]:
    """Read the body and answer."""
    environ["wsgi.input"].read(len(_REQUEST.body))
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(_BODY)))])
    return [_BODY]


@contextlib.contextmanager
def ours() -> Iterator[int]:
    """Serve it as the sandbox does."""
    server = HttpServer(application, threads=_THREADS)
    server.start()
    try:
        yield server.port
    finally:
        server.stop()


@contextlib.contextmanager
def stock() -> Iterator[int]:
    """Serve it with cheroot."""
    server = StockServer(("127.0.0.1", 0), application, numthreads=_THREADS, request_queue_size=1024)
    server.keep_alive_conn_limit = 4096  # its default of 10 would measure reconnecting
    server.prepare()
    thread = threading.Thread(target=server.serve)
    thread.start()
    try:
        yield server.bind_addr[1]
    finally:
        server.stop()
        thread.join()


def _loaded(
    serve: Callable[[], contextlib.AbstractContextManager[int]], connections: int, plan: Plan
) -> Callable[[], float]:
    def loaded() -> float:
        with serve() as port:
            return wrk.load(port, _REQUEST, connections=connections, seconds=plan.seconds).per_second

    return loaded
