"""The page of findings: refusals by their reason, violations of the contract, and payloads that were stored twice."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Final, TypeAlias

from flask import render_template, request

from sandbox.journal.attempts import find_duplicates
from sandbox.journal.contract_rules import RULES
from sandbox.journal.endpoint_kind import INBOUND
from sandbox.journal.entry import Entry
from sandbox.journal.filter import code_of
from sandbox.journal.reasons import find_reason
from sandbox.platform.endpoints import violations_of
from sandbox.web.control.base import current_sandbox
from sandbox.web.dashboard.blueprint import PAGES, pages
from sandbox.web.dashboard.selection import cursor

SEARCHED: Final = 1_000
"""Requests that a page looks at; a cursor leads to those before them."""

_NAMED: Final = 8
"""Requests of a finding that the page names, the newest ones."""

_GROUPS: Final = 100
"""Payloads stored twice that the page shows."""


@dataclass(slots=True)
class Finding:
    """Requests in which the same was found. ``text`` is the cause, ``advice`` the remedy."""

    code: str
    text: str
    advice: str
    count: int = 0
    named: list[Entry] = field(default_factory=list)


_Found: TypeAlias = tuple[Entry, str, str, str]
"""A request with the code, the text and the advice of what was found in it."""


@pages.get(f"{PAGES}/findings")
def findings() -> str:
    """Show what was found in a window of requests, the newest ones unless ``before`` is given."""
    journal = current_sandbox().journal
    before = cursor(request.args.get("before", ""))
    entries = list(islice(journal.newest_first(before=before), SEARCHED + 1))
    looked = entries[:SEARCHED]
    duplicates = find_duplicates(entry for entry in reversed(looked) if entry.kind == INBOUND.name)
    return render_template(
        "findings.html",
        rejections=_most_first(_rejections(looked)),
        violations=_most_first(_violations(looked)),
        duplicates=duplicates[: -_GROUPS - 1 : -1],
        repeated=len(duplicates),
        looked=looked,
        older=looked[-1].seq if len(entries) > SEARCHED else None,
        before=before,
        named=_NAMED,
    )


def _rejections(entries: Iterable[Entry]) -> Iterator[_Found]:
    for entry in entries:
        if entry.outcome == "rejected":
            reason = find_reason(entry.reason)
            words = (reason.meaning, reason.advice) if reason else (f"Answered with {entry.status}.", "")
            yield entry, code_of(entry.reason), *words


def _violations(entries: Iterable[Entry]) -> Iterator[_Found]:
    for entry in entries:
        for code in dict.fromkeys(violation.code for violation in violations_of(entry)):
            yield entry, code, RULES[code].says, RULES[code].remedy


def _most_first(found: Iterable[_Found]) -> list[Finding]:
    """Return the findings by how many requests they have, which come newest first."""
    findings: dict[str, Finding] = {}
    for entry, code, text, advice in found:
        finding = findings.setdefault(code, Finding(code, text, advice))
        finding.count += 1
        if finding.count <= _NAMED:
            finding.named.append(entry)
    return sorted(findings.values(), key=lambda finding: -finding.count)
