"""Which rules may concern a request, found without looking at those that cannot.

Made anew when the rules change, not when a request comes. Rules are grouped by which of their conditions compare a
plain value (endpoint, company, vanity URL, client, method, headers), and within a group they are found by these values
in one look-up; what is left is told apart by the body. A thousand rules for other services, clients or order numbers
cost a request what one costs.

An index is for a stretch of time between two ends of the rules' time windows: within it the same rules are in force.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias

from sandbox.faults.body_index import BodyIndex
from sandbox.faults.body_match import Body
from sandbox.faults.rules import Faultable, Match

if TYPE_CHECKING:
    from sandbox.faults.book import ArmedRule

_Numbered: TypeAlias = "tuple[int, ArmedRule]"
_HEADER = "header:"


class _Bucket:
    """Rules with the same plain conditions."""

    __slots__ = ("by_body", "rules")

    def __init__(self) -> None:
        self.rules: list[_Numbered] = []
        self.by_body: BodyIndex[_Numbered] | None = None

    def add(self, numbered: _Numbered) -> None:
        json_path = numbered[1].rule.match.json_path
        if json_path is None:
            self.rules.append(numbered)
            return
        if self.by_body is None:
            self.by_body = BodyIndex()
        self.by_body.add(json_path, numbered)


class RuleIndex:
    """A frozen arrangement of the rules in force at ``now``, good from ``start`` until before ``end``."""

    def __init__(self, rules: Sequence[ArmedRule], now: float) -> None:
        ends = [end for armed in rules for end in (armed.start, armed.end) if end is not None]
        self.start = max((end for end in ends if end <= now), default=-math.inf)
        self.end = min((end for end in ends if end > now), default=math.inf)
        groups: dict[tuple[str, ...], dict[tuple[str | None, ...], _Bucket]] = {}
        for number, armed in enumerate(rules):
            if armed.is_in_window(now):
                conditions = _plain_conditions(armed.rule.match)
                group = groups.setdefault(tuple(conditions), {})
                group.setdefault(tuple(conditions.values()), _Bucket()).add((number, armed))
        self._groups = tuple(groups.items())

    def candidates(self, request: Faultable, body: Body) -> Sequence[_Numbered]:
        """Return the rules whose plain conditions hold and whose others may, in the order of the rules."""
        found: list[_Numbered] = []
        for names, table in self._groups:
            bucket = table.get(tuple([_value(request, name) for name in names]))
            if bucket is None:
                continue
            found += bucket.rules
            if bucket.by_body is not None and body.document is not None:
                found += bucket.by_body.find(body.document)
        if len(found) > 1:
            found.sort(key=_number)
        return found


def _number(numbered: _Numbered) -> int:
    return numbered[0]


def _plain_conditions(match: Match) -> dict[str, str]:
    conditions = {
        name: value for name in ("company", "vanity_url", "client_id", "method") if (value := getattr(match, name))
    }
    if match.endpoint != "any":
        conditions["kind"] = match.endpoint
    headers = sorted((name.lower(), value) for name, value in match.headers.items() if value is not None)
    conditions.update((_HEADER + name, value) for name, value in headers)
    return conditions


def _value(request: Faultable, name: str) -> str | None:
    if name.startswith(_HEADER):
        return request.header(name[len(_HEADER) :])
    value: str | None = getattr(request, name)
    return value
