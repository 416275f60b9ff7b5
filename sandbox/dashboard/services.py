"""Services: the inbound URLs, and whether they answer."""

from __future__ import annotations

from flask import render_template

from sandbox.control.base import current_sandbox
from sandbox.dashboard.blueprint import PAGES, pages


@pages.get(f"{PAGES}/services")
def services() -> str:
    """List the services."""
    sandbox = current_sandbox()
    store = sandbox.store
    connectors = {connector.id: connector for connector in store.connectors()}
    return render_template(
        "services.html",
        services=store.services(),
        connectors=connectors,
        entities={connector_id: store.entities(connector_id) for connector_id in connectors},
        inactive_answer=sandbox.settings.inactive_service,
    )
