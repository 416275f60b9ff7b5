"""The emulated endpoints, one module each.

To add an endpoint, add its ``EndpointKind`` to ``sandbox.journal.endpoint`` and a module of the same name here, whose
``ENDPOINT`` is an ``Endpoint``.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, Final

from sandbox.journal.contract import ContractViolation, contract_violations
from sandbox.journal.endpoint import ENDPOINTS as KINDS
from sandbox.journal.entry import Entry
from sandbox.platform.endpoints.endpoint import Endpoint
from sandbox.platform.store import Store

__all__ = ["ENDPOINTS", "Endpoint", "violations_of"]


def _of_module(name: str) -> Endpoint[Any]:
    endpoint: Endpoint[Any] = import_module(f"{__name__}.{name}").ENDPOINT
    return endpoint


ENDPOINTS: Final = tuple(_of_module(kind.name) for kind in KINDS)
"""Every endpoint, in the order of its kinds."""


def violations_of(entry: Entry, store: Store) -> list[ContractViolation]:
    """Return the ways in which a request does not conform to the published contract of its endpoint."""
    for endpoint in ENDPOINTS:
        if endpoint.kind.name == entry.kind:
            return contract_violations(entry, endpoint.operations, structured=endpoint.is_structured(entry, store))
    return contract_violations(entry, {}, structured=False)
