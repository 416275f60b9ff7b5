"""The emulated endpoints, one module each.

To add an endpoint, add its ``EndpointKind`` to ``sandbox.journal.endpoint`` and a module of the same name here, whose
``ENDPOINT`` is an ``Endpoint``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final

from sandbox.journal.endpoint import ENDPOINTS as KINDS
from sandbox.journal.entry import Entry
from sandbox.platform.endpoints.endpoint import Endpoint, Operation
from sandbox.platform.store import Store

__all__ = ["ENDPOINTS", "Endpoint", "PublishedContract"]


def _of_module(name: str) -> Endpoint[Any]:
    endpoint: Endpoint[Any] = import_module(f"{__name__}.{name}").ENDPOINT
    return endpoint


ENDPOINTS: Final = tuple(_of_module(kind.name) for kind in KINDS)
"""Every endpoint, in the order of its kinds."""


@dataclass(frozen=True, slots=True)
class PublishedContract:
    """The operations of the OpenAPI document, for ``sandbox.journal.contract``."""

    store: Store

    def operations(self, entry: Entry) -> Mapping[str, Operation]:
        """Return the operations of an entry's endpoint by method; none for a request to no endpoint."""
        return next((endpoint.operations for endpoint in ENDPOINTS if endpoint.kind.name == entry.kind), {})

    def is_structured(self, entry: Entry) -> bool:
        """Return whether a payload must be JSON, because the entity of its service has a structure."""
        return any(
            endpoint.is_structured(entry, self.store) for endpoint in ENDPOINTS if endpoint.kind.name == entry.kind
        )
