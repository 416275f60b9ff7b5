"""Connectors as on the vendor's pages: a list, settings (entities) and authentication (clients); and the services."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from flask import Response, render_template, request

from sandbox.foundation.strict_json import NotJsonError, RepeatedKeyError, parse_json, write_json
from sandbox.platform.entity_check import infer_schema
from sandbox.web.control.base import MAX_DEPTH, current_sandbox
from sandbox.web.dashboard.blueprint import PAGES, by_connector, pages


@pages.get(f"{PAGES}/connectors")
def connectors() -> str:
    """List the connectors."""
    store = current_sandbox().store
    return render_template(
        "connectors.html",
        connectors=store.connectors(),
        entities=by_connector(store.entities()),
        clients=by_connector(store.clients()),
        services=by_connector(store.services()),
    )


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
        entities=[(entity, detected_fields(entity.json_schema)) for entity in store.entities(connector_id)],
        clients=store.clients(connector_id),
        scope=current_sandbox().settings.required_scope,
    )


@pages.get(f"{PAGES}/connectors/<int:connector_id>/entities/<int:entity_id>/sample")
def sample(connector_id: int, entity_id: int) -> Response:
    """Download the sample payload of an entity."""
    entity = current_sandbox().store.entity(connector_id, entity_id)
    text = write_json(entity.sample, indent=2, ascii=False) + "\n"
    name = "".join(char if char.isascii() and (char.isalnum() or char in "-_") else "-" for char in entity.name)
    return Response(
        text,
        content_type="application/json",
        headers={"Content-Disposition": f'attachment; filename="{name}.json"'},
    )


@pages.post(f"{PAGES}/detected-fields")
def detect_fields() -> str:
    """Show the fields of a sample before it becomes an entity; nothing is kept."""
    found: list[Any] = []
    problem = None
    try:
        value = parse_json(request.get_data(), MAX_DEPTH, unique=True)
    except RepeatedKeyError as error:
        problem = f"This cannot be a sample: {error}."
    except NotJsonError as error:
        problem = f"This is not JSON: {error}" if request.get_data().strip() else None
    else:
        found = detected_fields(infer_schema(value, integers=current_sandbox().store.integers))
        if not found:
            problem = "There is no field in this sample: it should be an object, or a list of objects."
    return render_template("detected_fields.html", fields=found, problem=problem)


@pages.get(f"{PAGES}/services")
def services() -> str:
    """List the services."""
    sandbox = current_sandbox()
    store = sandbox.store
    return render_template(
        "services.html",
        services=store.services(),
        connectors={connector.id: connector for connector in store.connectors()},
        inactive_answer=sandbox.settings.inactive_service,
    )


MAX_FIELDS: Final = 500


@dataclass(frozen=True, slots=True)
class DetectedField:
    """One field: its dotted path (``lines[].sku``), its JSON type in words, and whether it is required."""

    path: str
    type: str
    required: bool


def detected_fields(json_schema: Mapping[str, Any] | None) -> list[DetectedField]:
    """Return the fields of a JSON Schema as a flat list, at most ``MAX_FIELDS``; a free-form entity has none."""
    return list(islice(_fields(json_schema or {}, ""), MAX_FIELDS))


def _fields(schema: Any, path: str) -> Iterator[DetectedField]:
    if not isinstance(schema, Mapping):
        return
    required = schema.get("required") or []
    for name, child in (schema.get("properties") or {}).items():
        child_path = f"{path}.{name}" if path else str(name)
        yield DetectedField(child_path, _type(child), name in required)
        yield from _fields(child, child_path)
    if "items" in schema:
        yield from _fields(schema["items"], f"{path}[]")
    for branch in schema.get("anyOf") or []:
        yield from _fields(branch, path)


def _type(schema: Any) -> str:
    if not isinstance(schema, Mapping):
        return "anything"
    if branches := schema.get("anyOf"):
        return " or ".join(dict.fromkeys(_type(branch) for branch in branches))
    types = schema.get("type", "anything")
    if types == "array" and "items" in schema:
        return f"list of {_type(schema['items'])}"
    return " or ".join(types) if isinstance(types, list) else str(types)
