"""The interface of an endpoint of process flows."""

from __future__ import annotations

from collections.abc import Mapping

from sandbox.platform.endpoints.endpoint import Admitted, Endpoint
from sandbox.platform.platform import Platform


class FlowEndpoint(Endpoint[Admitted]):
    """One address of process flows. Several may have one kind, such as the routes of the Start API."""

    def knows(self, subject: Mapping[str, str], platform: Platform) -> bool:
        """Return whether the values in a path name something of this endpoint, where another takes the path too."""
        return True
