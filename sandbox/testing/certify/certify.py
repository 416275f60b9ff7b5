"""Certification: runs a client through storms, one after the other, and judges the journal of each run."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Final

from sandbox.faults.fault import stage_of
from sandbox.faults.rules import FaultRule
from sandbox.faults.sequence import steps_of
from sandbox.foundation.errors import InvalidValueError, SandboxError
from sandbox.foundation.json_path import compile_json_path
from sandbox.foundation.real_time import monotonic
from sandbox.journal.endpoint_kind import INBOUND, PAYLOADS
from sandbox.journal.entry import Entry
from sandbox.journal.filter import EVERY_ENTRY, EntryFilter
from sandbox.journal.redaction import redact_text
from sandbox.testing import verbs
from sandbox.testing.backend import Backend
from sandbox.testing.certify.checks import CHECKS, judged
from sandbox.testing.certify.client import Client, Command, Function
from sandbox.testing.certify.report import Report
from sandbox.testing.certify.run import STUCK, Outcome, Run
from sandbox.testing.certify.storms import CALM, MAX_TIMEOUT_S, Storm
from sandbox.testing.handle import Patchworks

Progress = Callable[[int, int, Storm, "Run | None"], object]
"""Is called before each storm with ``None``, and after it with its run."""

_SETTLES_S: Final = 2.0
_TICK_S: Final = 0.05
_LOOK_S: Final = 0.25
"""Seconds between two looks at the number of requests."""

_FAULTED: Final = EntryFilter(outcome="faulted")


def client_of(target: Callable[[Patchworks], object] | Sequence[str] | str) -> Client:
    """Return the client that a function, a command with its arguments, or a command line is."""
    if callable(target):
        return Function(target)
    if isinstance(target, str):
        import shlex

        return Command(shlex.split(target))
    return Command(target)


@dataclass(frozen=True)
class Trial:
    """A client and the sandbox in which it is judged.

    ``json_path`` selects the key of a payload, such as an order number; without it their bytes or JSON do.
    ``timeout_s`` replaces the time-outs of the storms. Raise ``InvalidValueError`` where one of the two cannot be used.
    """

    backend: Backend
    client: Client
    json_path: str | None = None
    timeout_s: float | None = None
    environment: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.timeout_s is not None and not 0 < self.timeout_s <= MAX_TIMEOUT_S:
            raise InvalidValueError("timeout", self.timeout_s, f"seconds above 0 and up to {MAX_TIMEOUT_S:g}")
        if self.json_path is not None:
            compile_json_path(self.json_path)

    def run(self, storm: Storm, calm: Run | None = None, limit: int | None = None) -> Run:
        """Reset the sandbox, let the storm begin, run the client, and return what the journal holds.

        The client is stopped at the time-out, and after about ``limit`` requests.
        """
        backend, sandbox = self.backend, Patchworks(self.backend)
        sandbox.reset()
        if storm.settings:
            sandbox.configure(**storm.settings)
        for rule in storm.rules:
            for meant in _at_payloads(rule, calm):
                backend.do(verbs.add_rule(meant))
        threading.Thread(target=_take_steps, args=(backend, storm), name="storm", daemon=True).start()
        given = {**_environment(sandbox, backend), "PATCHWORKS_STORM": storm.name, **self.environment}
        looked_at = monotonic()

        def is_enough() -> bool:
            nonlocal looked_at
            if limit is None or monotonic() < looked_at + _LOOK_S:
                return False
            looked_at = monotonic()
            return backend.journal.last_seq >= limit

        outcome = self.client.run(sandbox, given, self.timeout_s or storm.timeout_s, is_enough)
        _settle(backend)
        sandbox.faults.clear()  # aborts what the client may still wait for
        entries, events = tuple(backend.journal.entries()), tuple(backend.journal.events())
        tail = backend.journal.secrets.redact(redact_text(outcome.output))
        return Run(storm, entries, events, replace(outcome, output=tail), self.json_path, calm)


def certify(
    trial: Trial, storms: Sequence[Storm], progress: Progress = lambda number, total, storm, run: None
) -> Report:
    """Run a client through storms and judge it. The sandbox is reset before each storm and after the last.

    A client that sends far more requests than in the calm storm is stopped before its time-out. The first storm is the
    calm one; where the client sends nothing in it, the others are not run, nor those after a function that did not end.
    Raise ``InvalidValueError`` where the client cannot be run.
    """
    runs: list[Run] = []
    calm: Run | None = None
    for number, storm in enumerate(storms, 1):
        progress(number, len(storms), storm, None)
        is_stuck = trial.client.is_stuck
        if is_stuck or (calm is not None and not calm.entries):
            run = Run(storm, (), (), Outcome(None, 0.0, STUCK if is_stuck else ""), trial.json_path, calm)
        else:
            run = trial.run(storm, calm, None if calm is None else 1_000 + 20 * len(calm.entries))
        calm = run if storm.name == CALM else calm
        runs.append(run)
        progress(number, len(storms), storm, run)
    Patchworks(trial.backend).reset()
    named = {name for storm in storms for name in storm.judges}
    verdicts = tuple(judged(check, runs) for check in CHECKS.values() if check.name in named)
    return Report(redact_text(trial.client.name), verdicts, tuple(runs))


def _at_payloads(rule: FaultRule, calm: Run | None) -> list[FaultRule]:
    """Return a rule for inbound URLs at the endpoints that got the client's payloads when nothing failed."""
    used = dict.fromkeys(entry.kind for entry in (calm.payloads if calm is not None else ()))
    if rule.match.endpoint != INBOUND.name or not used or rule.match.vanity_url is not None:
        return [rule]
    faults = [fault for fault in steps_of(rule.fault) if fault is not None]
    kinds = [kind for kind in used if all(fault.happens_at(stage_of(kind)) for fault in faults)]
    return [replace(rule, match=replace(rule.match, endpoint=kind)) for kind in kinds]


def _environment(sandbox: Patchworks, backend: Backend) -> dict[str, str]:
    company = sandbox.company
    services = [each for each in backend.do(verbs.services()) if each.company == company and each.active]
    if not services and any(flow.company == company for flow in backend.do(verbs.flows())):
        return sandbox.env
    if not services:
        raise InvalidValueError("services", company, "a company with an active service or a flow; name a seed with one")
    return {**sandbox.env, "PATCHWORKS_INBOUND_URL": sandbox.inbound(services[0].vanity_url).url}


def _take_steps(backend: Backend, storm: Storm) -> None:
    """Take each step once as many payloads were received; a reset ends the waiting."""
    sandbox = Patchworks(backend)
    with suppress(SandboxError):
        for step in storm.steps:
            found = backend.journal.wait(
                EVERY_ENTRY, step.after_payloads, MAX_TIMEOUT_S, matches=lambda entry: entry.kind in PAYLOADS
            )
            if len(found) < step.after_payloads:
                return
            if step.advance is not None:
                sandbox.clock.advance(step.advance)
            if step.revoke_tokens:
                sandbox.revoke_tokens()


def _settle(backend: Backend) -> None:
    """Wait until the server has seen the end of every connection that the client left: it learns of it a bit later."""
    deadline, never = monotonic() + _SETTLES_S, threading.Event()
    while monotonic() < deadline and any(map(_may_be_open, backend.journal.entries(_FAULTED))):
        never.wait(_TICK_S)


def _may_be_open(entry: Entry) -> bool:
    return entry.closed_after_ms is None and (entry.fault_kind == "hang" or entry.delay_ms > _SETTLES_S * 1000)
