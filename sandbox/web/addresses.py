"""The addresses of a running sandbox: the URLs that people, tests and other programs need."""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from sandbox._version import __version__
from sandbox.foundation.errors import NotFoundError
from sandbox.foundation.loopback import is_everywhere, is_loopback
from sandbox.foundation.rng import Rng
from sandbox.foundation.settings import Settings
from sandbox.journal.redaction import SIGNATURE
from sandbox.platform.flows import HOSTS as FLOW_HOSTS
from sandbox.platform.oauth_clients import NewOAuthClient
from sandbox.state.sandbox import Sandbox
from sandbox.web.paths import PREFIX

if TYPE_CHECKING:
    from sandbox.platform.flows.model import Flow, Hook


@dataclass(frozen=True, slots=True)
class TlsEndpoint:
    """The address of a sandbox over TLS, and the authority that clients must trust."""

    base_url: str
    has_own_authority: bool
    """Whether the sandbox made the authority, which the control API returns; if not, the certificate is the user's."""
    ca_file: Path | None
    """The file with the certificate of the authority; ``None`` if there is none."""

    @property
    def address(self) -> str:
        """Host and port of the server, as in a URL."""
        return urlsplit(self.base_url).netloc


@dataclass(frozen=True, slots=True)
class Endpoints:
    """The URLs of a sandbox reached at ``base_url`` (no trailing slash), and the key of its control API."""

    sandbox: Sandbox
    base_url: str
    control_key: str | None = field(default=None, repr=False)
    tls: TlsEndpoint | None = None

    @property
    def control_url(self) -> str:
        """Base URL of the control API."""
        return f"{self.base_url}{PREFIX}"

    @property
    def token_url(self) -> str:
        """URL of the token endpoint."""
        return self.base_url + self.sandbox.initial_settings.token_path

    @property
    def company(self) -> str | None:
        """Slug of the seed's first company."""
        return self.sandbox.company.slug if self.sandbox.company else None

    @property
    def credentials(self) -> NewOAuthClient | None:
        """The first OAuth client of the seed, with its secret."""
        return next(iter(self.sandbox.credentials.values()), None)

    def inbound_url(self, vanity_url: str, company: str | None = None) -> str:
        """Return the inbound URL of a service, of the first company unless one is given."""
        slug = company or self.company or ""
        service = self.sandbox.store.find_service(slug, vanity_url)
        if service is None:
            known = [f"{service.company}/{service.vanity_url}" for service in self.sandbox.store.services()]
            raise NotFoundError("service", f"{slug}/{vanity_url}", known, named=True)
        return self.base_url + service.path

    def inbound_urls(self) -> dict[str, str]:
        """Return the inbound URLs of the first company by vanity URL."""
        services = self.sandbox.store.services()
        return {s.vanity_url: self.inbound_url(s.vanity_url) for s in services if s.company == self.company}

    def flows(self, *, signed: bool, hidden: Collection[str | None] = ()) -> dict[str, dict[str, Any]]:
        """Return the ids and URLs of the flows of the first company by name.

        They have their signatures where ``signed``, but for the ``hidden`` ones.
        """
        store = self.sandbox.store.known_flows
        flows = [] if store is None or self.company is None else store.flows(self.company)
        return {flow.name: _flow_addresses(flow, self.base_url, signed=signed, hidden=hidden) for flow in flows}

    def _given(self) -> frozenset[str | None]:
        """Return the secrets that the seed or the settings give: of OAuth clients, API keys and signatures."""
        companies = self.sandbox.seed.companies
        connectors = [connector for company in companies for connector in company.connectors]
        clients = {client.client_secret for connector in connectors for client in connector.oauth_clients}
        keys = {key.key for company in companies for key in company.api_keys}
        hooks = {hook.signature for company in companies for flow in company.flows for hook in flow.hooks}
        return frozenset(clients | keys | hooks)

    @property
    def secret_is_given(self) -> bool:
        """Whether the seed or the settings give the secret of the credentials. Such a secret is in no output."""
        return self.credentials is not None and self.credentials.secret in self._given()

    def ready_document(self, *, for_log: bool = False) -> dict[str, Any]:
        """Return the document for a program that started the sandbox: URLs, credentials and the control key.

        ``for_log`` leaves out the secrets that were given to the sandbox; its reader has them.
        """
        credentials, api_key = self.credentials, self.sandbox.api_key
        given = self._given() if for_log else frozenset()
        shows_key = not (for_log and self.sandbox.initial_settings.control_key)
        return {
            "base_url": self.base_url,
            "control_url": self.control_url,
            "control_key": self.control_key if shows_key else None,
            "token_url": self.token_url,
            "inbound_urls": self.inbound_urls(),
            "company": self.company,
            "client_id": credentials.client.id if credentials else None,
            "client_secret": credentials.secret if credentials and credentials.secret not in given else None,
            "flows": self.flows(signed=True, hidden=given),
            "api_key": None if api_key in given else api_key,
            "login_url": f"{self.base_url}/api/v1/login",
            "start_url": f"{self.base_url}/api/v1",
            "core_url": f"{self.base_url}/api/v1",
            "version": __version__,
            "pid": os.getpid(),
            "tls_base_url": self.tls.base_url if self.tls else None,
            "tls_ca_file": str(self.tls.ca_file) if self.tls and self.tls.ca_file else None,
        }


def _flow_addresses(flow: Flow, base_url: str, *, signed: bool, hidden: Collection[str | None]) -> dict[str, Any]:
    from sandbox.platform.flows.model import START_PATH  # a sandbox may have no flow

    def url(hook: Hook) -> str:
        return hook_address(flow, hook, base_url, signed=signed and hook.signature not in hidden)

    return {
        "id": flow.id,
        "start_url": base_url + START_PATH.format(id=flow.id),
        "webhooks": [url(hook) for hook in flow.webhooks],
        "callbacks": [url(hook) for hook in flow.callbacks],
    }


def hook_address(flow: Flow, hook: Hook, base_url: str, *, signed: bool) -> str:
    """Return the URL of a webhook or callback; ``signed`` with its signature."""
    from sandbox.platform.flows.model import WEBHOOK_PATH

    url = base_url + WEBHOOK_PATH.format(company=flow.company, id=hook.id)
    return f"{url}?{SIGNATURE}={hook.signature}" if signed else url


def reachable(host: str) -> str:
    """Return how a client of this machine names the host that a server listens on, as in a URL."""
    reached = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)  # noqa: S104 - only compared
    return f"[{reached}]" if ":" in reached else reached


def control_key_for(settings: Settings, host: str) -> str | None:
    """Return the key that a server on ``host`` asks for: the one set; beyond loopback a new one, unless none may be."""
    if settings.control_key is None and not settings.no_control_key and not is_loopback(host):
        return Rng().secret()
    return settings.control_key


PRODUCTION_HOSTS: Final = ("inbound.pwks.co", *FLOW_HOSTS)
"""The hosts of Patchworks: that of inbound URLs (FACTS 1.12), and those of process flows (FLOWS 1)."""

_ALWAYS: Final = (*PRODUCTION_HOSTS, "localhost", "127.0.0.1", "::1")


def certificate_names(settings: Settings, host: str) -> dict[str, str]:
    """Return the names in the certificate of a sandbox listening on ``host``, each with its setting."""
    public = urlsplit(settings.public_url or "").hostname
    names = dict.fromkeys(_ALWAYS, "tls")
    names |= {} if not host or is_everywhere(host) else {host.lower(): "host"}
    names |= {public: "public_url"} if public else {}
    return names | dict.fromkeys(settings.tls_names, "tls_names")
