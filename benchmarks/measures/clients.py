"""A seed with 10,000 OAuth clients and as many services: how long it loads, and what it does to a request."""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.in_process import Client
from benchmarks.plan import Plan
from benchmarks.report import Outcome, Section, Table, Target
from benchmarks.rounds import interleaved, median_ratio
from sandbox import Sandbox, load_seed

NAME = "clients"
TITLE = "Many clients and services"
NUMBER = 10_000
TARGETS: tuple[Target, ...] = (
    Target(f"seed of {NUMBER:,} clients and services", "< 3 s"),
    Target(f"a request among {NUMBER:,} of them", "≤ 1.1 × alone"),
    Target(f"a token among {NUMBER:,} of them", "≤ 1.1 × alone"),
)
_BODY = json.dumps({"order": "1001", "note": "x" * 990}).encode()


def run(plan: Plan) -> Section:
    """Load it, then send through a small and a large sandbox in turns."""
    number = plan.amount(NUMBER, 2_000)
    repeats = plan.amount(5, 1)
    with tempfile.TemporaryDirectory() as folder:
        large_file, small_file = Path(folder) / "large.yaml", Path(folder) / "small.yaml"
        large_file.write_text(seed_text(number))
        small_file.write_text(seed_text(1))
        reading, loading = [], []
        for _ in range(repeats):
            began = time.perf_counter()
            seed = load_seed(large_file)
            read = time.perf_counter()
            Sandbox(seed)
            loading.append(time.perf_counter() - read)
            reading.append(read - began)
        large = Client(Sandbox(load_seed(large_file)), _client(number // 2))
        small = Client(Sandbox(load_seed(small_file)))
    requests = plan.amount(200, 50)
    times = interleaved(
        plan.amount(21, 5),
        {
            "large": lambda: large.seconds(requests, _BODY, f"/v1/acme/service-{number // 2}"),
            "small": lambda: small.seconds(requests, _BODY, "/v1/acme/service-0"),
            "large tokens": lambda: _token_seconds(large, requests // 5),
            "small tokens": lambda: _token_seconds(small, requests // 5),
        },
    )
    load_s = statistics.median(reading) + statistics.median(loading)
    request, token = (
        median_ratio(times["large"], times["small"]),
        median_ratio(times["large tokens"], times["small tokens"]),
    )
    measured_all = number == NUMBER
    rows = [
        ["read the file", f"{statistics.median(reading):.2f} s"],
        ["make a sandbox of it", f"{statistics.median(loading):.2f} s"],
        ["a payload, alone", f"{statistics.median(times['small']) / requests * 1e6:.0f} µs"],
        [f"a payload, among {number:,}", f"{statistics.median(times['large']) / requests * 1e6:.0f} µs"],
    ]
    among = "" if measured_all else f" for {number:,} (quick)"
    return Section(
        [
            Outcome(TARGETS[0], f"{load_s:.2f} s{among}", load_s < 3 if measured_all else None),
            Outcome(TARGETS[1], f"{request:.2f} ×{among}", request <= 1.1 if measured_all else None),
            Outcome(TARGETS[2], f"{token:.2f} ×{among}", token <= 1.1 if measured_all else None),
        ],
        [Table("", ["", "median"], rows)],
    )


def _token_seconds(client: Client, requests: int) -> float:
    began = time.perf_counter()
    for _ in range(requests):
        client.token()
    return time.perf_counter() - began


def seed_text(number: int) -> str:
    """Return a seed file with so many clients and services of one connector."""
    return "\n".join(_seed_lines(number)) + "\n"


def _seed_lines(number: int) -> Iterator[str]:
    yield "companies:"
    yield "  - name: Acme Ltd"
    yield "    slug: acme"
    yield "    connectors:"
    yield "      - name: Shop"
    yield "        entities: [{type: custom, name: anything}]"
    yield "        oauth_clients:"
    for n in range(number):
        yield f"          - {{name: Client {n}, client_id: {_client(n)}, client_secret: secret-number-{n:032}}}"
    yield "        services:"
    for n in range(number):
        yield f"          - {{vanity_url: service-{n}, entity: anything}}"


def _client(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012}"
