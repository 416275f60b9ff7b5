"""Compare the server with cheroot as it comes: one bare WSGI application, `wrk` as the client, in pairs.

    python benchmarks/server.py [--repeats 5] [--seconds 2] [--connections 1 8 64] [--threads 10]

Each pair runs the two servers one after the other, and every second pair in the opposite order, so that a machine
that is busy with something else disturbs both alike. What counts is the median of the pairs' ratios; the absolute
figures are those of this machine on this day. Needs `wrk` (`apt-get install wrk`, `brew install wrk`).
"""

from __future__ import annotations

import argparse
import contextlib
import re
import shutil
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from cheroot.wsgi import Server as StockServer

from sandbox.server.http import HttpServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_BODY = b'{"status":"ok"}'
_PAYLOAD = "x" * 1024
_SCRIPT = f'wrk.method = "POST"; wrk.body = "{_PAYLOAD}"; wrk.headers["Content-Type"] = "application/json"'


def application(environ: dict[str, Any], start_response: Callable[..., object]) -> list[bytes]:
    environ["wsgi.input"].read(len(_PAYLOAD))
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(_BODY)))])
    return [_BODY]


@contextlib.contextmanager
def ours(threads: int) -> Iterator[int]:
    server = HttpServer(application, threads=threads)
    server.start()
    try:
        yield server.port
    finally:
        server.stop()


@contextlib.contextmanager
def stock(threads: int) -> Iterator[int]:
    server = StockServer(("127.0.0.1", 0), application, numthreads=threads, request_queue_size=1024)
    server.keep_alive_conn_limit = 4096  # its default of 10 would measure reconnecting
    server.prepare()
    thread = threading.Thread(target=server.serve)
    thread.start()
    try:
        yield server.bind_addr[1]
    finally:
        server.stop()
        thread.join()


def requests_per_second(
    serve: Callable[[int], contextlib.AbstractContextManager[int]],
    *,
    wrk: str,
    script: Path,
    connections: int,
    seconds: int,
    threads: int,
) -> float:
    with serve(threads) as port:
        command = [wrk, "-t1", f"-c{connections}", f"-d{seconds}s", "-s", str(script), f"http://127.0.0.1:{port}/"]
        output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    match = re.search(r"Requests/sec:\s+([\d.]+)", output)
    assert match, output
    if problem := re.search(r"Non-2xx.*|Socket errors.*", output):
        print(f"    {serve.__name__}: {problem[0]}")
    return float(match[1])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5, help="pairs for each number of connections (default 5)")
    parser.add_argument("--seconds", type=int, default=2, help="length of one run (default 2)")
    parser.add_argument("--connections", type=int, nargs="+", default=[1, 8, 64], help="default 1 8 64")
    parser.add_argument("--threads", type=int, default=10, help="workers of each server (default 10)")
    options = parser.parse_args()
    wrk = shutil.which("wrk")
    if wrk is None:
        print("wrk is not installed: nothing measured.", file=sys.stderr)
        return 1

    script = Path(__file__).with_suffix(".lua")
    script.write_text(_SCRIPT)
    started = time.perf_counter()
    print(f"{'connections':>11}  {'ours /s':>9}  {'cheroot /s':>10}  {'ratio':>6}  (lowest to highest)")
    try:
        for connections in options.connections:
            rates: dict[str, list[float]] = {"ours": [], "stock": []}
            for repeat in range(options.repeats):
                for serve in (ours, stock) if repeat % 2 == 0 else (stock, ours):
                    rate = requests_per_second(
                        serve,
                        wrk=wrk,
                        script=script,
                        connections=connections,
                        seconds=options.seconds,
                        threads=options.threads,
                    )
                    rates[serve.__name__].append(rate)
            ratios = [a / b for a, b in zip(rates["ours"], rates["stock"], strict=True)]
            print(
                f"{connections:>11}  {statistics.median(rates['ours']):>9,.0f}"
                f"  {statistics.median(rates['stock']):>10,.0f}  {statistics.median(ratios):>6.2f}"
                f"  ({min(ratios):.2f} to {max(ratios):.2f})"
            )
    finally:
        script.unlink()
    print(f"took {time.perf_counter() - started:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
