"""The handle that a test holds: addresses and credentials of the sandbox, its requests, its clock and its faults."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from os import PathLike, fspath
from typing import TYPE_CHECKING, Any

from sandbox.faults.book import RuleState
from sandbox.faults.fault import Fault
from sandbox.faults.rules import make_rule
from sandbox.foundation.clock import parse_instant, step_of
from sandbox.foundation.errors import NotFoundError
from sandbox.journal.assertions.story import MAX_ENTRIES, story
from sandbox.journal.assertions.verify import View
from sandbox.journal.assertions.view import Received
from sandbox.journal.attempts import Attempts, Likeness, find_attempts
from sandbox.journal.contract_rules import ContractViolation
from sandbox.journal.duplicates import Duplicates
from sandbox.journal.endpoint import INBOUND, TOKEN
from sandbox.journal.entry import Entry
from sandbox.journal.event import Event
from sandbox.journal.filter import EntryFilter
from sandbox.platform.endpoints import violations_of
from sandbox.platform.model import INBOUND_PATH, Service
from sandbox.platform.tokens import IssuedToken
from sandbox.state.restore import LoadedClient
from sandbox.testing import verbs
from sandbox.testing.backend import Backend
from sandbox.testing.contract import NotConformingError
from sandbox.testing.intercept import Interception, intercepted
from sandbox.testing.sync_report import SyncReport
from sandbox.testing.tenant.backend import Tenant
from sandbox.web.paths import PREFIX

if TYPE_CHECKING:
    import requests
    from _typeshed.wsgi import WSGIApplication

    from sandbox.state.sandbox import Sandbox
    from sandbox.state.seed import Seed
    from sandbox.testing.certify.report import Report


class SandboxClock:
    """The sandbox clock: the only time that the emulated platform knows."""

    def __init__(self, backend: Backend) -> None:
        self._do = backend.do

    def now(self) -> datetime:
        """Return the sandbox time as an aware UTC datetime."""
        return self._do(verbs.clock()).now

    def timestamp(self) -> float:
        """Return the sandbox time in Unix seconds."""
        return self.now().timestamp()

    @property
    def frozen(self) -> bool:
        """Whether the clock stands still."""
        return self._do(verbs.clock()).frozen

    @property
    def rate(self) -> float:
        """Sandbox seconds a real second; kept while the clock is frozen."""
        return self._do(verbs.clock()).rate

    @property
    def moved(self) -> bool | None:
        """Whether it shows another time than the machine's; ``None`` of a sandbox behind a URL."""
        return self._do(verbs.clock()).moved

    def advance(self, duration: object = None, **units: float) -> datetime:
        """Move by a duration (``"24h"``, ``90``) or by timedelta's units (``hours=24``); return the new time."""
        return self._do(verbs.advance(step_of(duration, units)))

    def travel_to(self, instant: object) -> datetime:
        """Set the clock to an instant with a zone; it runs on from there, or stands still if frozen."""
        return self._do(verbs.change_clock(now=parse_instant(instant)))

    def freeze(self) -> datetime:
        """Stop the clock; ``advance`` and ``travel_to`` still move it."""
        return self._do(verbs.change_clock(frozen=True))

    def unfreeze(self) -> datetime:
        """Let the clock run on from the time it shows."""
        return self._do(verbs.change_clock(frozen=False))

    def set_rate(self, rate: object) -> datetime:
        """Run at ``rate`` sandbox seconds a real second."""
        return self._do(verbs.change_clock(rate=rate))

    def follow(self) -> datetime:
        """Run beside the time of freezegun or time-machine here; raise ``NotInProcessError`` behind a URL."""
        return self._do(verbs.follow())

    def travel(self, duration: object = None, **units: float) -> datetime:
        """Move the time of freezegun or time-machine in this process, if there is one, and the sandbox clock as far."""
        return self._do(verbs.travel(step_of(duration, units)))

    def reset(self) -> datetime:
        """Return to the time of the sandbox's machine."""
        return self._do(verbs.reset_clock())


