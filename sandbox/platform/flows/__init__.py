"""Process flows, the second surface of the platform: login, Start API, webhooks, callbacks, Core API; and its hosts.

``sandbox.platform.serve`` imports ``routes``, and with it the endpoints, for the first request to one of them. A user
of the inbound API alone pays nothing for them.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

_FABRIC: Final = ("login",)
_CORE: Final = ("core",)
_START: Final = ("start", "webhook", "callback")

HOSTS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "core.wearepatchworks.com": _CORE,
        "start.wearepatchworks.com": _START,
        "webhooks.wearepatchworks.com": ("start", "webhook"),
        "callbacks.wearepatchworks.com": ("start", "callback"),
        "svc-fabric.pwks.co": _FABRIC,
        "svc-fabric.wearepatchworks.com": _FABRIC,
        "app.wearepatchworks.com": (),
    }
)
"""The platform's hosts, each with the kinds of the endpoints that it serves. Start, webhooks and callbacks are one
deployment, so the Start API is on each of their hosts."""

PREFIXES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {"/fabric": _FABRIC, "/core-main": _CORE, "/core-start": _START}
)
"""The prefixes of the deployments on ``app.wearepatchworks.com``, which are cut off before a path is matched."""
