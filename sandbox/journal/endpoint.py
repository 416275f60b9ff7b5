"""The emulated endpoints as data: their names and the traits that faults, filters and counters ask for.

``sandbox.platform.endpoints`` has a module of the same name for each, which does the work. The kind of a journal entry
is the name of an endpoint, or ``OTHER`` for a request to no endpoint.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class EndpointKind:
    """An emulated endpoint."""

    name: str
    """The kind of its journal entries, and its name in filters and fault rules."""
    title: str
    """Its name for people: "Token endpoint"."""
    subject: tuple[str, ...] = ()
    """Names of the values that a path of it holds, such as ``company``."""
    issues_tokens: bool = False
    """Whether its answer carries an access token."""
    takes_bearer: bool = False
    """Whether a request carries an access token."""
    takes_payloads: bool = False
    """Whether the body is a payload, which the journal keeps byte for byte."""


ENDPOINTS: Final = (
    EndpointKind("token", "Token endpoint", issues_tokens=True),
    EndpointKind("inbound", "Inbound URL", subject=("company", "vanity_url"), takes_bearer=True, takes_payloads=True),
)
"""Every endpoint, in the order in which people meet them."""

OTHER: Final = "other"
"""The kind of a request to no endpoint."""

PAYLOADS: Final = frozenset(endpoint.name for endpoint in ENDPOINTS if endpoint.takes_payloads)
"""The kinds of entries whose body is a payload."""

KINDS: Final = (*(endpoint.name for endpoint in ENDPOINTS), OTHER)
"""Every kind of a journal entry."""
