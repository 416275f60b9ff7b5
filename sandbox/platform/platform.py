"""The emulated platform between two resets: its tables, tokens, rate limits, faults and journal.

A reset replaces the whole object. A request in flight keeps the one it began with, so nothing late can reach the new
journal. ``sandbox.platform.serve`` serves requests with it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from sandbox.faults.book import FaultBook
from sandbox.faults.fault import Act, TokenTerms
from sandbox.foundation.answer import Answer, Headers
from sandbox.foundation.clock import Clock
from sandbox.foundation.rng import Rng
from sandbox.foundation.settings import Settings, kept_settings
from sandbox.journal.entry import Entry, TokenLink
from sandbox.journal.event import EventKind, Note
from sandbox.journal.filter import EntryFilter
from sandbox.journal.journal import Journal, Observer
from sandbox.platform.keys import KeyRing
from sandbox.platform.model import Service
from sandbox.platform.store import Store
from sandbox.platform.throttle import Throttle
from sandbox.platform.tokens import TokenBook
from sandbox.platform.wire import WireProfile, wire_profile

if TYPE_CHECKING:
    from sandbox.platform.flows.runs import Runs
    from sandbox.platform.processing.processing import Processing
    from sandbox.platform.snapshot import PlatformSnapshot


AfterAcceptance: TypeAlias = Callable[[Entry, Service], None]
"""Gets the entry of an accepted payload and its service.

