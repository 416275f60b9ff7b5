"""What fault rules cost that do not act: 1,000 of them against none, in pairs.

    python benchmarks/faults.py [--pairs 15] [--requests 200]

Requests are WSGI calls in this process, so that the cost of sockets hides nothing. The two runs of a pair follow each
other, every second pair in the opposite order; what counts is the median of the pairs' ratios. Exits with 1 when a set
of rules costs more than 1.5 times none.
"""

from __future__ import annotations

import argparse
import io
import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from sandbox.app import SandboxApp
from sandbox.faults import FaultRule, make_rule, status
from sandbox.state import Sandbox

RULES = 1_000
LIMIT = 1.5
BODY = json.dumps({"order": "1001", "lines": [{"sku": f"SKU-{n}", "quantity": n} for n in range(30)]}).encode()

RULE_SETS: dict[str, Callable[[int], FaultRule]] = {
    "other services": lambda n: make_rule(status(503), endpoint="inbound", vanity_url=f"service-{n}"),
    "other clients": lambda n: make_rule(status(503), client_id=f"client-{n}"),
    "other companies": lambda n: make_rule(status(503), company=f"company-{n}", endpoint="inbound"),
    "other headers": lambda n: make_rule(status(503), headers={"X-Run": str(n)}),
    "other order numbers": lambda n: make_rule(status(503), json_path={"$.order": f"other-{n}"}),
    "other JSONPaths": lambda n: make_rule(status(503), json_path=f"$.missing_{n}"),
    "windows long over": lambda n: make_rule(status(503), until="2001-01-01T00:00:00Z"),
}


class Client:
    def __init__(self) -> None:
        self.sandbox = Sandbox(settings={"journal_entries": 1_000})
        self.app = SandboxApp(self.sandbox)
        new = next(iter(self.sandbox.credentials.values()))
        form = f"grant_type=client_credentials&client_id={new.client.id}&client_secret={new.secret}".encode()
        answer = self.call("/oauth/token", form, CONTENT_TYPE="application/x-www-form-urlencoded")
        self.authorization = f"Bearer {json.loads(answer)['access_token']}"

    def call(self, path: str, body: bytes, **environ: Any) -> bytes:
        environ = {
            "REQUEST_METHOD": "POST",
            "SCRIPT_NAME": "",
            "PATH_INFO": path,
            "QUERY_STRING": "",
            "SERVER_NAME": "test",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "CONTENT_TYPE": "application/json",
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": sys.stderr,
            **environ,
        }
        statuses: list[str] = []
        answer = b"".join(self.app(environ, lambda status, headers, exc_info=None: statuses.append(status)))  # type: ignore[arg-type]
        assert statuses == ["200 OK"], statuses
        return answer

    def seconds(self, requests: int) -> float:
        began = time.perf_counter()
        for _ in range(requests):
            self.call("/v1/acme/anything", BODY, HTTP_AUTHORIZATION=self.authorization)
        return time.perf_counter() - began


def ratio(rule_set: Callable[[int], FaultRule], pairs: int, requests: int) -> tuple[float, float, float]:
    """Return the median of the pairs' ratios, and µs a request without and with the rules."""
    without, loaded = Client(), Client()
    loaded.sandbox.platform.faults.add_all([rule_set(number) for number in range(RULES)])
    times: dict[Client, list[float]] = {without: [], loaded: []}
    for client in (without, loaded):
        client.seconds(requests)  # warm
    for pair in range(pairs):
        for client in (without, loaded) if pair % 2 == 0 else (loaded, without):
            times[client].append(client.seconds(requests))
    ratios = [b / a for a, b in zip(times[without], times[loaded], strict=True)]
    per_request = [statistics.median(times[client]) / requests * 1e6 for client in (without, loaded)]
    return statistics.median(ratios), per_request[0], per_request[1]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=15)
    parser.add_argument("--requests", type=int, default=200, help="requests a run (default 200)")
    options = parser.parse_args()
    print(f"{RULES:,} rules for …         ratio   µs without   µs with")
    worst = 0.0
    for name, rule_set in RULE_SETS.items():
        median, without, loaded = ratio(rule_set, options.pairs, options.requests)
        worst = max(worst, median)
        print(f"{name:<22} {median:>7.2f} {without:>12.0f} {loaded:>9.0f}")
    return int(worst > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
