"""The emulated endpoints of the inbound API, one module each.

To add an endpoint, add its ``EndpointKind`` to ``sandbox.journal.endpoint_kind`` and a module of the same name here,
whose ``ENDPOINT`` is an ``Endpoint``.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from sandbox.journal.endpoint_kind import ENDPOINTS as KINDS
from sandbox.journal.endpoint_kind import endpoint_kind
from sandbox.journal.entry import Entry
from sandbox.platform.endpoints.endpoint import Endpoint

if TYPE_CHECKING:
    from sandbox.journal.contract_rules import ContractViolation

__all__ = ["ENDPOINTS", "Endpoint", "violations_of"]


ENDPOINTS: Final[tuple[Endpoint[Any], ...]] = tuple(
    import_module(f"{__name__}.{kind.name}").ENDPOINT for kind in KINDS if kind.surface == "inbound"
)
"""Every endpoint of the inbound API, in the order of its kinds."""


def violations_of(entry: Entry) -> list[ContractViolation]:
    """Return the ways in which a request does not conform to the published contract of its endpoint."""
    from sandbox.journal.contract import contract_violations  # a start needs none of it

    kind = endpoint_kind(entry.kind)
    if kind is not None and kind.surface == "flows":
        from sandbox.platform.flows.routes import asked_operations  # few have one

        return contract_violations(entry, *asked_operations(entry))
    operations = next((endpoint.operations for endpoint in ENDPOINTS if endpoint.kind.name == entry.kind), {})
    return contract_violations(entry, operations)