class Faults:
    """The fault rules in force, in the order in which they are tried; a reset leaves those of the seed."""

    def __init__(self, backend: Backend) -> None:
        self._do = backend.do

    def add(self, fault: Fault | Mapping[str, Any], **fields: object) -> RuleState:
        """Add a rule: ``add(status(503), endpoint="inbound", vanity_url="orders", times=2)``.

        ``fields`` are those of the rule and of its match, side by side. Raise ``InvalidValueError``.
        """
        return self._do(verbs.add_rule(make_rule(fault, **fields)))

    def preset(self, name: str, **match: object) -> list[RuleState]:
        """Add the rules of a preset, narrowed to requests that match: ``preset("slow-platform", vanity_url="orders")``.

        Raise ``NotFoundError``, which lists the known presets.
        """
        return self._do(verbs.add_preset(name, match))

    def presets(self) -> dict[str, str]:
        """Return the stories of the presets by name."""
        return self._do(verbs.presets())

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

    def __iter__(self) -> Iterator[RuleState]:
        return iter(self.list())

    def __len__(self) -> int:
        return len(self.list())


def _codes(entry: Entry) -> Iterable[str]:
    return dict.fromkeys(violation.code for violation in violations_of(entry))


def _id(rule: str | RuleState) -> str:
    return rule if isinstance(rule, str) else rule.id


@dataclass(frozen=True, eq=False, repr=False)
class Inbound(Received):
    """An inbound URL, with which an integration is configured, the requests to it, and what became of its payloads."""

    url: str
    report: SyncReport
    """The rows of its service in the sync report."""

    def configure(self, **changes: object) -> Service:
        """Change the service: ``configure(schedule="every 2 hours", destination="NetSuite", active=True)``.

        Return it as it is now; raise ``InvalidValueError``, which names what is allowed.
        """
        return self.report.change_service(changes)


