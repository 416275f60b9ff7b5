"""The rules in force, and the choice of the one that acts on a request.

Choosing is atomic: ``times`` is never exceeded under concurrent requests, and each step of a sequence is taken by
exactly one request. A rule that is used up stays listed with its count. Without rules a request pays for reading
``armed`` only; each rule that may still act is compared with each request, in order, until one acts.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, Final

from sandbox.faults.effects import Cancellation
from sandbox.faults.fault import PROCESSING, Act, stage_of
from sandbox.faults.matching import Faultable, Matcher
from sandbox.faults.rules import ANY, FaultRule, read_rule
from sandbox.faults.sequence import FaultSequence, steps_of
from sandbox.foundation.bounds import Count, Seconds
from sandbox.foundation.errors import InvalidValueError, NotFoundError
from sandbox.foundation.rng import Rng
from sandbox.foundation.strict_json import write_json
from sandbox.journal.event import Note


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
    """The fault rules in their order."""

    rules: tuple[RuleSnapshot, ...]
    last_number: Count


@dataclass(frozen=True, slots=True)
class RuleState:
    """A rule with its counts: ``seen`` counts the requests it matched, ``hits`` those it acted on, passes included."""

    id: str
    rule: FaultRule
    created_at: datetime
    seen: int
    hits: int
    used_up: bool

    def describe(self) -> str:
        """Return the rule in a few words: ``fault-1 (status; endpoint=inbound, vanity_url=orders)``."""
        conditions = ", ".join(
            name if name in ("headers", "json_path") else f"{name}={value}"  # those may hold secrets
            for name, value in self.rule.match.document().items()
        )
        kind = f"{self.rule.fault.kind}; {conditions}" if conditions else self.rule.fault.kind
        return f"{self.rule.name or self.id} ({kind})"


_LONG: Final = 64 * 1024
"""Characters of a rule that holds a long answer."""


class ArmedRule:
    """A rule in force with its counts, which the book's lock guards."""

    def __init__(self, id: str, rule: FaultRule, now: float) -> None:
        self.id = id
        self.rule = rule
        self.created_at = now
        self.cancellation = Cancellation()
        self.seen = 0
        self.hits = 0
        self.start = rule.since.timestamp() if rule.since else -math.inf
        self.end = rule.until.timestamp() if rule.until else math.inf
        if rule.lasts is not None:
            self.end = (self.start if rule.since else now) + rule.lasts
        self.matcher = Matcher(rule.match)
        self.steps = steps_of(rule.fault)
        limits = [] if rule.times is None else [rule.times]
        if isinstance(rule.fault, FaultSequence) and not rule.fault.repeat:
            limits.append(len(self.steps))
        self.limit = min(limits, default=None)
        self.may_take_long = (
            self.matcher.searches
            or any(step is not None and step.makes_key for step in self.steps)
            or len(write_json(rule.document())) > _LONG
        )
        """Whether a request may wait for the rule: for a search through its body, a key, or the search for secrets in
        a long answer."""

    @property
    def used_up(self) -> bool:
        """Whether it has acted as often as it may."""
        return self.limit is not None and self.hits >= self.limit

    def state(self) -> RuleState:
        """Return the rule with its counts."""
        created_at = datetime.fromtimestamp(self.created_at, timezone.utc)
        return RuleState(self.id, self.rule, created_at, self.seen, self.hits, self.used_up)


