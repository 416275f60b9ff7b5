"""Where everything of a running sandbox is: the URLs that people, tests and other programs need."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any

from sandbox._version import __version__
from sandbox.errors import NotFoundError
from sandbox.state import Sandbox
from sandbox.store import NewOAuthClient


@dataclass(frozen=True, slots=True)
class Endpoints:
    """The URLs of a sandbox reached at ``base_url`` (no trailing slash), and the key of its control API."""

    sandbox: Sandbox
    base_url: str
    control_key: str | None = field(default=None, repr=False)

    @property
    def control_url(self) -> str:
        """Base URL of the control API."""
        return f"{self.base_url}/_sandbox"

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
        if self.sandbox.store.find_service(slug, vanity_url) is None:
            known = [f"{service.company}/{service.vanity_url}" for service in self.sandbox.store.services()]
            raise NotFoundError("service", f"{slug}/{vanity_url}", known)
        return f"{self.base_url}/v1/{slug}/{vanity_url}"

    def inbound_urls(self) -> dict[str, str]:
        """Return the inbound URLs of the first company by vanity URL."""
        services = self.sandbox.store.services()
        return {s.vanity_url: self.inbound_url(s.vanity_url) for s in services if s.company == self.company}

    def ready_document(self) -> dict[str, Any]:
        """Return what a program that started the sandbox needs to know; it holds secrets."""
        credentials = self.credentials
        return {
            "base_url": self.base_url,
            "control_url": self.control_url,
            "control_key": self.control_key,
            "token_url": self.token_url,
            "inbound_urls": self.inbound_urls(),
            "company": self.company,
            "client_id": credentials.client.id if credentials else None,
            "client_secret": credentials.secret if credentials else None,
            "version": __version__,
            "pid": os.getpid(),
        }
