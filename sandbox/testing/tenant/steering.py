"""What a tenant may do to a sandbox: fault rules for its own requests, and no more than look at the clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NoReturn

from sandbox.faults.book import RuleState
from sandbox.faults.rules import FaultRule, Match
from sandbox.foundation.errors import NotFoundError, SharedSandboxError
from sandbox.journal.endpoint import endpoint_kind
from sandbox.testing.backend import FaultRules, SandboxClock


@dataclass(frozen=True)
class TenantFaults:
    """Rules that act on a tenant's requests only; those of others are not seen and not removed.

    A rule for inbound URLs is narrowed to the first company unless it names one, any other to the first OAuth client.
    """

    faults: FaultRules
    companies: tuple[str, ...]
    client_ids: tuple[str, ...]

    def add(self, rule: FaultRule) -> RuleState:
        """Put a rule behind those there are."""
        return self.faults.add(replace(rule, match=self._narrowed(rule.match)))

    def add_preset(self, name: str, match: Mapping[str, object]) -> list[RuleState]:
        """Put the rules of a preset behind those there are, for the first OAuth client unless another is named."""
        return self.faults.add_preset(name, {"client_id": self._first_client(), **match})

    def presets(self) -> dict[str, str]:
        """Return the stories of the presets by name."""
        return self.faults.presets()

    def rules(self) -> list[RuleState]:
        """Return the tenant's rules."""
        return [state for state in self.faults.rules() if self._owns(state.rule.match)]

    def get(self, rule_id: str) -> RuleState:
        """Return a rule of the tenant, or raise ``NotFoundError``."""
        known = {state.id: state for state in self.rules()}
        if rule_id not in known:
            raise NotFoundError("fault rule", rule_id, known)
        return known[rule_id]

    def remove(self, rule_id: str) -> RuleState:
        """Remove a rule of the tenant, or raise ``NotFoundError``."""
        return self.faults.remove(self.get(rule_id).id)

    def clear(self) -> int:
        """Remove the tenant's rules; return how many there were."""
        return len([self.faults.remove(state.id) for state in self.rules()])

    def _owns(self, match: Match) -> bool:
        return match.company in self.companies or match.client_id in self.client_ids

    def _narrowed(self, match: Match) -> Match:
        if self._owns(match):
            return match
        endpoint = endpoint_kind(match.endpoint)
        if endpoint is not None and "company" in endpoint.subject:
            return replace(match, company=self.companies[0])
        return replace(match, client_id=self._first_client())

    def _first_client(self) -> str:
        if not self.client_ids:
            raise NotFoundError("OAuth client", f"of company {self.companies[0]}")
        return self.client_ids[0]


@dataclass(frozen=True)
class SharedClock:
    """A clock that can be read."""

    clock: SandboxClock

    def now(self) -> datetime:
        """Return the sandbox time as an aware UTC datetime."""
        return self.clock.now()

    def timestamp(self) -> float:
        """Return the sandbox time in Unix seconds."""
        return self.clock.timestamp()

    @property
    def frozen(self) -> bool:
        """Whether the clock stands still."""
        return self.clock.frozen

    @property
    def rate(self) -> float:
        """Sandbox seconds a real second."""
        return self.clock.rate

    def advance(self, duration: object = None, **units: float) -> NoReturn:
        """Refuse, as everything below does: others' tokens would expire."""
        refuse("moving the clock")

    def travel_to(self, instant: object) -> NoReturn:
        """Refuse."""
        refuse("moving the clock")

    def freeze(self) -> NoReturn:
        """Refuse."""
        refuse("freezing the clock")

    def unfreeze(self) -> NoReturn:
        """Refuse."""
        refuse("unfreezing the clock")

    def set_rate(self, rate: object) -> NoReturn:
        """Refuse."""
        refuse("changing the clock's rate")

    def follow(self) -> NoReturn:
        """Refuse."""
        refuse("moving the clock")

    def travel(self, duration: object = None, **units: float) -> NoReturn:
        """Refuse."""
        refuse("moving the clock")

    def reset(self) -> NoReturn:
        """Refuse."""
        refuse("moving the clock")


def refuse(what: str) -> NoReturn:
    """Raise ``SharedSandboxError``."""
    raise SharedSandboxError(
        f"{what} would disturb the other tests that use this sandbox; use revoke_tokens() to have tokens refused and "
        "faults for the rest, or run this test without isolate"
    )
