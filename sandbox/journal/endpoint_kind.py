"""The emulated endpoints as data: their names, their traits, and the words in which people read of them.

``sandbox.platform.endpoints`` has a module of the same name for each of the inbound API, which does the work.
``sandbox.platform.flows.routes`` lists those of process flows, where a kind may have several addresses. The kind of a
journal entry is the name of an endpoint, or ``OTHER`` for a request to no endpoint.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Final, Literal

Surface = Literal["inbound", "flows"]
"""The inbound API of services, or process flows, whose modules are imported when a request asks for one."""

FLOW_PATHS: Final = ("/api/", "/fabric/", "/core-main/", "/core-start/")
"""The beginnings of the paths of process flows (FLOWS 1)."""


@dataclass(frozen=True, slots=True)
class EndpointKind:
    """An emulated endpoint."""

    name: str
    """The kind of its journal entries, and its name in filters, fault rules and metrics."""
    requests: str
    """Its requests in the plural, in which the values of the path may stand: ``requests to /v1/{company}``."""
    accepted: str
    """A sentence on an accepted request."""
    surface: Surface = "inbound"
    """The part of the platform that it belongs to."""
    subject: tuple[str, ...] = ()
    """Names of the values that a path of it holds, such as ``company``."""
    issues_tokens: bool = False
    """Whether its answer carries an access token."""
    takes_bearer: bool = False
    """Whether a request carries an access token."""
    takes_payloads: bool = False
    """Whether the body is a payload, which the journal keeps byte for byte."""


TOKEN: Final = EndpointKind(
    "token", "requests for a token", "The credentials were good and an access token was issued.", issues_tokens=True
)
INBOUND: Final = EndpointKind(
    "inbound",
    "requests to /v1/{company}/{vanity_url}",
    "The payload was stored.",
    subject=("company", "vanity_url"),
    takes_bearer=True,
    takes_payloads=True,
)
_flow_kind: Final = partial(EndpointKind, surface="flows")
_STARTED_BY: Final = ("company", "flow", "hook", "run")
LOGIN: Final = _flow_kind("login", "requests to log in", "The user was logged in, or out.", issues_tokens=True)
START: Final = _flow_kind(
    "start",
    "requests to the Start API",
    "The flow was started.",
    subject=("company", "flow", "run"),
    takes_payloads=True,
)
WEBHOOK: Final = _flow_kind(
    "webhook", "requests to webhooks", "The webhook started its flow.", subject=_STARTED_BY, takes_payloads=True
)
CALLBACK: Final = _flow_kind(
    "callback",
    "requests to callbacks",
    "The callback started its flow and returned its data.",
    subject=_STARTED_BY,
    takes_payloads=True,
)
CORE: Final = _flow_kind("core", "requests to the Core API", "The request was answered.", subject=("company",))

ENDPOINTS: Final = (TOKEN, INBOUND, LOGIN, START, WEBHOOK, CALLBACK, CORE)
"""Every endpoint, in the order in which people meet them."""

OTHER: Final = "other"
"""The kind of a request to no endpoint."""

KINDS: Final = (*(endpoint.name for endpoint in ENDPOINTS), OTHER)
"""Every kind of a journal entry."""

ISSUERS: Final = frozenset(endpoint.name for endpoint in ENDPOINTS if endpoint.issues_tokens)
"""The kinds of entries whose answer carries an access token."""

PAYLOADS: Final = frozenset(endpoint.name for endpoint in ENDPOINTS if endpoint.takes_payloads)
"""The kinds of entries whose body is a payload."""


def endpoint_kind(name: str) -> EndpointKind | None:
    """Return the endpoint of that name; ``None`` for ``OTHER``."""
    return next((endpoint for endpoint in ENDPOINTS if endpoint.name == name), None)
