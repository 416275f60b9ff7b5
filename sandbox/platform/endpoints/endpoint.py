"""The interface of an emulated endpoint."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from sandbox.foundation.answer import Answer
from sandbox.foundation.settings import Settings
from sandbox.journal.endpoint import EndpointKind
from sandbox.journal.entry import Exchange
from sandbox.platform.platform import Platform


class Endpoint(Protocol):
    """One address of the emulated API; ``kind`` is its entry in ``sandbox.journal.endpoint.ENDPOINTS``."""

    @property
    def kind(self) -> EndpointKind:
        """Its name and traits."""

    def subject_of(self, path: str, settings: Settings) -> Mapping[str, str] | None:
        """Return the values that a path holds, such as the company; ``None`` where the path is not this endpoint's.

        ``path`` is percent-decoded and has no slash at its end.
        """

    def methods(self, settings: Settings) -> Sequence[str]:
        """Return the methods that it takes, in the order in which the framework lists them."""

    def handle(self, exchange: Exchange, platform: Platform) -> Answer:
        """Answer a request with one of its methods; raise a ``RefusalError``."""