The entry is published and the answer has not left. The call is guarded (``sandbox.journal.journal``).
"""


class Platform:
    """One life of the emulated platform.

    ``settings`` are those in force. ``use`` replaces them while it serves, with what follows from them: ``wire`` is the
    profile, ``stored`` the answer to a payload that is accepted, ``default_scopes`` are those of a token for which none
    is asked, ``takes_basic`` and ``takes_bearer`` say how payloads are authenticated, and ``binds_first`` whether the
    address comes before the token.
    ``serve`` calls ``observers`` with every entry, and ``after_acceptance`` with every accepted payload; empty, the
    latter costs one truth test a request.
    """

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        rng: Rng,
        keys: KeyRing,
        store: Store,
        *,
        observers: Sequence[Observer] = (),
        after_acceptance: Sequence[AfterAcceptance] = (),
        keep: Callable[[Entry], None] | None = None,
    ) -> None:
        self.clock = clock
        self.store = store
        self.keys = keys
        self.rng = rng
        """The source of the ids of runs."""
        self.tokens = TokenBook(keys, rng)
        branch = rng.branch()
        self.throttle = Throttle()
        self.after_acceptance = after_acceptance
        self.journal = Journal(
            rng.hex(6), settings.journal_entries, settings.journal_bytes, observers, keep=keep, secrets=store.secrets
        )
        self.note: Note = _noter(self.journal, clock)
        """Notes an event in the journal, at the present time."""
        self.faults = FaultBook(clock.timestamp, branch, self.note)
        self.settings = settings
        self._processing: Processing | None = None
        self._runs: Runs | None = None
        self._making = threading.Lock()
        store.before_change = self._before_service_changes
        self.faults.before_processing_changes = self._settle
        self.use(settings)

    @property
    def processing(self) -> Processing:
        """The items and runs of services; made, and its modules imported, when they are first asked for."""
        if self._processing is None:
            from sandbox.platform.processing.processing import Processing

            with self._making:
                self._processing = self._processing or Processing(self)
        return self._processing

    @property
    def runs(self) -> Runs:
        """The runs of process flows; made, and their modules imported, when they are first asked for."""
        if self._runs is None:
            from sandbox.platform.flows.runs import Runs

            with self._making:
                self._runs = self._runs or Runs(self)
        return self._runs

    def settle_processing(self) -> None:
        """Let everything happen in processing that is due, before the time, the settings or the journal change.

        Where everything is processed at once and without rules, the outcome does not depend on them.
        """
        in_use = self._processing is not None or self.faults.armed_processing
        if in_use or self.settings.processing != "immediate":
            self._settle()

    def _settle(self) -> None:
        self.processing.settle()
        if self.store.known_flows is not None:
            self.runs.settle()

    def _before_service_changes(self, service: Service) -> None:
        if self.journal.count(EntryFilter(company=service.company, vanity_url=service.vanity_url)):
            self._settle()

    def retire(self, why: str) -> None:
        """End what waits for it: another platform has replaced this one."""
        self.faults.before_processing_changes = self.store.before_change = bool
        self._processing = self._runs = None  # each of these leads back here, and would keep the journal
        self.journal.waiting.retire(why)
        self.faults.clear()  # aborts the answers that it delays or holds back

    def use(self, settings: Settings) -> int:
        """Put settings in force, with what follows from them for every request; return how many entries it dropped."""
        if settings.processing != self.settings.processing:
            self._settle()
        self.settings = settings
        self.wire: WireProfile = wire_profile(settings.wire_profile)
        self.stored = self.wire.stored(settings.success_status, settings.success_message)
        self.takes_basic, self.takes_bearer = settings.inbound_auth != "bearer", settings.inbound_auth != "basic"
        self.binds_first = settings.check_order == "framework"
        self.default_scopes = [] if settings.default_scope == "none" else [settings.required_scope]
        self.unthrottled = settings.rate_limit_requests, settings.rate_limit_requests - 1
        self._last_rated: tuple[Headers, tuple[int, int], Headers] = (), self.unthrottled, ()
        """Headers, limits and both together: those of tokens are the same each time."""
        self._usual = self.stored, self.stored.with_headers(*_rate_headers(self.unthrottled))
        dropped = self.journal.bound(settings.journal_entries, settings.journal_bytes)
        self.routes: dict[str, tuple[Any, Mapping[str, str]]] = {}
        """Endpoints and subjects by the paths of accepted requests. Set last, because ``serve`` reads it first."""
        return dropped

    def rated(self, answer: Answer, rate: tuple[int, int]) -> Answer:
        """Return an answer with the headers of the throttle (WIRE D): the limit, and the requests that are left."""
        usual, rated = self._usual
        if answer is usual and rate == self.unthrottled:
            return rated
        headers, with_rate, rated_headers = self._last_rated
        if answer.headers is not headers or rate != with_rate:
            rated_headers = (*answer.headers, *_rate_headers(rate))
            self._last_rated = answer.headers, rate, rated_headers
        return Answer(answer.status, rated_headers, answer.body, answer.phrase)

    def issue_token(
        self, client_id: str, scopes: Sequence[str], now: float, subject: str | None = None, act: Act | None = None
    ) -> tuple[str, TokenLink]:
        """Return a new access token and its link for the journal; ``act`` may change the terms of it."""
        terms = TokenTerms(now, self.settings.token_lifetime)
        if act is not None:
            terms = act.fault.token_terms(terms)
        return self.tokens.issue(
            client_id,
            scopes,
            terms.start,
            terms.lifetime_s,
            integer_times=self.wire.integer_times,
            subject=self.wire.subject(client_id) if subject is None else subject,
            key=None if terms.trusted_key else self.keys.untrusted_key(),
        )

    def snapshot(self, *, secrets: bool) -> PlatformSnapshot:
        """Return all of it, while it serves: the journal last, so that the other parts have all that it names."""
        from sandbox.platform.snapshot import PlatformSnapshot  # a start needs none of it

        flows = self.store.known_flows
        records = None if flows is None else flows.known_records
        return PlatformSnapshot(
            settings=kept_settings(self.settings),
            throttle=self.throttle.snapshot(),
            faults=self.faults.snapshot(),
            tokens=tuple(self.tokens.issued()),
            store=self.store.snapshot(secrets=secrets),
            processing=None if self._processing is None else self._processing.snapshot(),
            flows=None if flows is None else flows.snapshot(secrets=secrets),
            runs=None if self._runs is None else self._runs.snapshot(),
            records=None if records is None else records.snapshot(),
            journal=self.journal.export(),
        )

    def restore(self, snapshot: PlatformSnapshot, here: Store) -> None:
        """Take the place of another platform, before this one serves; raise ``InvalidValueError``.

        Signatures and other secrets of process flows that the snapshot lacks are those of ``here``.
        """
        self.store.restore(snapshot.store)
        if snapshot.flows is not None:
            self.store.flows.restore(snapshot.flows, here.known_flows)
        if snapshot.records is not None:
            self.store.flows.records.restore(snapshot.records)
        self.tokens.restore(snapshot.tokens)
        self.throttle.restore(snapshot.throttle)
        self.faults.restore(snapshot.faults)
        self.journal.restore(snapshot.journal)
        if snapshot.processing is not None:
            self.processing.restore(snapshot.processing)
        if snapshot.runs is not None:
            self.runs.restore(snapshot.runs)


def _noter(journal: Journal, clock: Clock) -> Note:
    """Return a function that holds no platform: a retired one goes at once, without the collector."""

    def note(kind: EventKind, text: str, *, company: str | None = None, client_id: str | None = None) -> None:
        journal.note(kind, text, clock.timestamps(), company=company, client_id=client_id)

    return note


def _rate_headers(rate: tuple[int, int]) -> Headers:
    limit, remaining = rate
    return ("X-RateLimit-Limit", str(limit)), ("X-RateLimit-Remaining", str(remaining))
