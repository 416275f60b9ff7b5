"""The handle that a test holds: addresses and credentials of the sandbox, its requests, its clock and its faults."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from os import PathLike, fspath
from typing import TYPE_CHECKING, Any

from sandbox.state.restore import LoadedClient
from sandbox.testing import verbs
from sandbox.testing.backend import Backend
from sandbox.testing.company import ApiKeys, Entities, Flows, OAuthClients, Services
from sandbox.testing.faults import Faults
from sandbox.testing.intercept import Interception, intercepted
from sandbox.testing.observed import Observed
from sandbox.testing.sandbox_clock import SandboxClock
from sandbox.testing.tenant.backend import Tenant
from sandbox.web.paths import PREFIX

if TYPE_CHECKING:
    import pytest
    import requests
    from _typeshed.wsgi import WSGIApplication
    from typing_extensions import Unpack

    from sandbox.state.sandbox import Sandbox
    from sandbox.state.seed import Seed
    from sandbox.testing.certify.report import Report
    from sandbox.testing.keywords import DurationFields, RunTimeSettingFields


class StandIn(Observed):
    """An interception, and the addresses of the sandbox as a production configuration writes them.

    ``hosts`` are intercepted, ``base_url`` has the first of them, and ``ca_pem`` is the authority for clients that
    trust only those that they are given.
    """

    def __init__(self, handle: Patchworks, interception: Interception) -> None:
        super().__init__(handle.backend)
        self.handle = handle
        self.hosts, self.base_url = interception.hosts, interception.base_url
        self.ca_pem, self.renew = interception.ca_pem, interception.renew

    @property
    def token_url(self) -> str:
        """URL of the token endpoint."""
        return self.base_url + self.handle.token_url.removeprefix(self.handle.base_url)

    def _base_url(self, deployment: str) -> str:
        """Return the URL of the platform's own host of a deployment, or of the first one where others were given."""
        host = f"{deployment}.wearepatchworks.com"
        return f"https://{host}" if host in self.hosts else self.base_url


