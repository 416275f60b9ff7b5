"""The way from a host and a path to an endpoint of process flows (FLOWS 1).

The platform's hosts have paths in common, so its hosts decide where a request is for. ``app.wearepatchworks.com`` has
the three deployments under a prefix. On any other host, such as the sandbox's own, all endpoints are served, with the
prefix or without it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sandbox.journal.entry import Entry
from sandbox.platform.endpoints.endpoint import Endpoint, Operation
from sandbox.platform.flows import HOSTS, PREFIXES, login, start, webhook
from sandbox.platform.flows.core import endpoints as core
from sandbox.platform.flows.flow_endpoint import FlowEndpoint
from sandbox.platform.platform import Platform

ENDPOINTS: Final[tuple[FlowEndpoint[Any], ...]] = (
    *login.ENDPOINTS,
    *core.ENDPOINTS,
    *start.ENDPOINTS,
    *webhook.ENDPOINTS,
)
"""Every endpoint of process flows. Of two with the same path the first is asked first."""

_EVERYWHERE: Final = tuple(dict.fromkeys(kind for kinds in PREFIXES.values() for kind in kinds))


def flow_endpoint(platform: Platform, base_url: str, path: str) -> tuple[Endpoint[Any], Mapping[str, str]] | None:
    """Return the endpoint of a path on a host, with the values in the path; ``None`` where there is none.

    Where the host leaves two that take the path, the one that knows the id in it is meant: ids are unique.
    """
    host = base_url.partition("//")[2].partition(":")[0].lower().rstrip(".")
    kinds = HOSTS.get(host, _EVERYWHERE)
    prefix, rest = path[: path.find("/", 1)], path[path.find("/", 1) :]
    if prefix in PREFIXES and (kinds == _EVERYWHERE or not kinds):
        kinds, path = PREFIXES[prefix], rest
    first: tuple[Endpoint[Any], Mapping[str, str]] | None = None
    for endpoint in ENDPOINTS:
        if endpoint.kind.name not in kinds:
            continue
        subject = endpoint.subject_of(path, platform.settings)
        if subject is None:
            continue
        if endpoint.knows(subject, platform):
            return endpoint, subject
        first = first or (endpoint, subject)
    return first


def asked_operations(entry: Entry) -> tuple[Mapping[str, Operation], Mapping[str, str]]:
    """Return the operations of the address that a request in the journal was for, and the values in its path."""
    for endpoint in ENDPOINTS:
        if endpoint.kind.name == entry.kind:
            values = endpoint.values_of(entry.path.rstrip("/"))
            if values is not None:
                return endpoint.operations, values
    return {}, {}
