"""What a request costs without sockets, beside one that takes a connection: `python -m benchmarks.mount`.

Each way sends the same payload with the same token; they take turns, so that whatever else the machine does concerns
all of them. Told are the median of each in microseconds and its ratio to the first, which is what is worth quoting.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack

import httpx
import requests

from sandbox import Sandbox, SandboxServer

PAYLOAD = {"order": "1001", "lines": [{"sku": "TEA-01", "qty": 2}]}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=300)
    options = parser.parse_args()
    with ExitStack() as stack:
        server = stack.enter_context(SandboxServer(Sandbox()))
        patchworks = server.patchworks
        session, mounted = requests.Session(), requests.Session()
        session.trust_env = mounted.trust_env = False
        patchworks.mount(mounted)
        client = stack.enter_context(httpx.Client(trust_env=False))
        transported = stack.enter_context(httpx.Client(transport=httpx.WSGITransport(patchworks.wsgi)))
        form = {
            "grant_type": "client_credentials",
            "client_id": patchworks.client_id,
            "client_secret": patchworks.client_secret,
        }
        token = session.post(patchworks.token_url, data=form).json()["access_token"]
        url, headers = patchworks.inbound("anything").url, {"Authorization": f"Bearer {token}"}

        def new_connection() -> requests.Response:
            return session.post(url, json=PAYLOAD, headers={**headers, "Connection": "close"})

        ways: dict[str, Callable[[], requests.Response | httpx.Response]] = {
            "requests, kept connection": lambda: session.post(url, json=PAYLOAD, headers=headers),
            "requests, new connection": new_connection,
            "requests, mounted": lambda: mounted.post(url, json=PAYLOAD, headers=headers),
            "httpx, kept connection": lambda: client.post(url, json=PAYLOAD, headers=headers),
            "httpx, WSGITransport": lambda: transported.post(url, json=PAYLOAD, headers=headers),
        }
        times: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(options.requests):
            for name, send in ways.items():
                started = time.perf_counter()
                if send().status_code != 200:
                    raise SystemExit(f"{name}: refused")
                times[name].append(time.perf_counter() - started)
    base = statistics.median(times["requests, kept connection"])
    for name, taken in times.items():
        median = statistics.median(taken)
        print(f"{name:26}  {median * 1e6:8.0f} µs  {median / base:5.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