class Patchworks(Observed):
    """A running sandbox as a test sees it: in this process, behind a URL, or a company in a shared one."""

    def __init__(self, backend: Backend) -> None:
        super().__init__(backend)
        self.oauth_clients = OAuthClients(backend)
        """The OAuth clients of the company: ``oauth_clients.add("Order export").client_secret``."""
        self.entities = Entities(backend)
        """The entities of the company: ``entities.add("Order", {"id": 1})``."""
        self.services = Services(backend)
        """The services of the company: ``services.deactivate("orders")``."""
        self.flows = Flows(backend)
        """The process flows of the company: ``flows.add("Orders in", webhooks=[{}])``."""
        self.api_keys = ApiKeys(backend)
        """The API keys of the company: ``api_keys.add("CI")`` returns the text of a new one."""
        self.clock = SandboxClock(backend)
        """The sandbox clock: ``clock.advance(hours=24)``."""
        self.faults = Faults(backend)
        """Failure on demand: ``faults.add(status(503), endpoint="inbound", times=2)``."""

    def __repr__(self) -> str:
        url = self.known_url
        return f"<{type(self).__name__} {url}>" if url else f"<{type(self).__name__}, of which no URL was asked for>"

    @property
    def patchworks(self) -> Patchworks:
        """This handle, as that of a ``SandboxServer`` is: ``patchworks_server`` is one or the other."""
        return self

    @property
    def sandbox(self) -> Sandbox:
        """The sandbox itself; raise ``NotInProcessError`` where it is behind a URL."""
        return self.backend.sandbox

    # --- addresses and credentials ------------------------------------------------------------------------------------

    @property
    def base_url(self) -> str:
        """Base URL of the emulated API."""
        return self.backend.place.base_url

    @property
    def known_url(self) -> str | None:
        """The same if it was asked for already: a sandbox of this process opens a port when it is."""
        return self.backend.place.known_url

    @property
    def control_url(self) -> str:
        """Base URL of the control API."""
        return f"{self.backend.place.base_url}{PREFIX}"

    @property
    def token_url(self) -> str:
        """URL of the token endpoint."""
        return self.base_url + self.backend.do(verbs.token_path())

    @property
    def company(self) -> str:
        """Slug of the company that owns the inbound URLs."""
        return self.backend.company

    @property
    def client_id(self) -> str:
        """Id of an OAuth client of the company's first connector."""
        return self.backend.credentials.client_id

    @property
    def client_secret(self) -> str:
        """Secret of that client."""
        return self.backend.credentials.client_secret

    @property
    def env(self) -> dict[str, str]:
        """Environment variables for an integration that runs as a process of its own.

        ``PATCHWORKS_TOKEN_URL``, ``PATCHWORKS_CLIENT_ID``, ``PATCHWORKS_CLIENT_SECRET``, ``PATCHWORKS_COMPANY``,
        ``PATCHWORKS_INBOUND_URL_<VANITY_URL>`` for each service, ``PATCHWORKS_START_URL_<FLOW>``,
        ``PATCHWORKS_WEBHOOK_URL_<FLOW>`` and ``PATCHWORKS_CALLBACK_URL_<FLOW>`` for each process flow, and
        ``PATCHWORKS_SANDBOX_URL`` for the command line.
        """
        variables = {
            "PATCHWORKS_SANDBOX_URL": self.base_url,
            "PATCHWORKS_TOKEN_URL": self.token_url,
            "PATCHWORKS_COMPANY": self.company,
            "PATCHWORKS_CLIENT_ID": self.client_id,
            "PATCHWORKS_CLIENT_SECRET": self.client_secret,
        }
        services = [service for service in self.backend.do(verbs.services()) if service.company == self.company]
        names = {service.vanity_url: service.vanity_url.upper().replace("-", "_") for service in services}
        urls = {f"PATCHWORKS_INBOUND_URL_{name}": self._url(self.company, known) for known, name in names.items()}
        for flow in self.flows:
            name = re.sub(r"\W+", "_", flow.name).strip("_").upper()
            urls[f"PATCHWORKS_START_URL_{name}"] = self.flow(flow.name).url
            if flow.webhooks:
                urls[f"PATCHWORKS_WEBHOOK_URL_{name}"] = self.webhook(flow.name).url
            if flow.callbacks:
                urls[f"PATCHWORKS_CALLBACK_URL_{name}"] = self.callback(flow.name).url
        return {**variables, **urls}

    # --- ways to reach it ---------------------------------------------------------------------------------------------

    def setenv(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Set the environment variables of ``env`` for the rest of a test."""
        for name, value in self.env.items():
            monkeypatch.setenv(name, value)

    @contextmanager
    def intercept(self, *hosts: str, strict: bool = False) -> Iterator[StandIn]:
        """Take the place of the real platform for clients of this process, over real TLS, while the context lasts.

        An integration that is configured with ``https://inbound.pwks.co/v1/…`` reaches the sandbox; neither it nor its
        HTTP library changes. ``hosts`` replace the names of the platform. Other hosts are reached as before, or refused
        with ``strict``. It acts on each thread of the process, and on no connection that is open already.
        """
        with intercepted(self.backend.place, hosts, strict=strict) as found:
            yield StandIn(self, found)

    @property
    def wsgi(self) -> WSGIApplication:
        """The WSGI application, for clients that need no sockets: ``httpx.WSGITransport(patchworks.wsgi)``."""
        return self.backend.place.app

    def mount(self, session: requests.Session) -> None:
        """Let a session call the sandbox without sockets; it reaches other hosts as before."""
        from sandbox.testing.mounting import WSGIAdapter

        session.mount(f"{self.base_url}/", WSGIAdapter(self.wsgi))

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
        ``storms_dir`` is a folder with storms of your own. ``json_path`` selects the key of a payload, such as an
        order number. ``timeout`` replaces the time-outs of the storms, in seconds.
        """
        from sandbox.testing.certify.certify import Trial, certify, client_of
        from sandbox.testing.certify.storms import load_storms, select_storms

        chosen = select_storms(storms, load_storms(None if storms_dir is None else fspath(storms_dir)))
        return certify(Trial(self.backend, client_of(client), json_path, timeout), chosen)

    # --- verbs that change the sandbox --------------------------------------------------------------------------------

    def travel(self, duration: object = None, **units: Unpack[DurationFields]) -> datetime:
        """Move both sides of an integration: the time of freezegun or time-machine, and the sandbox clock."""
        return self.clock.travel(duration, **units)

    def revoke_tokens(self, client_id: str | None = None) -> int:
        """Revoke every access token, or those of one OAuth client, as the platform might; return how many."""
        return self.backend.do(verbs.revoke_tokens(client_id))

    def rotate_keys(self) -> None:
        """Replace the signing key: tokens signed by the old one are refused."""
        self.backend.do(verbs.rotate_keys())

    def configure(self, **settings: Unpack[RunTimeSettingFields]) -> None:
        """Change run-time settings until the next reset: ``configure(wire_profile="legacy")``."""
        self.backend.do(verbs.configure(settings))

    def clear(self) -> None:
        """Empty the journal and remove the fault rules; tokens, settings, the clock and the seeded data stay."""
        self.faults.clear()
        self.backend.do(verbs.clear_requests())

    def reset(self) -> None:
        """Return to the seed: tokens are unknown after that, and settings and the clock are those of the start."""
        self.backend.do(verbs.reset())

    def state(self, *, secrets: bool = False) -> dict[str, Any]:
        """Return everything the sandbox holds as JSON values, for ``load_state`` here or elsewhere.

        ``secrets`` adds the signing key, so that tokens stay valid, and the hashes of the clients' secrets.
        """
        return self.backend.do(verbs.state(secrets=secrets))

    def load_state(self, document: Mapping[str, Any]) -> list[LoadedClient]:
        """Become what a saved state describes, or raise ``InvalidValueError`` and stay as it is.

        Return the OAuth clients and where their secrets are from: ``saved`` in the state, ``kept`` from before, or
        ``new``, with the only copy of it.
        """
        return self.backend.do(verbs.load_state(document))

    def isolated(self, seed: Seed | None = None, *, shared: bool = True) -> Patchworks:
        """Return a handle of a company of its own, which does not show the requests of others in the same sandbox.

        The company is a copy of this one, or that of a seed. In a ``shared`` sandbox a verb that would disturb the
        others (the clock, settings, a reset) raises ``SharedSandboxError``.
        """
        return Patchworks(Tenant(self.backend, seed.companies if seed else (), shared=shared))
