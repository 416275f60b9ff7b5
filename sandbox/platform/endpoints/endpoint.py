"""The interface of an emulated endpoint, and the part of it that all endpoints share."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Generic, TypeAlias, TypeVar

from sandbox.faults.fault import Act
from sandbox.foundation.answer import Answer
from sandbox.foundation.refusals import TooManyAttemptsError
from sandbox.foundation.settings import Settings
from sandbox.journal.endpoint_kind import EndpointKind
from sandbox.journal.entry import Entry, Exchange
from sandbox.platform.platform import Platform
from sandbox.platform.store import Store

Operation: TypeAlias = Mapping[str, Any]
"""An operation of an OpenAPI document, without its responses."""

Admitted = TypeVar("Admitted")
"""The value that ``admit`` returns and ``handle`` takes: the client or token for which a request is handled."""


class Endpoint(ABC, Generic[Admitted]):
    """One address of the emulated API: the requests to it, the answers to them, and their documentation.

    ``serve`` calls ``admit``, then chooses a fault, then calls ``handle``. Both raise a ``RefusalError`` for a request
    that the platform refuses. An endpoint and ``serve`` are the only writers of an ``Exchange``.
    """

    kind: ClassVar[EndpointKind]
    """Its entry in ``sandbox.journal.endpoint_kind``."""
    path: str
    """Its path as OpenAPI writes it, such as ``/v1/{company}/{vanity_url}``."""
    description: ClassVar[str]
    """Its tag in the OpenAPI document."""
    operations: Mapping[str, Operation]
    """Its published operations by method."""

    def __init__(self) -> None:
        template = re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(self.path))
        self._pattern = re.compile(template)
        self._methods = tuple(self.operations)

    def path_in(self, settings: Settings) -> str:
        """Return its path where these settings are in force."""
        return self.path

    def subject_of(self, path: str, settings: Settings) -> Mapping[str, str] | None:
        """Return the values that a path holds, such as the company; ``None`` where the path is not this endpoint's.

        ``path`` is percent-decoded and has no slash at its end.
        """
        match = self._pattern.fullmatch(path)
        return match and match.groupdict()

    def methods(self, settings: Settings) -> Sequence[str]:
        """Return the methods that it takes, in the order in which the framework lists them."""
        return self._methods

    @abstractmethod
    def admit(self, exchange: Exchange, platform: Platform) -> Admitted:
        """Count a request, and check who sent it."""

    def spoil(self, act: Act, admitted: Admitted, platform: Platform) -> None:
        """Let a fault change what ``admit`` found, such as the token; raise the refusal that follows."""

    @abstractmethod
    def handle(self, exchange: Exchange, platform: Platform, admitted: Admitted, act: Act | None) -> Answer:
        """Do what a request asks for and return the answer; ``act`` is the fault that acts on the request."""

    def hand_on(self, entry: Entry, exchange: Exchange, platform: Platform) -> None:
        """Hand an accepted request to ``platform.after_acceptance``; its entry is published."""

    @abstractmethod
    def responses(self, method: str, settings: Settings) -> Mapping[str, Any]:
        """Return the responses of one of its operations as OpenAPI has them, by status, with any settings.

        The examples are those of the settings given.
        """

    def is_structured(self, exchange: Exchange, store: Store) -> bool:
        """Return whether the contract asks for JSON in a request, because the payload has a structure."""
        return False

    def count(self, exchange: Exchange, platform: Platform, client_id: str | None) -> None:
        """Count a request; raise ``TooManyAttemptsError`` beyond a limit that is on (WIRE D)."""
        settings = platform.settings
        if not settings.rate_limit:
            exchange.rate = platform.unthrottled
            return
        caller = client_id if client_id and settings.rate_limit_key == "client" else exchange.request.remote_addr
        key = caller if settings.rate_limit_counters == "shared" else f"{self.kind.name} {caller}"
        limit, window = settings.rate_limit_requests, settings.rate_limit_window
        verdict = platform.throttle.hit(key, limit, window, exchange.received_at)
        exchange.rate = (verdict.limit, verdict.remaining)
        if not verdict.allowed:
            raise TooManyAttemptsError(verdict.retry_after_s, verdict.reset_at)
