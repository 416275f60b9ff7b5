"""A service that takes orders, at three minutes past ten on a clock that stands still."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sandbox.foundation.instants import format_timestamp
from sandbox.platform.model import Service
from sandbox.platform.processing.processing import Processing
from sandbox.platform.processing.values import Item
from tests.conftest import Integration

NOW = "2026-11-27T10:03:00Z"


class Orders:
    """The demo service ``anything`` and what becomes of its payloads."""

    def __init__(self, integration: Integration, **options: object) -> None:
        self.integration, self.sandbox = integration, integration.sandbox
        self.sandbox.clock.freeze()
        self.sandbox.clock.travel_to(NOW)
        service = self.sandbox.store.find_service("acme", "anything")
        assert service is not None
        self.service = self.change(service, **options)
        self.token = integration.token()

    def change(self, service: Service | None = None, **changes: Any) -> Service:
        """Change the service."""
        return self.sandbox.store.change_service((service or self.service).id, **changes)

    def post(self, *references: str) -> None:
        """Send an order a reference, each in a request of its own."""
        for reference in references:
            assert self.integration.post({"order": reference}).status_code == 200

    @property
    def processing(self) -> Processing:
        """Processing as it is now."""
        return self.sandbox.platform.processing

    def item(self, reference: str) -> Item:
        """Return the one item with a reference."""
        [found] = [item for item in self.processing.items() if item.reference == reference]
        return found

    def statuses(self) -> dict[str | None, str | None]:
        """Return the status of each item by its reference."""
        return {item.reference: item.status for item in self.processing.items()}

    def history(self, reference: str) -> list[tuple[str, str]]:
        """Return time of day and status of each attempt on an item."""
        return [(format_timestamp(each.at)[11:16], each.status) for each in self.item(reference).last]

    def runs(self) -> list[tuple[str, str, int, int]]:
        """Return time of day, cause and counts of each run."""
        return [
            (format_timestamp(run.due_at)[11:16], run.requested_by, run.pulled, run.pushed)
            for run in self.processing.runs()
        ]


MakeOrders = Callable[..., Orders]


@pytest.fixture
def make_orders(make_integration: Callable[..., Integration]) -> MakeOrders:
    """Make a service with options in a sandbox with settings."""

    def make(settings: dict[str, Any] | None = None, **options: object) -> Orders:
        return Orders(make_integration(**(settings or {})), **options)

    return make


@pytest.fixture
def scheduled(make_orders: MakeOrders) -> Orders:
    """A service that runs each quarter of an hour."""
    return make_orders({"processing": "scheduled"}, schedule="*/15 * * * *", destination="NetSuite")


@pytest.fixture
def immediate(make_orders: MakeOrders) -> Orders:
    """A service that processes each payload at once."""
    return make_orders()
