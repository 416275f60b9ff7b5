"""The requests that a sandbox received, as a handle shows and judges them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sandbox.foundation.errors import NotFoundError
from sandbox.journal.assertions.story import MAX_ENTRIES, story
from sandbox.journal.assertions.verify import View
from sandbox.journal.assertions.view import Received
from sandbox.journal.attempts import Attempts, Likeness, find_attempts
from sandbox.journal.contract_rules import ContractViolation
from sandbox.journal.endpoint_kind import CALLBACK, INBOUND, TOKEN, WEBHOOK, EndpointKind
from sandbox.journal.entry import Entry
from sandbox.journal.event import Event
from sandbox.journal.filter import EntryFilter
from sandbox.platform.endpoints import violations_of
from sandbox.platform.model import INBOUND_PATH, Service
from sandbox.platform.tokens import IssuedToken
from sandbox.testing import verbs
from sandbox.testing.backend import Backend
from sandbox.testing.company import named
from sandbox.testing.contract import NotConformingError

if TYPE_CHECKING:
    from sandbox.platform.flows.model import Flow as ProcessFlow
    from sandbox.platform.flows.model import FlowRun, Hook
    from sandbox.testing.sync_report import SyncReport


def _codes(entry: Entry) -> Iterable[str]:
    return dict.fromkeys(violation.code for violation in violations_of(entry))


@dataclass(frozen=True, eq=False, repr=False)
class Inbound(Received):
    """An inbound URL, with which an integration is configured, the requests to it, and what became of its payloads."""

    url: str
    service: Service
    """Its service, as it was when this was made."""
    _backend: Backend

    @property
    def report(self) -> SyncReport:
        """The rows of its service in the sync report."""
        from sandbox.testing.sync_report import SyncReport

        return SyncReport(self.service, self._backend)

    def configure(self, **changes: object) -> Service:
        """Change the service: ``configure(schedule="every 2 hours", destination="NetSuite", active=True)``.

        Return it as it is now; raise ``InvalidValueError``, which names what is allowed.
        """
        return self._backend.do(verbs.change_service(self.service.id, changes))


@dataclass(frozen=True, eq=False, repr=False)
class FlowTrigger(Received):
    """A URL that starts a process flow, the requests to it, and the runs of the flow."""

    url: str
    """With the signature, of a webhook or callback."""
    flow: ProcessFlow
    """The flow, as it was when this was made."""
    _backend: Backend

    @property
    def runs(self) -> list[FlowRun]:
        """The runs of the flow in the last seven days, oldest first."""
        return self._backend.do(verbs.flow_runs(self.flow.id))

    def configure(self, **changes: bool | int | None) -> ProcessFlow:
        """Enable or disable the flow, and deploy a version or none: ``configure(enabled=False, deployed=12)``."""
        return self._backend.do(verbs.change_flow(self.flow.id, changes))


class Observed:
    """The part of a handle that shows what was received."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        """The backend that performs the verbs of this handle; for tools of the sandbox."""

    def inbound(self, vanity_url: str, company: str | None = None) -> Inbound:
        """Return the URL of a service and the requests to it; raise ``NotFoundError``, which lists the services."""
        slug = company or self.backend.company
        known = {f"{service.company}/{service.vanity_url}": service for service in self.backend.do(verbs.services())}
        service = named("service", f"{slug}/{vanity_url}", known)
        entry_filter = EntryFilter(kind=INBOUND.name, company=slug, vanity_url=vanity_url)
        view = View(entry_filter, only_accepted=True)
        return Inbound(self.backend.recorder, view, self._url(slug, vanity_url), service, self.backend)

    def flow(self, name: str, company: str | None = None) -> FlowTrigger:
        """Return the URL of the Start API for a flow, ``…/start``, and every request that started the flow.

        ``url + "/raw"`` takes plain JSON. Raise ``NotFoundError``, which lists the flows.
        """
        flow = self._flow(name, company)
        url = f"{self._base_url('start')}/api/v1/flows/{flow.id}/start"
        return self._trigger(flow, url, EntryFilter(company=flow.company, flow=flow.name))

    def webhook(self, name: str, company: str | None = None, *, id: str | None = None) -> FlowTrigger:
        """Return the signed URL of a flow's webhook, the first unless an id is given, and the requests to it.

        Raise ``NotFoundError``.
        """
        flow = self._flow(name, company)
        return self._hook(flow, WEBHOOK, flow.webhooks, id)

    def callback(self, name: str, company: str | None = None, *, id: str | None = None) -> FlowTrigger:
        """Return the signed URL of a flow's callback, the first unless an id is given, and the requests to it.

        Raise ``NotFoundError``.
        """
        flow = self._flow(name, company)
        return self._hook(flow, CALLBACK, flow.callbacks, id)

    def _flow(self, name: str, company: str | None) -> ProcessFlow:
        known = {f"{flow.company}/{flow.name}": flow for flow in self.backend.do(verbs.flows())}
        return named("flow", f"{company or self.backend.company}/{name}", known)

    def _hook(self, flow: ProcessFlow, kind: EndpointKind, hooks: Sequence[Hook], hook_id: str | None) -> FlowTrigger:
        known = [hook.id for hook in hooks]
        found = next((hook for hook in hooks if hook_id in (None, hook.id)), None)
        if found is None:
            raise NotFoundError(f"{kind.name} of flow {flow.name!r}", hook_id, known)
        path = f"/api/v1/{flow.company}/{found.id}?patchworks_signature={found.signature}"
        entry_filter = EntryFilter(kind=kind.name, company=flow.company, hook=found.id)
        return self._trigger(flow, self._base_url(f"{kind.name}s") + path, entry_filter)

    def _trigger(self, flow: ProcessFlow, url: str, entry_filter: EntryFilter) -> FlowTrigger:
        return FlowTrigger(self.backend.recorder, View(entry_filter, only_accepted=True), url, flow, self.backend)

    @property
    def requests(self) -> Received:
        """Every request, oldest first."""
        return Received(self.backend.recorder, View(EntryFilter()))

    @property
    def token_requests(self) -> Received:
        """Every request to the token endpoint, accepted or not, oldest first."""
        return Received(self.backend.recorder, View(EntryFilter(kind=TOKEN.name)))

    @property
    def rejected(self) -> Received:
        """Every request that was refused, with the reason; oldest first."""
        return Received(self.backend.recorder, View(EntryFilter(outcome="rejected")))

    @property
    def tokens(self) -> list[IssuedToken]:
        """Every token issued since the last reset: its request, client, end of life, and number of uses."""
        return self.backend.do(verbs.tokens())

    @property
    def contract_violations(self) -> Sequence[ContractViolation]:
        """Every way in which a request did not conform to the published contract; oldest first.

        The sandbox answers such requests all the same. Raise ``UnjudgedError`` where none was found and the journal has
        dropped requests.
        """
        return self.backend.do(verbs.contract_violations()).certain()

    def assert_contract(self, *, at_least: int = 1, allow: Iterable[str] = ()) -> None:
        """Fail unless all requests conform to the published contract, and at least so many were received.

        ``allow``: codes of violations that do not count. Fails also when the journal has dropped requests.
        """
        __tracebackhide__ = True
        problem = self.contract_problem(at_least=at_least, allow=allow)
        if problem is not None:
            raise NotConformingError(problem)

    def contract_problem(self, *, at_least: int = 1, allow: Iterable[str] = (), after: int = 0) -> str | None:
        """Return the message with which ``assert_contract`` fails; ``None`` where it does not.

        ``after``: the number of the request after which they are held against the contract.
        """
        return self.backend.do(verbs.contract_violations(after)).but(allow).problem(at_least)

    def duplicates(
        self,
        by: Likeness | None = None,
        *,
        json_path: str | None = None,
        vanity_url: str | None = None,
        flow: str | None = None,
    ) -> list[Attempts]:
        """Return the payloads that were accepted more than once, as after a retry.

        ``by``: they have the same ``bytes``, the same ``json`` (if left out), or the same selection by a ``json_path``
        such as ``$.order``. Dropped entries are not compared.
        """
        return self.backend.do(verbs.duplicates(by, json_path, vanity_url=vanity_url, flow=flow))

    def attempts(
        self,
        by: Likeness | None = None,
        *,
        json_path: str | None = None,
        vanity_url: str | None = None,
        flow: str | None = None,
        at_least: int = 2,
    ) -> list[Attempts]:
        """Return the payloads that were sent ``at_least`` so often, accepted or not, with the time between attempts.

        ``by`` and ``json_path`` are those of ``duplicates``; ``attempts()[0].gaps_s`` are real seconds.
        """
        entries = self.backend.journal.entries(EntryFilter(vanity_url=vanity_url, flow=flow))
        return find_attempts(entries, by, json_path, at_least=at_least)

    @property
    def events(self) -> list[Event]:
        """The acts upon the sandbox between the requests: moves of the clock, fault rules, revoked tokens."""
        return self.backend.journal.events()

    def story(self, max_entries: int | None = MAX_ENTRIES, *, contract: bool = False, after: int = 0) -> str:
        """Return the newest requests as text, a line or two each, without secrets; only those above ``after``.

        With ``contract`` a line ends with the codes of the contract violations in its request.
        """
        return story(self.backend.journal, max_entries, _codes if contract else None, after=after)

    def _base_url(self, deployment: str) -> str:
        return self.backend.place.base_url

    def _url(self, company: str, vanity_url: str) -> str:
        return self._base_url("inbound") + INBOUND_PATH.format(company=company, vanity_url=vanity_url)
