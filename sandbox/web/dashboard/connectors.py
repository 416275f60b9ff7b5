"""Connectors: the list, and one with its entities (settings) and its credentials (authentication), as at the vendor."""

from __future__ import annotations

import json
from typing import Any

from flask import Response, render_template, request

from sandbox.foundation.strict_json import NotJsonError, parse_json
from sandbox.platform.entity_check import infer_schema
from sandbox.web.control.base import MAX_DEPTH, current_sandbox
from sandbox.web.dashboard.blueprint import PAGES, pages
from sandbox.web.dashboard.detected_fields import detected_fields


@pages.get(f"{PAGES}/connectors")
def connectors() -> str:
    """List the connectors."""
    store = current_sandbox().store
    listed = [
        {
            "connector": connector,
            "entities": store.entities(connector.id),
            "clients": store.clients(connector.id),
            "services": [service for service in store.services() if service.connector_id == connector.id],
        }
        for connector in store.connectors()
    ]
    return render_template("connectors.html", connectors=listed, companies=store.companies())


@pages.get(f"{PAGES}/connectors/<int:connector_id>")
def connector_settings(connector_id: int) -> str:
    """Show the settings tab: the entities."""
    return _tab("connector_settings.html", connector_id)


@pages.get(f"{PAGES}/connectors/<int:connector_id>/authentication")
def connector_authentication(connector_id: int) -> str:
    """Show the authentication tab: the token endpoint and the OAuth clients, never with a secret."""
    return _tab("connector_authentication.html", connector_id)


def _tab(template: str, connector_id: int) -> str:
    store = current_sandbox().store
    connector = store.connector(connector_id)
    return render_template(
        template,
        connector=connector,
        company=store.company(connector.company),
        entities=[(entity, detected_fields(entity.json_schema)) for entity in store.entities(connector_id)],
        clients=store.clients(connector_id),
        used_by=[service for service in store.services() if service.connector_id == connector_id],
    )


@pages.get(f"{PAGES}/connectors/<int:connector_id>/entities/<int:entity_id>/sample")
def sample(connector_id: int, entity_id: int) -> Response:
    """Download the sample payload of an entity, to be adapted."""
    entity = current_sandbox().store.entity(connector_id, entity_id)
    text = json.dumps(entity.sample, indent=2, ensure_ascii=False) + "\n"
    name = "".join(char if char.isascii() and (char.isalnum() or char in "-_") else "-" for char in entity.name)
    return Response(
        text,
        content_type="application/json",
        headers={"Content-Disposition": f'attachment; filename="{name}.json"'},
    )


@pages.post(f"{PAGES}/detected-fields")
def detect_fields() -> tuple[str, int]:
    """Show the fields of a sample that is about to become an entity; nothing is kept."""
    found: list[Any] = []
    problem = None
    try:
        value = parse_json(request.get_data(), MAX_DEPTH)
    except NotJsonError as error:
        problem = f"This is not JSON: {error}"
    else:
        found = detected_fields(infer_schema(value))
        if not found:
            problem = "There is no field in this sample: it should be an object, or a list of objects."
    return render_template("detected_fields.html", fields=found, problem=problem), 200


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
