"""``python -m benchmarks``: measure, and print the result as Markdown."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import NoReturn

from benchmarks.machine import busy, load_of_others, machine
from benchmarks.measures import MEASURES
from benchmarks.peers.installation import Installation, default_cache
from benchmarks.plan import Measure, Plan
from benchmarks.report import Outcome, Section, Table, not_measured, replaced, summary

_PATIENCE_S = 120.0
"""How long a run that writes the page waits for an idle machine: the installation before it counts as load."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmarks; return 0 whatever they say, so that only what is broken fails."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    parser = _parser()
    options = parser.parse_args(given)
    if options.write and options.only:
        parser.error("--write takes a whole run: a page with some figures of today and some of another day misleads")
    if options.write:
        replaced(options.write.read_text(encoding="utf-8"), "")  # rather now than after the whole run
        if (load := load_of_others(_PATIENCE_S)) is not None:
            parser.error(
                f"something else keeps this machine busy (load {load:.1f}); the page holds figures of an idle one. End "
                "it, or leave out --write to see the figures."
            )
    signal.signal(signal.SIGTERM, _stop)
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # pip compiled the peers; a second start finds ours compiled too
    plan = Plan(
        Installation(options.cache.absolute(), without=options.without_peers),
        quick=options.quick,
        rounds=options.rounds or (2 if options.quick else 5),
        seconds=options.seconds or (1 if options.quick else 2),
    )
    chosen = [measure for measure in MEASURES if not options.only or measure.NAME in options.only]
    block = report(plan, chosen, " ".join(["python -m benchmarks", *given]))
    if options.write:
        page = options.write.read_text(encoding="utf-8")
        options.write.write_text(replaced(page, block), encoding="utf-8")
        print(f"written to {options.write}", file=sys.stderr)
    else:
        print(block)
    return 0


def report(plan: Plan, measures: Sequence[Measure], command: str) -> str:
    """Measure and return the result as Markdown."""
    now, began, facts, warning = datetime.now(timezone.utc), time.perf_counter(), machine(), busy()
    sections = []
    for measure in measures:
        print(f"{measure.NAME} …", file=sys.stderr, flush=True)
        sections.append((measure, _measured(measure, plan)))
    outcomes: list[Outcome] = [outcome for _, section in sections for outcome in section.outcomes]
    facts += [(name, version) for name, version in plan.versions.items()]
    facts += [(name, f"skipped: {why}") for name, why in plan.skipped.items()]
    minutes = (time.perf_counter() - began) / 60
    kind = "a quick run: the figures are rough" if plan.quick else f"{plan.rounds} rounds"
    parts = [
        f"Measured on {now:%Y-%m-%d} in {minutes:.0f} minutes by `{command}` ({kind}).",
        warning or "",
        Table("", ["", ""], facts).markdown(),
        "### Summary",
        summary(outcomes).markdown(),
    ]
    for measure, section in sections:
        parts += [f"### {measure.TITLE}", section.markdown()]
    return "\n\n".join(part for part in parts if part)


def _measured(measure: Measure, plan: Plan) -> Section:
    try:
        return measure.run(plan)
    except Exception as error:  # noqa: BLE001 - one measure that breaks must not cost the others
        print(f"  {measure.NAME} failed: {error}", file=sys.stderr)
        return not_measured(measure.TARGETS, f"{type(error).__name__}: {error}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure the sandbox and its peers.")
    names = [measure.NAME for measure in MEASURES]
    parser.add_argument("--quick", action="store_true", help="rough figures within five minutes")
    parser.add_argument("--only", nargs="+", metavar="NAME", choices=names, help=f"of {', '.join(names)}")
    parser.add_argument("--without-peers", action="store_true", help="install nothing, measure the sandbox alone")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="replace the generated part of a page")
    parser.add_argument("--rounds", type=_positive, help="rounds of load (5, quick: 2)")
    parser.add_argument("--seconds", type=_positive, help="length of one load (2, quick: 1)")
    parser.add_argument("--cache", type=Path, default=default_cache(), help="where peers are installed (%(default)s)")
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not allowed; allowed: whole numbers from 1 on")
    return number


def _stop(number: int, frame: object) -> NoReturn:
    raise SystemExit(128 + number)  # so that every block that started a process ends it


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
