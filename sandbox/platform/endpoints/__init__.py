"""The emulated endpoints, one module each; ``ENDPOINTS`` holds the object of every ``EndpointKind``, in its order."""

from __future__ import annotations

from importlib import import_module
from typing import Final

from sandbox.journal.endpoint import ENDPOINTS as KINDS
from sandbox.journal.endpoint import EndpointKind
from sandbox.platform.endpoints.endpoint import Endpoint

__all__ = ["ENDPOINTS", "Endpoint"]


def _made(kind: EndpointKind) -> Endpoint:
    endpoint: Endpoint = import_module(f"{__name__}.{kind.name}").ENDPOINT(kind)
    return endpoint


ENDPOINTS: Final = tuple(_made(kind) for kind in KINDS)
