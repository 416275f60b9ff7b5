"""The fixtures of the dashboard's quick tests, for those that load many pages."""

from __future__ import annotations

from tests.web.dashboard.conftest import dashboard, open_context, open_dashboard, server

__all__ = ["dashboard", "open_context", "open_dashboard", "server"]
