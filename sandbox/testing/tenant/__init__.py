"""A company of one's own in a sandbox that others use at the same time: a backend that sees and touches only that."""

from __future__ import annotations

from sandbox.testing.tenant.backend import Tenant

__all__ = ["Tenant"]
