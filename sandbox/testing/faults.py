"""The fault rules of a sandbox as a test adds and removes them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from sandbox.faults.book import RuleState
from sandbox.faults.fault import Fault
from sandbox.faults.rules import make_rule
from sandbox.foundation.errors import did_you_mean
from sandbox.testing import verbs
from sandbox.testing.backend import Backend

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from sandbox.testing.keywords import MatchFields, RuleFields


class Faults:
    """The fault rules in force, in the order in which they are tried; a reset leaves those of the seed."""

    def __init__(self, backend: Backend) -> None:
        self._do = backend.do

    def add(self, fault: Fault | Mapping[str, Any], **fields: Unpack[RuleFields]) -> RuleState:
        """Add a rule: ``add(status(503), endpoint="inbound", vanity_url="orders", times=2)``.

        ``fields`` are those of the rule and of its match, side by side. Raise ``InvalidValueError``.
        """
        return self._do(verbs.add_rule(make_rule(fault, **fields)))

    def replace(
        self, rule: str | RuleState, fault: Fault | Mapping[str, Any], **fields: Unpack[RuleFields]
    ) -> RuleState:
        """Put a rule in the place of another, whose id it takes; its counts begin at 0. Raise ``NotFoundError``."""
        return self._do(verbs.replace_rule(_id(rule), make_rule(fault, **fields)))

    def preset(self, name: str, **match: Unpack[MatchFields]) -> list[RuleState]:
        """Add the rules of a preset, narrowed to requests that match: ``preset("slow-platform", vanity_url="orders")``.

        Raise ``NotFoundError``, which lists the known presets.
        """
        return self._do(verbs.add_preset(name, match))

    def presets(self) -> dict[str, str]:
        """Return the stories of the presets by name."""
        return self._do(verbs.presets())

    def idle(self) -> list[RuleState]:
        """Return the rules that have acted on no request."""
        return [state for state in self if not state.hits]

    def list(self) -> list[RuleState]:
        """Return every rule, used up or not, with its counts."""
        return self._do(verbs.rules())

    def get(self, rule: str | RuleState) -> RuleState:
        """Return the present state of a rule, by its id or an earlier state; raise ``NotFoundError``."""
        return self._do(verbs.rule(_id(rule)))

    def remove(self, rule: str | RuleState) -> None:
        """Remove a rule; answers that it delays or holds back are aborted at once. Raise ``NotFoundError``."""
        self._do(verbs.remove_rule(_id(rule)))

    def clear(self) -> None:
        """Remove every rule; answers that they delay or hold back are aborted at once."""
        self._do(verbs.clear_rules())

    def assert_all_acted(self) -> None:
        """Fail unless every rule has acted at least once; the message says which did not, and what they wait for."""
        __tracebackhide__ = True
        rules = self.list()
        idle = [state for state in rules if not state.hits]
        if idle:
            lines = [f"  {state.describe()}{self._why_not(state)}" for state in idle]
            raise AssertionError("\n".join([f"{len(idle)} of {len(rules)} fault rules never acted:", *lines]))

    def _why_not(self, state: RuleState) -> str:
        if state.seen:
            return f"; it matched {state.seen} requests, but never acted on one"
        wanted, services = state.rule.match.vanity_url, self._do(verbs.services())
        known = sorted({service.vanity_url for service in services})
        if wanted is None or wanted.lower() in known:
            return "; no request matched"
        return f"; there is no service {wanted!r}: {did_you_mean(wanted, known)}"

    def __repr__(self) -> str:
        return f"<Faults: {'; '.join(state.describe() for state in self.list()) or 'none'}>"

    def __iter__(self) -> Iterator[RuleState]:
        return iter(self.list())

    def __len__(self) -> int:
        return len(self.list())


def _id(rule: str | RuleState) -> str:
    return rule if isinstance(rule, str) else rule.id
