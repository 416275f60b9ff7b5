"""What fault rules cost that do not act: 1,000 of them against none, in pairs, in this process."""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable

from benchmarks.in_process import Client
from benchmarks.plan import Plan
from benchmarks.report import Outcome, Section, Table, Target
from benchmarks.rounds import interleaved, median_ratio
from sandbox.faults import FaultRule, make_rule, status
from sandbox.state.sandbox import Sandbox

NAME = "faults"
TITLE = "Fault rules that do not act"
RULES = 1_000
TARGETS: tuple[Target, ...] = (Target(f"a request with {RULES:,} rules that do not act", "≤ 1.5 × without"),)
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


def run(plan: Plan) -> Section:
    """Compare each set of rules with none."""
    requests = plan.amount(200, 100)
    found = {name: compare(rule_set, plan.amount(15, 3), requests) for name, rule_set in RULE_SETS.items()}
    name, (worst, _, _) = max(found.items(), key=lambda item: item[1][0])
    rows = [[key, f"{ratio:.2f}", f"{without:.0f}", f"{loaded:.0f}"] for key, (ratio, without, loaded) in found.items()]
    return Section(
        [Outcome(TARGETS[0], f"{worst:.2f} × at worst ({name})", worst <= 1.5)],
        [Table("µs a request without sockets.", [f"{RULES:,} rules for …", "ratio", "without", "with"], rows)],
    )


def compare(rule_set: Callable[[int], FaultRule], pairs: int, requests: int) -> tuple[float, float, float]:
    """Return the median of the pairs' ratios, and µs a request without and with the rules."""
    without, loaded = (Client(Sandbox(settings={"journal_entries": 1_000})) for _ in range(2))
    loaded.sandbox.platform.faults.add_all([rule_set(number) for number in range(RULES)])
    for client in (without, loaded):
        client.seconds(requests, BODY)  # warm
    times = interleaved(
        pairs,
        {
            "without": lambda: without.seconds(requests, BODY),
            "loaded": lambda: loaded.seconds(requests, BODY),
        },
    )
    per_request = [statistics.median(taken) / requests * 1e6 for taken in times.values()]
    return median_ratio(times["loaded"], times["without"]), per_request[0], per_request[1]
