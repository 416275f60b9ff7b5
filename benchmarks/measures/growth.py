"""What the journal costs as it grows: a request, waiting, finding, asserting, memory, and its bound in bytes.

Payloads are POSTs of about 1 KB as ``requests`` sends them, each different, among them one to another service in every
thousand. Questions about that service should cost the same however many others there are.
"""

from __future__ import annotations

import json
import statistics
import time
import tracemalloc
from collections.abc import Callable

from benchmarks.in_process import Client
from benchmarks.plan import Plan
from benchmarks.report import Outcome, Section, Table, Target
from sandbox.journal.assertions.pattern import Pattern
from sandbox.journal.assertions.verify import Expectation, Times, View, verify
from sandbox.journal.entry import Exchange, TokenLink
from sandbox.journal.filter import EntryFilter
from sandbox.journal.journal import Journal
from sandbox.journal.request import Request
from sandbox.state.sandbox import Sandbox

NAME = "growth"
TITLE = "Growth of the journal"
TARGETS: tuple[Target, ...] = (
    Target("largest to smallest journal: a request", "flat (≤ 1.5 ×)"),
    Target("largest to smallest journal: wait, page, assert", "flat (≤ 1.5 ×)"),
    Target("memory for a payload of 1 KB", "≤ 2.5 KB"),
    Target("bound in bytes, held against what is used", "± 10 %"),
)
SIZES = (1_000, 10_000, 100_000, 1_000_000)
BOUND = 16 * 2**20

_TOKEN = TokenLink("sha256:0123456789ab", 1, 1.7e9, 1.7e9 + 86_400)
_ANSWER = b'{"message":"Payload stored successfully."}'
_ANSWER_HEADERS = (
    ("Content-Type", "application/json"),
    ("Cache-Control", "no-cache, private"),
    ("X-RateLimit-Limit", "60"),
    ("X-RateLimit-Remaining", "59"),
)
_RARE = EntryFilter(kind="inbound", company="acme", vanity_url="rare")
_MISSING = EntryFilter(kind="inbound", company="acme", vanity_url="missing")
_PAYLOAD = json.dumps({"order": "1", "note": "x" * 990}).encode()


def run(plan: Plan) -> Section:
    """Fill journals of growing size and ask each the same."""
    sizes = SIZES[:3] if plan.quick else SIZES
    costs = {}
    for size in sizes:
        plan.tell(f"{size:,} entries")
        costs[size] = costs_at(size)
    plan.tell("memory")
    per_entry, body = memory(plan.amount(20_000, 2_000))
    errors = {size: bound_error(size) for size in (100, 1_000, 16_000)}
    growth = {name: costs[sizes[-1]][name] / costs[sizes[0]][name] for name in costs[sizes[0]]}
    questions = {name: ratio for name, ratio in growth.items() if not name.startswith("request")}
    steepest = max(questions, key=questions.__getitem__)
    furthest = max(errors.values(), key=abs)
    rows = [[f"{size:,}", *(f"{cost:.1f}" for cost in cost_of.values())] for size, cost_of in costs.items()]
    return Section(
        [
            Outcome(TARGETS[0], f"{growth['request']:.2f} × at {sizes[-1]:,}", growth["request"] <= 1.5),
            Outcome(TARGETS[1], f"{questions[steepest]:.2f} × at worst ({steepest})", questions[steepest] <= 1.5),
            Outcome(TARGETS[2], f"{per_entry:,.0f} bytes", per_entry <= 2_500),
            Outcome(TARGETS[3], f"{furthest:+.1%} at worst", abs(furthest) <= 0.10),
        ],
        [
            Table("µs, medians.", ["entries", *growth], rows),
            Table(
                f"What a journal bounded to {BOUND / 2**20:.0f} MiB takes, by tracemalloc.",
                ["bytes in a body", "against the bound"],
                [[f"{size:,}", f"{error:+.1%}"] for size, error in errors.items()],
            ),
        ],
        [f"An entry takes {per_entry:,.0f} bytes, {body:,.0f} of them its body."],
    )


