"""The page of findings: refusals by their reason, violations of the contract, and payloads that were stored twice."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from flask import render_template, request

from sandbox.journal.attempts import find_duplicates
from sandbox.journal.contract_rules import RULES
from sandbox.journal.endpoint import INBOUND
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

    def add(self, entry: Entry) -> None:
        """Count a request; the newest come first."""
        self.count += 1
        if len(self.named) < _NAMED:
            self.named.append(entry)


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
        rejections=_rejections(looked),
        violations=_violations(looked),
        duplicates=duplicates[: -_GROUPS - 1 : -1],
        repeated=len(duplicates),
        looked=looked,
        older=looked[-1].seq if len(entries) > SEARCHED else None,
        before=before,
        named=_NAMED,
    )


def _rejections(entries: Iterable[Entry]) -> list[Finding]:
    found: dict[str, Finding] = {}
    for entry in entries:
        if entry.outcome == "rejected":
            code, reason = code_of(entry.reason), find_reason(entry.reason)
            text, advice = (reason.meaning, reason.advice) if reason else (f"Answered with {entry.status}.", "")
            found.setdefault(code, Finding(code, text, advice)).add(entry)
    return _most_first(found)


def _violations(entries: Iterable[Entry]) -> list[Finding]:
    found: dict[str, Finding] = {}
    for entry in entries:
        for code in dict.fromkeys(violation.code for violation in violations_of(entry)):
            found.setdefault(code, Finding(code, RULES[code].says, RULES[code].remedy)).add(entry)
    return _most_first(found)


def _most_first(found: dict[str, Finding]) -> list[Finding]:
    return sorted(found.values(), key=lambda finding: -finding.count)
