"""The contract of one integration: a document with a path for each service and the schema of its entity.

The body of a service whose entity has a structure is JSON: a payload, or a list of payloads that is not empty, because
the sandbox checks each item of a list (FACTS 1.21). A free-form service takes what the general document says.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Final

from sandbox.foundation.answer import JSON
from sandbox.foundation.refusals import InvalidPayloadError, Violation
from sandbox.foundation.settings import Settings
from sandbox.platform.endpoints.inbound import BLANK, MISMATCH
from sandbox.platform.endpoints.responses import Responses
from sandbox.platform.model import INBOUND_PATH, Entity, Service
from sandbox.platform.store import Store
from sandbox.web.emulated.components import camel, components_of
from sandbox.web.emulated.document import Document

_BLANKS: Final[Mapping[str, Mapping[str, int]]] = {"object": {"minProperties": 1}, "string": {"minLength": 1}}
"""The keywords that keep a blank payload out of a type (FACTS 1.16)."""

_NO_LIST: Final = ("object", "string", "number", "integer", "boolean")


def resolved(document: Document, store: Store, settings: Settings) -> Document:
    """Return a document in force with a path for each active service in place of the one for all."""
    services = [service for service in store.services() if service.active or settings.inactive_service == "accept"]
    entities = {service.id: store.entity_of(service) for service in services}
    structured = {entity.id: entity for entity in entities.values() if entity and entity.json_schema is not None}
    general_schemas: Mapping[str, Any] = document["components"]["schemas"]
    schemas = _unique({each.id: (f"{camel(each.name)}Payload",) for each in structured.values()}, general_schemas)
    ids = _unique(
        {
            service.id: (f"store{camel(service.vanity_url)}", f"store{camel(service.company, service.vanity_url)}")
            for service in services
        }
    )
    paths = dict(document["paths"])
    general = paths.pop(INBOUND_PATH)["post"]
    for service in services:
        entity = entities[service.id]
        name = None if entity is None else schemas.get(entity.id)
        operation = _operation(general, service, structured.get(entity.id) if entity else None, settings)
        operation["operationId"] = ids[service.id]
        if entity is not None and name is not None:
            operation["requestBody"] = _body(general["requestBody"], entity, name, store, service)
        else:
            operation["requestBody"] = _free_form(general["requestBody"])
        paths[service.path] = {"post": operation}
    paths[settings.token_path] = {
        method: _leading_to(operation, next(iter(ids.values()), None))
        for method, operation in paths[settings.token_path].items()
    }
    components = dict(general_schemas)
    for key, entity in structured.items():
        components |= components_of(entity.json_schema or {}, schemas[key], {*components, *schemas.values()})
    return {**document, "paths": paths, "components": {**document["components"], "schemas": components}}


def _leading_to(operation: Mapping[str, Any], operation_id: str | None) -> Document:
    """Return the operation of the token endpoint with a link to a service, if there is one."""
    issued = dict(operation["responses"]["200"])
    [link] = issued.pop("links").values()
    if operation_id is not None:
        issued["links"] = {operation_id: {"operationId": operation_id, "description": link["description"]}}
    return {**operation, "responses": {**operation["responses"], "200": issued}}


# --- names ----------------------------------------------------------------------------------------------------------


def _unique(names: Mapping[int, Iterable[str]], taken: Iterable[str] = ()) -> dict[int, str]:
    """Return a name for each id: the first of its names that nothing else has, or else the last one with the id.

    No other name has the underscore before that id.
    """
    counts = Counter([*taken, *(name for each in names.values() for name in set(each))])
    return {
        key: next((name for name in each if counts[name] == 1), f"{list(each)[-1]}_{key}")
        for key, each in names.items()
    }


# --- the operation of a service -------------------------------------------------------------------------------------


def _operation(general: Mapping[str, Any], service: Service, entity: Entity | None, settings: Settings) -> Document:
    responses = dict(general["responses"])
    if "422" in responses:
        refused = []
        if settings.blank_payload == "reject":
            refused.append(InvalidPayloadError(BLANK, [Violation("payload", "required")]))
        if entity is not None and settings.entity_check == "reject":
            refused.append(InvalidPayloadError(MISMATCH, [_example_of_a_mismatch(entity)]))
        if refused:
            responses["422"] = _named(responses["422"], settings, service.path, *refused)
        else:
            del responses["422"]
    if entity is None:
        takes = "It takes any body that is not blank."
    else:
        checked = {"reject": "refused", "flag": "accepted, and noted in the journal", "off": "accepted unseen"}
        takes = f"It takes the entity {entity.name}. Another payload is {checked[settings.entity_check]}."
    return {
        **{key: value for key, value in general.items() if key != "parameters"},
        "summary": f"Send a payload to {service.company}/{service.vanity_url}.",
        "description": f"{takes}\n{general['description']}",
        "responses": responses,
    }


def _named(response: Document, settings: Settings, path: str, *errors: Any) -> Document:
    """Return a response with the examples that belong to a service."""
    page = settings.accept != "documented"
    return Responses(settings).refusals(
        response["description"], *errors, headers=response["headers"], path=path, page=page
    )


def _example_of_a_mismatch(entity: Entity) -> Violation:
    required: Any = (entity.json_schema or {}).get("required")
    names = [name for name in required if isinstance(name, str)] if isinstance(required, list) else []
    return Violation(names[0], "required") if names else Violation("payload", "json")


def _free_form(general: Mapping[str, Any]) -> Document:
    content = {**general["content"], JSON: {**general["content"][JSON]}}
    examples = content[JSON].pop("examples")
    content[JSON]["examples"] = {"stored": examples["stored"]}
    return {**general, "description": "Any body that is not blank.", "content": content}


def _body(general: Mapping[str, Any], entity: Entity, name: str, store: Store, service: Service) -> Document:
    reference = {"$ref": f"#/components/schemas/{name}"}
    one: dict[str, Any] = dict(reference)
    kind = (entity.json_schema or {}).get("type")
    if kind not in _NO_LIST:
        one = {"allOf": [reference], "not": {"anyOf": [{"type": "array"}, {"enum": [None, "", {}]}]}}
    elif kind in _BLANKS and not (entity.json_schema or {}).get("required"):
        one = {"allOf": [reference], **_BLANKS[str(kind)]}
    content: dict[str, Any] = {"schema": {"anyOf": [one, {"type": "array", "minItems": 1, "items": reference}]}}
    check = store.check_for(service)
    if check is not None and entity.sample not in (None, "", [], {}) and not check.violations(entity.sample):
        content["examples"] = {"stored": {"value": entity.sample}}
    return {
        **general,
        "description": f"A payload of the entity {entity.name}, or a list of such payloads.",
        "content": {JSON: content},
    }
