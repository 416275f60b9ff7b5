"""Fixtures of the tests of processing."""

from tests.platform.processing.orders import immediate, make_orders, scheduled

__all__ = ["immediate", "make_orders", "scheduled"]
