"""The rules in force, and who decides which of them acts on a request.

Choosing is atomic: whatever comes at the same time, ``times`` is never exceeded, and each step of a sequence is taken
by exactly one request. A rule that is used up stays listed with its count. Without rules all that a request pays is
reading ``armed``.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, cast

from sandbox.faults.cancellation import Cancellation
from sandbox.faults.index import Body, BodyCondition, RuleIndex, compile_condition
from sandbox.faults.kinds import FaultSequence, SingleFault
from sandbox.faults.rules import Faultable, FaultRule, read_rule
from sandbox.foundation.bounds import Count, Seconds
from sandbox.foundation.errors import InvalidValueError, NotFoundError
from sandbox.foundation.rng import Rng


@dataclass(frozen=True, slots=True)
class RuleSnapshot:
    """A fault rule with its counts; ``rule`` is what ``POST /_sandbox/faults`` takes."""

    id: str
    rule: dict[str, Any]
    created_at: Seconds
    seen: Count
    hits: Count


@dataclass(frozen=True, slots=True)
class FaultsSnapshot:
    """The fault rules in their order, and what chance will have it."""

    rules: tuple[RuleSnapshot, ...]
    last_number: Count
    random: bytes


@dataclass(frozen=True, slots=True)
class RuleState:
    """A rule as it stands. ``seen`` counts the requests it matched, ``hits`` those it acted on, passes included."""

    id: str
    rule: FaultRule
    created_at: datetime
    seen: int
    hits: int
    used_up: bool


@dataclass(frozen=True, slots=True)
class Act:
    """What is to happen to one request. ``chance`` is drawn evenly from [0, 1), for a fault that needs one."""

    rule_id: str
    label: str
    fault: SingleFault
    accept: bool
    chance: float
    window_left: float | None
    """Seconds until the rule's time window is over, if it has an end."""
    cancellation: Cancellation

    @property
    def handles(self) -> bool:
        """Whether the request is handled before the fault happens."""
        return self.accept or self.fault.handling != "skipped"

    @property
    def accepts(self) -> bool:
        """Whether what it asks for is done."""
        return self.accept or self.fault.handling == "done"

    @property
    def replaces_answer(self) -> bool:
        """Whether the client gets to see nothing of the platform's answer."""
        return self.fault.handling == "skipped"


class ArmedRule:
    """A rule in force with its counts, which the book's lock guards."""

    def __init__(self, id: str, rule: FaultRule, now: float) -> None:
        self.id = id
        self.rule = rule
        self.created_at = now
        self.cancellation = Cancellation()
        self.seen = 0
        self.hits = 0
        self.start = rule.since.timestamp() if rule.since else None
        self.end = rule.until.timestamp() if rule.until else None
        if rule.lasts is not None:
            self.end = (now if self.start is None else self.start) + rule.lasts
        self.condition: BodyCondition = compile_condition(rule.match.json_path)
        self.present = tuple(name for name, value in rule.match.headers.items() if value is None)
        sequence = rule.fault if isinstance(rule.fault, FaultSequence) else None
        self.steps = cast("tuple[SingleFault | None, ...]", sequence.steps if sequence else (rule.fault,))
        limits = [rule.times, len(self.steps) if sequence and not sequence.repeat else None]
        self.limit = min((limit for limit in limits if limit is not None), default=None)

    @property
    def used_up(self) -> bool:
        """Whether it has acted as often as it may."""
        return self.limit is not None and self.hits >= self.limit

    def is_in_window(self, now: float) -> bool:
        """Return whether its time window is open, if it has one."""
        return (self.start is None or self.start <= now) and (self.end is None or now < self.end)

    def holds(self, request: Faultable, body: Body) -> bool:
        """Return whether the conditions hold that the index does not look at."""
        if self.present and any(request.header(name) is None for name in self.present):
            return False
        return not self.condition or body.meets(self.condition)

    def state(self) -> RuleState:
        """Return how it stands."""
        created_at = datetime.fromtimestamp(self.created_at, timezone.utc)
        return RuleState(self.id, self.rule, created_at, self.seen, self.hits, self.used_up)