class Patchworks:
    """A running sandbox as a test sees it: in this process, behind a URL, or a company in a shared one."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    @property
    def backend(self) -> Backend:
        """What performs the verbs of this handle; for tools of the sandbox."""
        return self._backend

    @property
    def sandbox(self) -> Sandbox:
        """The sandbox itself; raise ``NotInProcessError`` where it is behind a URL."""
        return self._backend.place.sandbox

    # --- addresses and credentials ------------------------------------------------------------------------------------

    @property
    def base_url(self) -> str:
        """Base URL of the emulated API."""
        return self._backend.place.base_url

    @property
    def control_url(self) -> str:
        """Base URL of the control API."""
        return f"{self._backend.place.base_url}{PREFIX}"

    @property
    def token_url(self) -> str:
        """URL of the token endpoint."""
        return self._backend.place.token_url

    @property
    def company(self) -> str:
        """Slug of the company that owns the inbound URLs."""
        return self._backend.company

    @property
    def client_id(self) -> str:
        """Id of an OAuth client of the company's first connector."""
        return self._backend.credentials.client_id

    @property
    def client_secret(self) -> str:
        """Secret of that client."""
        return self._backend.credentials.client_secret

    @property
    def env(self) -> dict[str, str]:
        """Environment variables for an integration that runs as a process of its own.

        ``PATCHWORKS_TOKEN_URL``, ``PATCHWORKS_CLIENT_ID``, ``PATCHWORKS_CLIENT_SECRET``, ``PATCHWORKS_COMPANY``,
        ``PATCHWORKS_INBOUND_URL_<VANITY_URL>`` for each service, and ``PATCHWORKS_SANDBOX_URL`` for the command line.
        """
        variables = {
            "PATCHWORKS_SANDBOX_URL": self.base_url,
            "PATCHWORKS_TOKEN_URL": self.token_url,
            "PATCHWORKS_COMPANY": self.company,
            "PATCHWORKS_CLIENT_ID": self.client_id,
            "PATCHWORKS_CLIENT_SECRET": self.client_secret,
        }
        services = [service for service in self._backend.do(verbs.services()) if service.company == self.company]
        names = {service.vanity_url: service.vanity_url.upper().replace("-", "_") for service in services}
        urls = {f"PATCHWORKS_INBOUND_URL_{name}": self._url(self.company, known) for known, name in names.items()}
        return {**variables, **urls}

    # --- ways to reach it ---------------------------------------------------------------------------------------------

    def intercept(self, *hosts: str, strict: bool = False) -> AbstractContextManager[Interception]:
        """Take the place of the real platform for clients of this process, over real TLS, while the context lasts.

        An integration that is configured with ``https://inbound.pwks.co/v1/…`` reaches the sandbox; neither it nor its
        HTTP library changes. ``hosts`` replace the names of the platform. Other hosts are reached as before, or refused
        with ``strict``. It acts on each thread of the process, and on no connection that is open already.
        """
        return intercepted(self._backend.place, hosts, strict=strict)

    @property
    def wsgi(self) -> WSGIApplication:
        """The WSGI application, for clients that need no sockets: ``httpx.WSGITransport(patchworks.wsgi)``."""
        return self._backend.place.wsgi

    def mount(self, session: requests.Session) -> None:
        """Let a session call the sandbox without sockets; it reaches other hosts as before."""
        from sandbox.testing.mounting import WSGIAdapter

        session.mount(f"{self.base_url}/", WSGIAdapter(self.wsgi))

    # --- the requests that it received --------------------------------------------------------------------------------

    def inbound(self, vanity_url: str, company: str | None = None) -> Inbound:
        """Return the URL of a service and the requests to it; raise ``NotFoundError``, which lists the services."""
        slug = company or self.company
        known = {f"{service.company}/{service.vanity_url}": service for service in self._backend.do(verbs.services())}
        service = known.get(f"{slug}/{vanity_url}")
        if service is None:
            raise NotFoundError("service", f"{slug}/{vanity_url}", known, named=True)
        entry_filter = EntryFilter(kind=INBOUND.name, company=slug, vanity_url=vanity_url)
        view = View(entry_filter, only_accepted=True)
        report = SyncReport(service, self._backend)
        return Inbound(self._backend.recorder, view, self._url(slug, vanity_url), report)

    @property
    def requests(self) -> Received:
        """Every request, oldest first."""
        return Received(self._backend.recorder, View(EntryFilter()))

    @property
    def token_requests(self) -> Received:
        """Every request to the token endpoint, accepted or not, oldest first."""
        return Received(self._backend.recorder, View(EntryFilter(kind=TOKEN.name)))

    @property
    def rejected(self) -> Received:
        """Every request that was refused, with the reason; oldest first."""
        return Received(self._backend.recorder, View(EntryFilter(outcome="rejected")))

    @property
    def tokens(self) -> list[IssuedToken]:
        """Every token issued since the last reset: its request, client, end of life, and number of uses."""
        return self._backend.do(verbs.tokens())

    @property
    def contract_violations(self) -> Sequence[ContractViolation]:
        """Every way in which a request did not conform to the published contract; oldest first.

        The sandbox answers such requests all the same. Raise ``UnjudgedError`` where none was found and the journal has
        dropped requests.
        """
        return self._backend.do(verbs.contract_violations()).certain()

    def assert_contract(self, *, at_least: int = 1, allow: Iterable[str] = ()) -> None:
        """Fail unless all requests conform to the published contract, and at least so many were received.

        ``allow``: codes of violations that do not count. Fails also when the journal has dropped requests.
        """
        __tracebackhide__ = True
        problem = self.contract_problem(at_least=at_least, allow=allow)
        if problem is not None:
            raise NotConformingError(problem)

    def contract_problem(self, *, at_least: int = 1, allow: Iterable[str] = ()) -> str | None:
        """Return the message with which ``assert_contract`` fails; ``None`` where it does not."""
        return self._backend.do(verbs.contract_violations()).but(allow).problem(at_least)

    def duplicates(
        self, by: Likeness | None = None, *, json_path: str | None = None, vanity_url: str | None = None
    ) -> list[Duplicates]:
        """Return the payloads that were accepted more than once, as after a retry.

        ``by``: they have the same ``bytes``, the same ``json`` (if left out), or the same selection by a ``json_path``
        such as ``$.order``. Dropped entries are not compared.
        """
        return self._backend.do(verbs.duplicates(by, json_path, vanity_url=vanity_url))

    def attempts(
        self,
        by: Likeness | None = None,
        *,
        json_path: str | None = None,
        vanity_url: str | None = None,
        at_least: int = 2,
    ) -> list[Attempts]:
        """Return the payloads that were sent ``at_least`` so often, accepted or not, with the time between attempts.

        ``by`` and ``json_path`` are those of ``duplicates``; ``attempts()[0].gaps_s`` are real seconds.
        """
        entries = self._backend.journal.entries(EntryFilter(kind=INBOUND.name, vanity_url=vanity_url))
        return find_attempts(entries, by, json_path, at_least=at_least)

    @property
    def events(self) -> list[Event]:
        """What was done to the sandbox between the requests: moves of the clock, fault rules, revoked tokens."""
        return self._backend.journal.events()

    def story(self, max_entries: int | None = MAX_ENTRIES, *, contract: bool = False) -> str:
        """Return the newest requests as text, a line or two each, without secrets.

        With ``contract`` a line ends with the codes of the contract violations in its request.
        """
        return story(self._backend.journal, max_entries, _codes if contract else None)

    def certify(
        self,
        client: Callable[[Patchworks], object] | Sequence[str] | str,
        storms: Sequence[str] = (),
        *,
        storms_dir: str | PathLike[str] | None = None,
        json_path: str | None = None,
        timeout: float | None = None,
    ) -> Report:
        """Run a client through storms of faults and judge it by the journal: ``certify(push).assert_passed()``.

        ``client`` is a function that gets this handle, or a command that gets the variables of ``env``. The sandbox is
        reset before each storm. ``storms`` are names, all when left out; the calm one is always run, and first.
        ``storms_dir`` is a folder with storms of your own. ``json_path`` selects what tells payloads apart, such as an
        order number. ``timeout`` replaces the time-outs of the storms, in seconds.
        """
        from sandbox.testing.certify.certify import certify, client_of
        from sandbox.testing.certify.storms import load_storms, select_storms

        chosen = select_storms(storms, load_storms(None if storms_dir is None else fspath(storms_dir)))
        return certify(self._backend, client_of(client), chosen, json_path=json_path, timeout_s=timeout)

    # --- verbs that change the sandbox --------------------------------------------------------------------------------

    @property
    def clock(self) -> SandboxClock:
        """The sandbox clock: ``clock.advance(hours=24)``."""
        return SandboxClock(self._backend)

    def travel(self, duration: object = None, **units: float) -> datetime:
        """Move both sides of an integration: the time of freezegun or time-machine, and the sandbox clock."""
        return self.clock.travel(duration, **units)

    @property
    def faults(self) -> Faults:
        """Failure on demand: ``faults.add(status(503), endpoint="inbound", times=2)``."""
        return Faults(self._backend)

    def revoke_tokens(self) -> int:
        """Revoke every access token, as the platform might; return how many."""
        return self._backend.do(verbs.revoke_tokens())

    def configure(self, **settings: object) -> None:
        """Change run-time settings until the next reset: ``configure(wire_profile="legacy")``."""
        self._backend.do(verbs.configure(settings))

    def reset(self) -> None:
        """Return to the seed."""
        self._backend.do(verbs.reset())

    def state(self, *, secrets: bool = False) -> dict[str, Any]:
        """Return everything the sandbox holds as JSON values, for ``load_state`` here or elsewhere.

        ``secrets`` adds the signing key, so that tokens stay valid, and the hashes of the clients' secrets.
        """
        return self._backend.do(verbs.state(secrets=secrets))

    def load_state(self, document: Mapping[str, Any]) -> list[LoadedClient]:
        """Become what a saved state describes, or raise ``InvalidValueError`` and stay as it is.

        Return the OAuth clients and where their secrets are from: ``saved`` in the state, ``kept`` from before, or
        ``new``, with the only copy of it.
        """
        return self._backend.do(verbs.load_state(document))

    def isolated(self, seed: Seed | None = None, *, shared: bool = True) -> Patchworks:
        """Return a handle of a company of its own, which does not show the requests of others in the same sandbox.

        The company is a copy of this one, or that of a seed. In a ``shared`` sandbox a verb that would disturb the
        others (the clock, settings, a reset) raises ``SharedSandboxError``.
        """
        return Patchworks(Tenant(self._backend, seed.companies if seed else (), shared=shared))

    def _url(self, company: str, vanity_url: str) -> str:
        return self.base_url + INBOUND_PATH.format(company=company, vanity_url=vanity_url)
