"""The imports of a server: none in a request once `serve` has settled, and none at the start for what is not used."""

from __future__ import annotations

import json
import subprocess
import sys

_PROGRAM = """
import http.client, json, sys
from sandbox import Sandbox, SandboxServer
from sandbox.cli.serve import load_ahead

with SandboxServer(Sandbox()) as server:
    credentials = next(iter(server.sandbox.credentials.values()))
    server.sandbox.keys.current()
    started = set(sys.modules)
    load_ahead(server)
    loaded = set(sys.modules)
    client = http.client.HTTPConnection("127.0.0.1", server.port)

    def send(path, body, **headers):
        client.request("POST", path, body, headers)
        return client.getresponse().read()

    form = f"grant_type=client_credentials&client_id={credentials.client.id}&client_secret={credentials.secret}"
    token = json.loads(send("/oauth/token", form, **{"Content-Type": "application/x-www-form-urlencoded"}))
    bearer = {"Authorization": "Bearer " + token["access_token"], "Content-Type": "application/json"}
    send("/v1/acme/orders", "{}", **bearer)
    send("/v1/acme/orders", "{", **bearer)
    send("/v1/acme/anything", "x", Authorization="Bearer e30.e30.e30")
    send("/nothing", "x")

    def get(path):
        client.request("GET", path)
        return client.getresponse().read()

    get("/_sandbox/health"), get("/_sandbox/health/ready")
    in_requests = set(sys.modules) - loaded
    get("/_sandbox/clock")
    for_the_clock = set(sys.modules) - loaded
    statuses = [entry.status for entry in server.sandbox.journal.entries()]
print(json.dumps([*map(sorted, (started, in_requests, for_the_clock)), statuses]))
"""


def test_a_request_imports_nothing_and_a_start_not_what_is_not_used() -> None:
    done = subprocess.run([sys.executable, "-c", _PROGRAM], check=True, capture_output=True, text=True, timeout=60)
    started, in_requests, for_the_clock, statuses = json.loads(done.stdout)

    assert statuses == [200, 422, 422, 401, 404]
    assert in_requests == []
    assert not {"flask", "marshmallow", "jwt", "cryptography.x509"} & set(started)
    assert "sandbox.web.control.clock_views" in for_the_clock
    assert not {"sandbox.web.dashboard", "sandbox.web.spec", "sandbox.web.control.request_views"} & set(for_the_clock)