class FaultBook:
    """The fault rules of one emulated platform; safe to use from several threads. ``note`` notes each change."""

    def __init__(self, now: Callable[[], float], rng: Rng, note: Note = lambda *_, **__: None) -> None:
        self._now = now
        self._rng = rng
        self._note = note
        self._lock = threading.Lock()
        self._last_number = 0
        self._rules: dict[str, ArmedRule] = {}
        self._active: tuple[ArmedRule, ...] = ()
        self._active_processing: tuple[ArmedRule, ...] = ()
        self.armed = False
        """Whether any rule may still act on a request."""
        self.armed_processing = False
        """Whether any rule may still act on an item in processing."""
        self.before_processing_changes: Callable[[], object] = bool
        """Is called before rules for processing come or go, without the lock."""
        self.may_take_long = False
        """Whether a request may wait for one of these rules."""

    def add(self, rule: FaultRule) -> RuleState:
        """Add a rule after the others."""
        return self.add_all([rule])[0]

    def add_all(self, rules: Sequence[FaultRule]) -> list[RuleState]:
        """Add several rules after the others, in one step."""
        self._announce(rules)
        with self._lock:
            now = self._now()
            first = self._last_number + 1
            added = [ArmedRule(f"fault-{number}", rule, now) for number, rule in enumerate(rules, first)]
            self._last_number += len(added)
            self._rules.update((armed.id, armed) for armed in added)
            self._prepare()
            states = [armed.state() for armed in added]
        self._note_rules("on", added)
        return states

    def rules(self) -> list[RuleState]:
        """Return every rule in order, used up or not."""
        with self._lock:
            return [armed.state() for armed in self._rules.values()]

    def get(self, rule_id: str) -> RuleState:
        """Return a rule by its id, or raise ``NotFoundError``."""
        with self._lock:
            return self._known(rule_id).state()

    def remove(self, rule_id: str) -> RuleState:
        """Remove a rule; the answers that it delays or holds back are aborted. Raise ``NotFoundError``."""
        self._announce([self.get(rule_id).rule])
        with self._lock:
            armed = self._known(rule_id)
            del self._rules[rule_id]
            self._prepare()
            state = armed.state()
        self._note_rules("removed", [armed])
        armed.cancellation.set()
        return state

    def replace(self, rule_id: str, rule: FaultRule) -> RuleState:
        """Put a rule in the place of another, whose id it takes; its counts begin at 0. Raise ``NotFoundError``.

        The answers that the other rule delays or holds back are aborted.
        """
        self._announce([self.get(rule_id).rule, rule])
        with self._lock:
            replaced = self._known(rule_id)
            armed = self._rules[rule_id] = ArmedRule(rule_id, rule, self._now())
            self._prepare()
            state = armed.state()
        self._note_rules("changed", [armed])
        replaced.cancellation.set()
        return state

    def clear(self) -> int:
        """Remove every rule and return how many; the answers that they delay or hold back are aborted."""
        self._announce([state.rule for state in self.rules()])
        with self._lock:
            removed, self._rules = list(self._rules.values()), {}
            self._prepare()
        self._note_rules("removed", removed)
        for armed in removed:
            armed.cancellation.set()
        return len(removed)

    def _note_rules(self, change: str, rules: Sequence[ArmedRule]) -> None:
        for armed in rules:
            rule = armed.rule
            name = "" if rule.name is None else f" ({rule.name})"
            text = f"fault rule {armed.id}{name} {change}: {rule.fault.kind} at {rule.match.endpoint}"
            self._note("faults", text, company=rule.match.company, client_id=rule.match.client_id)

    def snapshot(self) -> FaultsSnapshot:
        """Return the rules with their counts."""
        with self._lock:
            rules = tuple(
                RuleSnapshot(armed.id, armed.rule.document(), armed.created_at, armed.seen, armed.hits)
                for armed in self._rules.values()
            )
            return FaultsSnapshot(rules, self._last_number)

    def restore(self, snapshot: FaultsSnapshot) -> None:
        """Replace the rules by those of a snapshot; raise ``InvalidValueError``."""
        rules = {kept.id: _armed(kept, f"platform.faults.rules[{at}]") for at, kept in enumerate(snapshot.rules)}
        with self._lock:
            self._rules = rules
            self._last_number = snapshot.last_number
            self._prepare()

    def choose(self, request: Faultable, *, in_front: bool = False, at: float | None = None) -> Act | None:
        """Return the fault that acts on a request; ``None`` if none does. The first rule that may act takes it.

        ``in_front`` is for a request that reaches no endpoint: only rules for any request look at it. ``at`` is the
        time in Unix seconds of an item in processing, which may have passed.
        """
        now = self._now() if at is None else at
        for armed in self._active_processing if request.kind == PROCESSING.name else self._active:
            if in_front and armed.rule.match.endpoint != ANY:
                continue
            if armed.start <= now < armed.end and armed.matcher.matches(request):
                taken, act = self._take(armed, request, now)
                if taken:
                    return act
        return None

    def _take(self, armed: ArmedRule, request: Faultable, now: float) -> tuple[bool, Act | None]:
        """Count a request that matches; return whether the rule takes it, and the fault unless it is a pass."""
        rule = armed.rule
        with self._lock:
            if armed.used_up or armed.cancellation.is_set:
                return False, None
            step = armed.steps[armed.hits % len(armed.steps)]
            if step is not None and not step.happens_at(stage_of(request.kind)):
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
            left = None if armed.end == math.inf else armed.end - now
            label = rule.name or armed.id
            chance, codings = self._rng.chance(), request.header("Accept-Encoding")
            return True, Act(label, step, rule.accept, chance, left, armed.cancellation, codings)

    def _announce(self, rules: Sequence[FaultRule]) -> None:
        if any(rule.processes for rule in rules):
            self.before_processing_changes()

    def _known(self, rule_id: str) -> ArmedRule:
        armed = self._rules.get(rule_id)
        if armed is None:
            raise NotFoundError("fault rule", rule_id, self._rules)
        return armed

    def _prepare(self) -> None:
        """List the rules that may still act in a new tuple; a request may be going through the old one."""
        active = [armed for armed in self._rules.values() if not armed.used_up]
        self._active = tuple(armed for armed in active if not armed.rule.processes)
        self._active_processing = tuple(armed for armed in active if armed.rule.processes)
        self.armed, self.armed_processing = bool(self._active), bool(self._active_processing)
        self.may_take_long = any(armed.may_take_long for armed in self._active)


def _armed(kept: RuleSnapshot, where: str) -> ArmedRule:
    try:
        armed = ArmedRule(kept.id, read_rule(kept.rule), kept.created_at)
    except InvalidValueError as error:
        raise error.at(f"{where}.rule.{error.field}") from None
    armed.seen, armed.hits = kept.seen, kept.hits
    return armed
