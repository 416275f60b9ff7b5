"""Fragments of the fidelity ledger: the rows that a recording confirms, in the form of ``fidelity.yaml``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from sandbox.foundation.strict_json import write_json
from sandbox.journal.endpoint_kind import INBOUND, TOKEN
from sandbox.platform.fidelity import Row, load_ledger
from sandbox.testing.compare.recording import Recording
from sandbox.testing.compare.replay import Replayed

SOURCE: Final = "recording"

ROWS: Final[Mapping[str, tuple[str, ...]]] = {
    "token": ("1.9",),
    "token for 24 hours": ("1.10",),
    "token by GET": ("1.8",),
    "stored": ("1.12", "1.17"),
    "token_expired": ("1.14", "W4"),
    "no_token": ("W4",),
    "malformed_token": ("W4",),
    "unknown_token": ("W4",),
    "missing_scope": ("W5",),
    "other_connector": ("1.18",),
    "unknown_service": ("O4",),
    "inactive_service": ("1.20",),
    "blank_payload": ("1.16", "O2"),
    "entity_mismatch": ("1.16", "W10"),
    "payload_too_large": ("1.16",),
    "rate_limited": ("W8",),
    "method_override": ("W16",),
    "unsupported_grant_type": ("W3",),
    "unknown_client": ("W3",),
    "wrong_secret": ("W3",),
    "unknown_scope": ("W3",),
    "missing_client_id": ("W3",),
    "missing_client_secret": ("W3",),
}
"""The rows that an answer confirms, by the reason in the journal, or by the name of a good answer."""


def confirmed(found: Sequence[Replayed]) -> dict[str, int]:
    """Return how many exchanges that were answered alike confirm each row of the ledger."""
    counts: dict[str, int] = {}
    for each in found:
        for row in () if each.differences else _rows(each):
            counts[row] = counts.get(row, 0) + 1
    return counts


def _rows(found: Replayed) -> Iterator[str]:
    code = (found.reason or "").partition(":")[0]
    if code:
        yield from ROWS.get(code, ())
    elif found.answer.status < 300 and found.kind == TOKEN.name:
        yield from ROWS["token"]
        yield from ROWS["token by GET"] if found.exchange.request.method == "GET" else ()
        yield from ROWS["token for 24 hours"] if b'"expires_in":86400' in found.answer.body else ()
    elif found.answer.status < 300 and found.kind == INBOUND.name:
        yield from ROWS["stored"]


def fragment(recording: Recording, found: Sequence[Replayed], settings: Mapping[str, Any]) -> str:
    """Return the fragment, YAML; none where nothing was confirmed, and none for a recording of the sandbox itself.

    ``found`` are the answers under ``settings``, which explain the recording. Their rows are part of the fragment.
    """
    if recording.is_own:
        return ""
    counts = confirmed(found)
    rows = [row for row in load_ledger().rows if row.id in counts or set(row.settings) & settings.keys()]
    if not rows:
        return ""
    day = f"{recording.dates[0]:%Y-%m-%d}" if recording.dates else "an unknown day"
    source = f"confirmed by a recording of {day}, {', '.join(recording.hosts)}"
    head = f"sources:\n  {SOURCE}: {write_json(source)}\nrows:\n"
    return "".join([head, *(_row(row, counts, settings) for row in rows)])


def _row(row: Row, counts: Mapping[str, int], settings: Mapping[str, Any]) -> str:
    said = [f"answers: {counts[row.id]}"] if row.id in counts else []
    said += [f"with {name} = {settings[name]}" for name in row.settings if name in settings]
    import yaml

    document = {
        "id": row.id,
        "behaviour": row.behaviour,
        "tags": list(row.tags),
        "sources": [*row.sources, SOURCE],
        **({"settings": list(row.settings)} if row.settings else {}),
    }
    written = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=10_000, default_flow_style=None)
    first, *more = written.splitlines()
    return "\n".join([f"  # {', '.join(said)}", f"  - {first}", *(f"    {line}" for line in more), ""])
