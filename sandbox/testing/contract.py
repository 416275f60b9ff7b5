"""The contract violations of a test's requests, and the report with which a test fails on them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from itertools import groupby
from typing import Final

from sandbox.foundation.errors import InvalidValueError, SandboxError, cut, did_you_mean
from sandbox.foundation.printable import replace_unprintable
from sandbox.journal.contract_rules import RULES, Code, ContractViolation

MAX_REQUESTS: Final = 10
"""Requests that a report lists; it counts the rest."""

_WIDTH: Final = 240
_NAMED: Final = 4


class NotConformingError(AssertionError):
    """Requests do not conform to the published contract, or it is unknown whether they do; the message lists them."""


class UnjudgedError(SandboxError):
    """No violation was found, but the journal has dropped requests that nothing was held against."""


class ContractViolations(list[ContractViolation]):
    """Contract violations, those of the oldest request first.

    ``received`` is the number of requests that were held against the contract. ``lost`` is an upper bound for those
    that the journal has dropped before.
    """

    def __init__(self, violations: Iterable[ContractViolation] = (), *, received: int, lost: int) -> None:
        super().__init__(violations)
        self.received = received
        self.lost = lost

    def __repr__(self) -> str:
        """Return a text so short that pytest does not cut it."""
        named = [f"#{_number(found)} {found.code}" for found in self[:_NAMED]]
        more = f", … {len(self) - _NAMED} more" if len(self) > _NAMED else ""
        return f"[{', '.join(named)}{more}]"

    def but(self, allow: Iterable[str]) -> ContractViolations:
        """Return those with other codes; raise ``InvalidValueError`` for a code that does not exist."""
        allowed = read_codes(allow)
        rest = (found for found in self if found.code not in allowed)
        return ContractViolations(rest, received=self.received, lost=self.lost)

    def certain(self) -> ContractViolations:
        """Return these violations; raise ``UnjudgedError`` if there are none and requests were dropped."""
        if not self and self.lost:
            raise UnjudgedError(_loss(self.lost))
        return self

    def problem(self, at_least: int) -> str | None:
        """Return why the contract does not hold; ``None`` where it does, for at least so many requests."""
        lines = [*_listed(self)]
        if self.lost:
            lines.append(_loss(self.lost))
        if self.received < at_least:
            came = f"{self.received or 'no'} request{'s' if self.received > 1 else ''} came"
            lines.append(
                f"{came}, and at least {at_least} must be held against the contract: send one, or allow fewer "
                "(assert_contract(at_least=0), or for a test @pytest.mark.patchworks(contract='off'))"
            )
        return "\n".join(lines) or None


def read_codes(codes: object) -> frozenset[Code]:
    """Return codes of violations; raise ``InvalidValueError``, which lists the known ones."""
    given: Collection[object] = [codes] if isinstance(codes, str) or not isinstance(codes, Iterable) else list(codes)
    for code in given:
        if code not in RULES:
            raise InvalidValueError("allow", code, f"codes of contract violations; {did_you_mean(code, RULES)}")
    return frozenset(code for code in RULES if code in given)


def _number(violation: ContractViolation) -> str:
    return violation.request.rpartition("-")[2]


def _listed(violations: ContractViolations) -> Iterator[str]:
    """Yield lines: each request, the violations in it, and for the first of each code what the contract says."""
    if not violations:
        return
    requests = [(key, list(group)) for key, group in groupby(violations, key=lambda found: found.request)]
    verb = "does" if len(requests) == 1 else "do"
    documents = " and ".join(sorted({found.document for found in violations}))
    yield f"{len(requests)} of {violations.received} requests {verb} not conform to the contract ({documents}):"
    explained: set[Code] = set()
    for _, group in requests[:MAX_REQUESTS]:
        first = group[0]
        yield cut(replace_unprintable(f"  #{_number(first)} {first.method} {first.path}"), _WIDTH)
        for found in group:
            yield cut(replace_unprintable(f"      {found.code}: {found.message}"), _WIDTH)
            if found.code not in explained:
                explained.add(found.code)
                yield f"          contract: {found.rule}"
                yield f"          remedy: {found.remedy}"
    if (more := len(requests) - MAX_REQUESTS) > 0:
        yield f"  and {more} more request{'s' if more > 1 else ''}"


def _loss(lost: int) -> str:
    entries = "1 request was" if lost == 1 else f"up to {lost} requests were"
    return (
        f"{entries} not held against the contract, because the journal was full and dropped the entries: raise the "
        "setting journal_entries or journal_bytes, or reset more often"
    )
