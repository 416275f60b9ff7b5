"""A payload without sockets, beside one that takes a connection, and beside Flask's own least."""

from __future__ import annotations

import io
import statistics
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import flask
import httpx
import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPResponse

from benchmarks.plan import Plan
from benchmarks.report import Outcome, Section, Table, Target
from benchmarks.rounds import interleaved, median_ratio
from sandbox import Sandbox, SandboxServer
from sandbox.testing.mounting import WSGIAdapter

NAME = "mounted"
TITLE = "Without sockets"
TARGETS: tuple[Target, ...] = (
    Target("a payload by a mounted session", "≤ 0.5 × the same by socket", "≤ 2 × an empty Flask view"),
)
PAYLOAD = {"order": "1001", "lines": [{"sku": "TEA-01", "qty": 2}]}

_SOCKET = "requests, kept connection"
_MOUNTED = "requests, mounted"
_FLASK = "an empty Flask view, Flask's test client"


def run(plan: Plan) -> Section:
    """Send the same payload with the same token each way, in turns."""
    with ExitStack() as stack:
        ways = _ways(stack)
        for send in ways.values():
            send()
        times = interleaved(plan.amount(500, 100), {name: _timed(send) for name, send in ways.items()})
    medians = {name: statistics.median(taken) for name, taken in times.items()}
    to_socket = median_ratio(times[_MOUNTED], times[_SOCKET])
    to_flask = median_ratio(times[_MOUNTED], times[_FLASK])
    rows = [[name, f"{us:.0f}", f"{us / medians[_SOCKET]:.2f}"] for name, us in medians.items()]
    told = f"{medians[_MOUNTED]:.0f} µs; {to_socket:.2f} × socket; {to_flask:.2f} × Flask"
    return Section(
        [Outcome(TARGETS[0], told, to_socket <= 0.5, to_flask <= 2)],
        [Table("Median of a request; the ratio is to a kept connection.", ["", "µs", "ratio"], rows)],
    )


def _ways(stack: ExitStack) -> dict[str, Callable[[], int]]:
    server = stack.enter_context(SandboxServer(Sandbox()))
    patchworks = server.patchworks
    session, mounted, stub, canned = (requests.Session() for _ in range(4))
    session.trust_env = mounted.trust_env = stub.trust_env = canned.trust_env = False
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
    app = _empty_view()
    stub.mount("http://", WSGIAdapter(app))
    canned.mount("http://", _Canned())
    flask_client = app.test_client()
    return {
        _SOCKET: lambda: session.post(url, json=PAYLOAD, headers=headers).status_code,
        "requests, new connection": lambda: (
            session.post(url, json=PAYLOAD, headers={**headers, "Connection": "close"}).status_code
        ),
        _MOUNTED: lambda: mounted.post(url, json=PAYLOAD, headers=headers).status_code,
        "httpx, kept connection": lambda: client.post(url, json=PAYLOAD, headers=headers).status_code,
        "httpx, WSGITransport": lambda: transported.post(url, json=PAYLOAD, headers=headers).status_code,
        "an empty Flask view, mounted in requests": lambda: stub.post(url, json=PAYLOAD, headers=headers).status_code,
        "nothing but requests itself, an answer made up": lambda: (
            canned.post(url, json=PAYLOAD, headers=headers).status_code
        ),
        _FLASK: lambda: flask_client.post("/v1/acme/anything", json=PAYLOAD, headers=headers).status_code,
    }


class _Canned(HTTPAdapter):
    """Answers by itself, without calling anything: what any adapter costs."""

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        headers = {"Content-Type": "application/json", "Content-Length": "2"}
        raw = HTTPResponse(io.BytesIO(b"{}"), headers, 200, 11, reason="OK", preload_content=False)
        return self.build_response(request, raw)


def _empty_view() -> flask.Flask:
    app = flask.Flask(__name__)

    @app.post("/v1/acme/anything")
    def view() -> str:
        return ""

    return app


def _timed(send: Callable[[], int]) -> Callable[[], float]:
    def timed() -> float:
        began = time.perf_counter()
        status = send()
        took = time.perf_counter() - began
        if status != 200:
            raise RuntimeError(f"answered {status}")
        return took * 1e6

    return timed
