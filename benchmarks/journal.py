"""What the journal costs as it grows: memory for an entry, and the time of recording, finding, waiting and asserting.

    python benchmarks/journal.py [--sizes 1000 10000 100000]

Records POSTs of about 1 KB as ``requests`` sends them, each different, among them one to another service in every
thousand. Questions about that service should cost the same however many others there are. The times are medians; the
memory is what tracemalloc sees, bodies included.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from sandbox.journal import Exchange, Journal
from sandbox.matching import EntryFilter
from sandbox.model import TokenLink
from sandbox.verification.pattern import Pattern
from sandbox.verification.verify import Expectation, Times, View, verify

TOKEN = TokenLink("sha256:0123456789ab", 1, 1.7e9, 1.7e9 + 86_400)
ANSWER = b'{"message":"Payload stored successfully."}'
ANSWER_HEADERS = (
    ("Content-Type", "application/json"),
    ("Cache-Control", "no-cache, private"),
    ("X-RateLimit-Limit", "60"),
    ("X-RateLimit-Remaining", "59"),
)
RARE = EntryFilter(kind="inbound", company="acme", vanity_url="rare")


def record(journal: Journal, number: int) -> None:
    vanity_url = "rare" if number % 1000 == 0 else "orders"
    body = json.dumps({"order": str(number), "note": f"{number:>08}" * 120}).encode()
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
        method="POST",
        path=f"/v1/acme/{vanity_url}",
        query="",
        headers=tuple((name, "".join(value)) for name, value in headers),
        remote_addr="127.0.0.1",
        received_at=1.7e9 + number / 1000,
        wall_time=1.7e9 + number / 1000,
        body=body,
        body_size=len(body),
        kind="inbound",
        company="acme",
        vanity_url=vanity_url,
        client_id="9d3f6a52-7c1e-4b8a-9f00-5d2c7e1b4a90",
        accepted=True,
        token=TOKEN,
    )
    journal.close(exchange, 200, ANSWER_HEADERS, ANSWER)


def median_us(action: Callable[[], object], repeats: int = 21) -> float:
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return statistics.median(times) * 1e6


def measure(size: int) -> None:
    journal = Journal("bench", lambda: 10**9, lambda: 10**12)
    for number in range(size):
        record(journal, number)
    # Of the rare service the last entries only: how many of them there are grows with the journal.
    last_rare = next(journal.newest_first(RARE)).seq
    after = last_rare - 1
    expectation = Expectation(
        View(RARE, only_accepted=True), Pattern(json_contains={"order": str(last_rare - 1)}), Times(1, 1), after=after
    )
    missing = EntryFilter(kind="inbound", company="acme", vanity_url="missing")
    row = {
        "record": median_us(lambda: record(journal, 1), 201),
        "wait": median_us(lambda: journal.wait(RARE, 1, 0, after=after)),
        "wait, none": median_us(lambda: journal.wait(missing, 1, 0)),
        "page, filtered": median_us(lambda: journal.page(RARE, after, 100)),
        "page, by cursor": median_us(lambda: journal.page(EntryFilter(kind="inbound"), size // 2, 100)),
        "assert": median_us(lambda: verify(journal, expectation)),
    }
    print(f"{size:>9}" + "".join(f"  {value:>15.1f}" for value in row.values()))


def memory(size: int) -> None:
    journal = Journal("bench", lambda: 10**9, lambda: 10**12)
    record(journal, 0)
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    body_bytes = -journal.bytes
    for number in range(1, size + 1):
        record(journal, number)
    used = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    counted = journal.bytes + body_bytes
    body = sum(len(entry.body) for entry in journal.entries()) / len(journal)
    per_entry, counted_per_entry = used / size, counted / size
    print(
        f"memory: {per_entry:,.0f} bytes an entry, {body:,.0f} of them body; the bound counts {counted_per_entry:,.0f}"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    options = parser.parse_args()
    memory(20_000)
    names = ("record", "wait", "wait, none", "page, filtered", "page, by cursor", "assert")
    print("\nmicroseconds\n  entries" + "".join(f"  {name:>15}" for name in names))
    for size in options.sizes:
        measure(size)
    return 0


if __name__ == "__main__":
    sys.exit(main())