def costs_at(size: int) -> dict[str, float]:
    """Return µs of each operation with a journal of ``size`` entries."""
    client = Client(Sandbox(settings={"journal_entries": 10_000_000, "journal_bytes": 64 * 2**30}))
    journal = client.sandbox.journal
    for number in range(size):
        record(journal, number)
    # Of the rare service the last entries only: how many of them there are grows with the journal.
    last_rare = next(journal.newest_first(_RARE))
    after = last_rare.seq - 1
    pattern = Pattern(json_contains={"order": last_rare.json["order"]})
    expectation = Expectation(View(_RARE, only_accepted=True), pattern, Times(1, 1), after=after)
    return {
        "request": median_us(lambda: client.post(_PAYLOAD), 401),
        "wait": median_us(lambda: journal.wait(_RARE, 1, 0, after=after)),
        "wait, none there": median_us(lambda: journal.wait(_MISSING, 1, 0)),
        "page, filtered": median_us(lambda: journal.page(_RARE, after, 100)),
        "page, by cursor": median_us(lambda: journal.page(EntryFilter(kind="inbound"), size // 2, 100)),
        "assert": median_us(lambda: verify(journal, expectation)),
    }


def record(journal: Journal, number: int, length: int = 980) -> None:
    """Put a payload into a journal as the pipeline does."""
    vanity_url = "rare" if number % 1000 == 0 else "orders"
    note = f"{number:>08}" * (length // 8 + 1)
    body = json.dumps({"order": str(number), "note": note[:length]}).encode()
    headers = [
        ("Host", "127.0.0.1:8025"),
        ("User-Agent", "python-requests/2.32.5"),
        ("Accept-Encoding", "gzip, deflate"),
        ("Accept", "*/*"),
        ("Connection", "keep-alive"),
        ("Authorization", "Bearer eyJhbGciOiJSUzI1NiJ9.e30.c2ln"),
        ("Content-Length", str(len(body))),
        ("Content-Type", "application/json"),
    ]
    exchange = Exchange(
        Request(
            "POST",
            f"/v1/acme/{vanity_url}",
            headers=tuple((name, "".join(value)) for name, value in headers),
            remote_addr="127.0.0.1",
            body=body,
            body_size=len(body),
        ),
        received_at=1.7e9 + number / 1000,
        wall_time=1.7e9 + number / 1000,
        kind="inbound",
        subject={"company": "acme", "vanity_url": vanity_url},
        client_id="9d3f6a52-7c1e-4b8a-9f00-5d2c7e1b4a90",
        accepted=True,
        token=_TOKEN,
    )
    journal.close(exchange, 200, _ANSWER_HEADERS, _ANSWER)


def median_us(action: Callable[[], object], repeats: int = 101) -> float:
    """Return the median of what an action takes, in µs."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return statistics.median(times) * 1e6


def memory(size: int) -> tuple[float, float]:
    """Return the bytes that an entry takes, by tracemalloc, and how many of them are its body."""
    journal = Journal("bench", 10**9, 10**12)
    record(journal, 0)

    def fill() -> None:
        for number in range(1, size + 1):
            record(journal, number)

    used = _traced(fill)
    body = sum(len(entry.body) for entry in journal.entries()) / len(journal)
    return used / size, body


def bound_error(length: int) -> float:
    """Return by how much of the bound a journal of payloads of ``length`` takes more or less than it."""
    journals: list[Journal] = []

    def fill() -> None:
        journal = Journal("bench", 10**9, BOUND)
        journals.append(journal)
        number = 0
        while not journal.dropped:
            record(journal, number, length)
            number += 1

    return _traced(fill) / BOUND - 1


def _traced(action: Callable[[], None]) -> int:
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        action()
        return tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
