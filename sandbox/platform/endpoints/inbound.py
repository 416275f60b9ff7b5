"""The inbound URLs of services (WIRE B)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from sandbox.foundation.answer import Answer
from sandbox.foundation.settings import Settings
from sandbox.journal.endpoint import EndpointKind
from sandbox.journal.entry import Exchange
from sandbox.platform.platform import Platform

_PATH: Final = re.compile(r"/v1/(?P<company>[^/]+)/(?P<vanity_url>[^/]+)")


class InboundEndpoint:
    """Takes the payloads of a service."""

    def __init__(self, kind: EndpointKind) -> None:
        self.kind = kind

    def subject_of(self, path: str, settings: Settings) -> Mapping[str, str] | None:
        """Return the company and the vanity URL of ``/v1/{company}/{vanity_url}`` (FACTS 1.13)."""
        match = _PATH.fullmatch(path)
        return match and match.groupdict()

    def methods(self, settings: Settings) -> Sequence[str]:
        """Return POST."""
        return ("POST",)

    def handle(self, exchange: Exchange, platform: Platform) -> Answer:
        """Answer the POST of a payload."""
        platform.receive_payload(exchange)
        return platform.stored


ENDPOINT: Final = InboundEndpoint