class FaultBook:
    """The fault rules of one emulated platform; safe to use from several threads."""

    def __init__(self, now: Callable[[], float], rng: Rng) -> None:
        self._now = now
        self._rng = rng
        self._lock = threading.Lock()
        self._last_number = 0
        self._rules: dict[str, ArmedRule] = {}
        self._index = RuleIndex((), 0.0)
        self.armed = False
        """Whether any rule may still act."""

    def add(self, rule: FaultRule) -> RuleState:
        """Put a rule behind those there are."""
        return self.add_all([rule])[0]

    def add_all(self, rules: Sequence[FaultRule]) -> list[RuleState]:
        """Put several rules behind those there are, in one step."""
        with self._lock:
            now = self._now()
            added = [ArmedRule(self._next_id(), rule, now) for rule in rules]
            self._rules.update((armed.id, armed) for armed in added)
            self._prepare()
            return [armed.state() for armed in added]

    def rules(self) -> list[RuleState]:
        """Return every rule in order, used up or not."""
        with self._lock:
            return [armed.state() for armed in self._rules.values()]

    def get(self, rule_id: str) -> RuleState:
        """Return a rule by its id, or raise ``NotFoundError``."""
        with self._lock:
            return self._known(rule_id).state()

    def remove(self, rule_id: str) -> RuleState:
        """Remove a rule; answers that it delays or holds back are aborted at once. Raise ``NotFoundError``."""
        with self._lock:
            armed = self._known(rule_id)
            del self._rules[rule_id]
            self._prepare()
            state = armed.state()
        armed.cancellation.set()
        return state

    def clear(self) -> int:
        """Remove every rule and return how many; answers they delay or hold back are aborted at once."""
        with self._lock:
            removed, self._rules = list(self._rules.values()), {}
            self._prepare()
        for armed in removed:
            armed.cancellation.set()
        return len(removed)

    def snapshot(self) -> FaultsSnapshot:
        """Return the rules with their counts, and the state of chance."""
        with self._lock:
            rules = tuple(
                RuleSnapshot(armed.id, armed.rule.document(), armed.created_at, armed.seen, armed.hits)
                for armed in self._rules.values()
            )
            return FaultsSnapshot(rules, self._last_number, self._rng.snapshot())

    def restore(self, snapshot: FaultsSnapshot) -> None:
        """Take the place of the book that held these rules; raise ``InvalidValueError``."""
        rules = {kept.id: _armed(kept, f"platform.faults.rules[{at}]") for at, kept in enumerate(snapshot.rules)}
        self._rng.restore(snapshot.random, "platform.faults.random")
        with self._lock:
            self._rules = rules
            self._last_number = snapshot.last_number
            self._prepare()

    def choose(self, request: Faultable) -> Act | None:
        """Return what is to happen to a request; ``None`` if it is served as ever. Counts it."""
        body, now, index = Body(request.json), self._now(), self._index
        if not index.start <= now < index.end:
            with self._lock:
                self._prepare()
                index = self._index
        for _, armed in index.candidates(request, body):
            if armed.holds(request, body):
                taken, act = self._take(armed, request, now)
                if taken:
                    return act
        return None

    def _take(self, armed: ArmedRule, request: Faultable, now: float) -> tuple[bool, Act | None]:
        rule = armed.rule
        with self._lock:
            if armed.used_up or armed.cancellation.is_set or not armed.is_in_window(now):
                return False, None
            step = armed.steps[armed.hits % len(armed.steps)]
            if step is not None and request.kind != "other" and request.kind not in step.endpoints:
                return False, None
            if step is not None and request.kind == "other" and "any" not in step.endpoints:
                return False, None
            armed.seen += 1
            turn = armed.seen - rule.after
            if turn <= 0 or turn % rule.every:
                return False, None
            if rule.probability < 1 and self._rng.chance() >= rule.probability:
                return False, None
            armed.hits += 1
            if armed.used_up:
                self._prepare()
            if step is None:
                return True, None
            left = None if armed.end is None else armed.end - now
            label = rule.name or armed.id
            return True, Act(armed.id, label, step, rule.accept, self._rng.chance(), left, armed.cancellation)

    def _next_id(self) -> str:
        self._last_number += 1
        return f"fault-{self._last_number}"

    def _known(self, rule_id: str) -> ArmedRule:
        armed = self._rules.get(rule_id)
        if armed is None:
            raise NotFoundError("fault rule", rule_id, self._rules)
        return armed

    def _prepare(self) -> None:
        """Arrange the rules that may act now; what is being looked through at the moment stays as it was."""
        active = [armed for armed in self._rules.values() if not armed.used_up]
        self._index = RuleIndex(active, self._now())
        self.armed = bool(active)


def _armed(kept: RuleSnapshot, where: str) -> ArmedRule:
    try:
        armed = ArmedRule(kept.id, read_rule(kept.rule), kept.created_at)
    except InvalidValueError as error:
        raise InvalidValueError(f"{where}.rule.{error.field}", error.given, error.allowed) from None
    armed.seen, armed.hits = kept.seen, kept.hits
    return armed
