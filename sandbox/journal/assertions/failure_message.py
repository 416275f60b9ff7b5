"""The message of a failing assertion: the expectation, the received entries and an explanation, on one screen."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlencode

from sandbox.foundation.errors import cut
from sandbox.foundation.printable import replace_unprintable
from sandbox.journal.assertions.difference import show
from sandbox.journal.assertions.pattern import MAX_COMPARED, Pattern
from sandbox.journal.assertions.verify import CANDIDATES, NAMED, NearMiss, Verdict, View
from sandbox.journal.entry import Entry, seconds

MAX_LINES: Final = 40
_WIDTH: Final = 160
_DIFFERENCES: Final = 4
"""Differences shown of one entry."""


def report(verdict: Verdict, all_of_them: str | None = None) -> str:
    """Return the message about an expectation that does not hold.

    ``all_of_them`` shows all requests, not only those named; if left out, the control API does.
    """
    view, patterns = verdict.expectation.view, verdict.expectation.in_order
    lines = _expected(verdict) if patterns is None else _expected_order(verdict, patterns)
    near = () if verdict.earlier else verdict.near_misses
    lines += _near_misses(near, verdict.candidates)
    lines += _explanations(verdict.surroundings, near)
    return _joined(lines, _loss(verdict.dropped, verdict.lost), all_of_them or _by_control_api(view))


def _expected(verdict: Verdict) -> list[str]:
    expectation = verdict.expectation
    times, view, pattern = expectation.times, expectation.view, expectation.pattern
    within = "" if expectation.waited_s is None else f" within {seconds(expectation.waited_s)} s"
    plural = (times.at_least if times.at_most is None else times.at_most) != 1
    conditions = [f"  {condition}" for condition in pattern.describe()]
    said = f"expected {times} {_noun(view, plural, pattern)}{within}{' with' if conditions else ''}"
    return [said, *conditions, _outcome(verdict)]


def _expected_order(verdict: Verdict, patterns: Sequence[Pattern]) -> list[str]:
    found = verdict.found
    lines = [f"expected {len(patterns)} {_noun(verdict.expectation.view, True, *patterns)} in this order:"]
    for index, pattern in enumerate(patterns[:12]):
        if index < len(found):
            status = f"came as #{found[index].seq}"
        elif index > len(found):
            status = "not looked for"
        elif verdict.earlier is not None:
            status = f"came too early, as #{verdict.earlier.seq}"
        else:
            status = f"did not come after #{found[-1].seq}" if found else "did not come"
        lines.append(f"  {index + 1}. {'; '.join(pattern.describe()) or 'any'}  <- {status}")
    return lines


def _noun(view: View, plural: bool, *patterns: Pattern) -> str:
    accepted = "accepted " if view.meant_by(*patterns) is not view.filter else ""
    return accepted + (view.noun if plural else view.noun.replace("requests", "request", 1))


def _outcome(verdict: Verdict) -> str:
    count, times = verdict.count, verdict.expectation.times
    if verdict.total == 0:
        return "but nothing came"
    if count in times:
        return f"and {count} of {verdict.total} match, as far as is known"
    if count == 0:
        return f"but none of {verdict.total} matches" if verdict.total > 1 else "but the only one does not match"
    named = ", ".join(f"#{entry.seq}" for entry in verdict.matches)
    more = ", …" if count > len(verdict.matches) else ""
    return f"but {count} of {verdict.total} match: {named}{more}{_repetitions(verdict.matches)}"


def _repetitions(matches: Sequence[Entry]) -> str:
    """Return the note on payloads that came twice, as they do in a retry after a lost answer."""
    firsts: dict[bytes, int] = {}
    repeated = [
        (entry.seq, first) for entry in matches if (first := firsts.setdefault(entry.body, entry.seq)) != entry.seq
    ]
    return "".join(f"; #{seq} is #{first} again, byte for byte" for seq, first in repeated[:2])


def _near_misses(misses: Sequence[NearMiss], candidates: int) -> Iterator[str]:
    if not misses:
        return
    among = f" of the last {candidates}" if candidates >= CANDIDATES else f" of {candidates}"
    yield from ("", f"the nearest{among}:" if candidates > len(misses) else "nearest:")
    for miss in misses:
        yield f"  {entry_line(miss.entry)}"
        yield from (f"      {difference}" for difference in miss.differences[:_DIFFERENCES])
        if (more := len(miss.differences) - _DIFFERENCES) > 0:
            yield f"      and {more} more difference{'s' if more > 1 else ''}"
        if repeated := repeated_keys(miss.entry.body):
            keys = ", ".join(show(key) for key in repeated[:3])
            yield f"      note: the raw JSON repeats the key {keys} in an object; the last one counts"


def _explanations(surroundings: Mapping[str, Sequence[Entry]], near: Sequence[NearMiss]) -> Iterator[str]:
    above = {miss.entry.seq for miss in near}
    for title, entries in surroundings.items():
        shown = [entry for entry in entries[-NAMED:] if entry.seq not in above][-3:]
        if shown:
            some = f", {len(shown)} of them" if len(entries) > len(shown) else ""
            yield from ("", f"{title}: {len(entries)}{some}", *(f"  {entry_line(entry)}" for entry in shown))


def entry_line(entry: Entry) -> str:
    """Return an entry in one line: the request, the answer and the reason."""
    line = f"#{entry.seq} {entry.method} {entry.path} -> {entry.status or 'no answer'}"
    if entry.fault is not None:
        line += f", fault {entry.fault}" + (f" ({entry.effect})" if entry.effect else "")
        line += ", though the request was accepted" if entry.accepted else ""
    elif entry.reason is None:
        line += f" {entry.outcome}"
    elif entry.token is not None and entry.reason.startswith("token_expired"):
        line += f" token_expired: {entry.token_note}"
    else:
        line += f" {entry.reason}"
        line += "" if entry.token is None or entry.accepted else f" ({entry.token_note})"
    if entry.closed_after_ms is not None:
        line += f", the client hung up after {entry.closed_after_ms / 1000:.1f} s"
    # A path may hold what ends a line or steers a terminal, and this goes into reports and logs.
    return replace_unprintable(line)


def _loss(dropped: int, lost: int) -> list[str]:
    if not dropped:
        return []
    entries = "1 entry was" if dropped == 1 else f"{dropped} entries were"
    if not lost:
        return ["", f"{entries} dropped because the journal was full; none of them could have matched"]
    return [
        "",
        f"{entries} dropped because the journal was full, and {lost} of them may have matched.",
        "Raise the setting journal_entries or journal_bytes, or reset more often.",
    ]


def _joined(lines: Iterable[str], loss: list[str], all_of_them: str) -> str:
    """Fit the message to a screen; its end is never cut."""
    end = [*loss, "", f"all of them: {all_of_them}"]
    body = list(lines)
    room = MAX_LINES - len(end)
    if len(body) > room:
        body = [*body[: room - 1], f"({len(body) - room + 1} lines left out)"]
    return "\n".join(cut(line, _WIDTH) for line in [*body, *end])


def _by_control_api(view: View) -> str:
    given = view.filter.document.items()
    query = urlencode([(name, str(value).lower() if isinstance(value, bool) else value) for name, value in given])
    return f"GET /_sandbox/requests{query and '?'}{query} - one of them: /_sandbox/requests/<number>"


def repeated_keys(body: bytes) -> list[str]:
    """Return the keys that a JSON body has more than once in the same object; nothing for any other body."""
    repeated: list[str] = []

    def note(pairs: list[tuple[str, Any]]) -> None:
        keys = [key for key, _ in pairs]
        if len(set(keys)) < len(keys):
            repeated.extend(key for key in dict.fromkeys(keys) if keys.count(key) > 1)

    if len(body) <= MAX_COMPARED:
        try:
            json.loads(body, object_pairs_hook=note)
        except (ValueError, RecursionError):
            return []
    return list(dict.fromkeys(repeated))
