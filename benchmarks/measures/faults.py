"""The cost of fault rules that do not act: 1,000 of them against none, in pairs, in this process."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable

from benchmarks.in_process import Client
from benchmarks.plan import Plan
from benchmarks.report import Outcome, Section, Table, Target
from benchmarks.rounds import interleaved
from sandbox.faults import FaultRule, make_rule, status
from sandbox.state.sandbox import Sandbox

NAME = "faults"
TITLE = "Fault rules that do not act"
RULES = 1_000
TARGETS: tuple[Target, ...] = (Target(f"a request with {RULES:,} rules that do not act", "≤ 1 ms more than without"),)
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
    costs = {name: (loaded - without) / RULES for name, (without, loaded) in found.items()}
    name, worst = max(costs.items(), key=lambda item: item[1])
    rows = [[key, f"{costs[key]:.2f}", f"{without:.0f}", f"{loaded:.0f}"] for key, (without, loaded) in found.items()]
    return Section(
        [Outcome(TARGETS[0], f"{worst:.2f} µs a rule at worst ({name})", worst <= 1)],
        [
            Table(
                "µs of processor time a request, without sockets.",
                [f"{RULES:,} rules for …", "a rule", "without", "with"],
                rows,
            )
        ],
    )


def compare(rule_set: Callable[[int], FaultRule], pairs: int, requests: int) -> tuple[float, float]:
    """Return µs of processor time a request without and with the rules: medians."""
    without, loaded = (Client(Sandbox(settings={"journal_entries": 1_000})) for _ in range(2))
    loaded.sandbox.platform.faults.add_all([rule_set(number) for number in range(RULES)])
    for client in (without, loaded):
        processor_seconds(client, requests)  # warm
    times = interleaved(
        pairs,
        {
            "without": lambda: processor_seconds(without, requests),
            "loaded": lambda: processor_seconds(loaded, requests),
        },
    )
    without_us, loaded_us = (statistics.median(taken) / requests * 1e6 for taken in times.values())
    return without_us, loaded_us


def processor_seconds(client: Client, requests: int) -> float:
    """Return the processor time of so many payloads."""
    began = time.process_time()
    for _ in range(requests):
        client.post(BODY)
    return time.process_time() - began
