"""The comparison of a recording with a sandbox, and the report on it: text for people, JSON for programs."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from sandbox.foundation.errors import cut
from sandbox.foundation.instants import format_instant
from sandbox.state.seed import Seed
from sandbox.testing.compare.explain import Proposal, proposals, shown_value
from sandbox.testing.compare.ledger import fragment
from sandbox.testing.compare.recording import Recording
from sandbox.testing.compare.replay import Replayed, Stage

MAX_EXCHANGES: Final = 1_000
"""Differing exchanges that a report names."""

MAX_DIFFERENCES: Final = 20
"""Differences of an exchange that a report names."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """The answers of a sandbox to a recording, the settings that explain differences, and a fragment of the ledger."""

    recording: Recording
    notes: tuple[str, ...]
    found: tuple[Replayed, ...]
    proposals: tuple[Proposal, ...]
    fragment: str

    @property
    def different(self) -> list[Replayed]:
        """The exchanges that were answered otherwise."""
        return [each for each in self.found if each.differences]


def compare(recording: Recording, seed: Seed) -> Comparison:
    """Replay a recording on a sandbox of its own; try settings where answers differ. Raise ``InputError``."""
    stage = Stage(recording, seed)
    found = stage.replay({})
    proposed = proposals(stage, found)
    best = proposed[0] if proposed else None
    settings = {} if best is None or best.broken else dict(best.settings)
    agreed = stage.replay(settings) if settings else found
    return Comparison(
        recording, tuple(stage.notes), tuple(found), tuple(proposed), fragment(recording, agreed, settings)
    )


def as_text(comparison: Comparison, exchanges: int = MAX_EXCHANGES) -> str:
    """Return the report, which names up to ``exchanges`` that differ."""
    return "\n".join(_lines(comparison, exchanges))


def _lines(comparison: Comparison, exchanges: int) -> Iterator[str]:
    recording, different = comparison.recording, comparison.different
    hosts, dates = ", ".join(recording.hosts) or "no host", recording.dates
    when = "" if dates is None else f", recorded from {format_instant(dates[0])} to {format_instant(dates[1])}"
    yield f"{recording.file}: {len(comparison.found)} exchanges with {hosts}{when}"
    if recording.left_out:
        said = ", ".join(f"{count} {why}" for why, count in recording.left_out.items())
        yield f"left out: {said}"
    yield from comparison.notes
    if recording.is_own:
        yield "It is the journal of a sandbox, and says nothing about the platform: no row of the ledger is confirmed."
    yield ""
    if not different:
        yield f"The sandbox answered all {len(comparison.found)} as recorded."
    else:
        yield f"{len(different)} of {len(comparison.found)} answers differ; recorded is expected, the sandbox's is got:"
        for each in different[:exchanges]:
            yield from _exchange_lines(each)
        if len(different) > exchanges:
            yield f"… and {len(different) - exchanges} more; --report FILE names up to {MAX_EXCHANGES}"
        yield ""
        yield from _proposal_lines(comparison.proposals)
    if comparison.fragment:
        yield from ("", "For the ledger of fidelity:", "", comparison.fragment.rstrip())


def _exchange_lines(found: Replayed) -> Iterator[str]:
    recorded, answer = found.exchange.answer.status, found.answer.status
    statuses = str(recorded) if recorded == answer else f"{recorded}, here {answer}"
    yield f"  {found.exchange.number}  {cut(found.exchange.name, 100)}  {statuses}"
    for each in found.differences[:MAX_DIFFERENCES]:
        yield f"     {cut(str(each), 300)}"
    if len(found.differences) > MAX_DIFFERENCES:
        yield f"     … and {len(found.differences) - MAX_DIFFERENCES} more"


def _proposal_lines(found: Sequence[Proposal]) -> Iterator[str]:
    if not found:
        yield "No setting explains a difference. Is the seed that of the platform? Name it with --seed-file."
        return
    yield from (str(each) for each in found)
    words = [(name.replace("_", "-"), shlex.quote(shown_value(value))) for name, value in found[0].settings.items()]
    yield f"Take it over: patchworks-sandbox serve {' '.join(f'--{name} {value}' for name, value in words)}"


def as_json(comparison: Comparison) -> dict[str, Any]:
    """Return the report for programs."""
    recording, different = comparison.recording, comparison.different
    return {
        "file": recording.file,
        "hosts": list(recording.hosts),
        "recorded": None if recording.dates is None else [format_instant(date) for date in recording.dates],
        "exchanges": len(comparison.found),
        "left_out": dict(recording.left_out),
        "notes": list(comparison.notes),
        "different": len(different),
        "differences": [
            {
                "request": each.exchange.number,
                "method": each.exchange.request.method,
                "path": each.exchange.request.path,
                "status": {"recorded": each.exchange.answer.status, "sandbox": each.answer.status},
                "reason": each.reason,
                "differences": [
                    {"path": found.path, "message": cut(found.message, 1_000)}
                    for found in each.differences[:MAX_DIFFERENCES]
                ],
                "more": max(0, len(each.differences) - MAX_DIFFERENCES),
            }
            for each in different[:MAX_EXCHANGES]
        ],
        "proposals": [{**asdict(each), "text": str(each)} for each in comparison.proposals],
        "ledger": comparison.fragment,
    }
