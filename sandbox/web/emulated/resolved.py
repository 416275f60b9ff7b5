"""The contract of one integration: a document with a path for each service and the schema of its entity.

The body of a service whose entity has a structure is JSON: a payload, or a list of payloads that is not empty, because
the sandbox checks each item of a list (FACTS 1.21). A free-form service takes what the general document says.
"""

from __future__ import annotations

import re
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
from sandbox.web.emulated.document import Document

_BLANKS: Final[Mapping[str, Mapping[str, int]]] = {"object": {"minProperties": 1}, "string": {"minLength": 1}}
"""The keywords that keep a blank payload out of a type (FACTS 1.16)."""

_NO_LIST: Final = ("object", "string", "number", "integer", "boolean")
_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_DEFINITIONS: Final = ("$defs", "definitions")
_VALUES: Final = ("const", "enum", "default", "example", "examples")
_MAPS: Final = ("properties", "patternProperties", "dependentSchemas", *_DEFINITIONS)


def resolved(document: Document, store: Store, settings: Settings) -> Document:
    """Return a document in force with a path for each active service in place of the one for all."""
    services = [service for service in store.services() if service.active or settings.inactive_service == "accept"]
    entities = {service.id: store.entity_of(service) for service in services}
    structured = {entity.id: entity for entity in entities.values() if entity and entity.json_schema is not None}
    schemas = _unique({entity.id: (f"{_camel(entity.name)}Payload",) for entity in structured.values()})
    ids = _unique(
        {
            service.id: (f"store{_camel(service.vanity_url)}", f"store{_camel(service.company, service.vanity_url)}")
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
    components: dict[str, Any] = {**document["components"], "schemas": {**document["components"]["schemas"]}}
    for key, entity in structured.items():
        components["schemas"].update(_components(entity.json_schema or {}, schemas[key]))
    return {**document, "paths": paths, "components": components}


def _leading_to(operation: Mapping[str, Any], operation_id: str | None) -> Document:
    """Return the operation of the token endpoint with a link to a service, if there is one."""
    issued = dict(operation["responses"]["200"])
    [link] = issued.pop("links").values()
    if operation_id is not None:
        issued["links"] = {operation_id: {"operationId": operation_id, "description": link["description"]}}
    return {**operation, "responses": {**operation["responses"], "200": issued}}


# --- names ----------------------------------------------------------------------------------------------------------


def _camel(*names: str) -> str:
    words = (word for name in names for word in re.split(r"[^A-Za-z0-9]+", name) if word)
    return "".join(word[0].upper() + word[1:] for word in words)


def _unique(names: Mapping[int, Iterable[str]]) -> dict[int, str]:
    """Return a name for each id: the first of its names that no other id has, or else the last one with the id."""
    counts = Counter(name for each in names.values() for name in set(each))
    return {
        key: next((name for name in each if counts[name] == 1), f"{list(each)[-1]}{key}") for key, each in names.items()
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
    body = response["content"][JSON]["schema"]["$ref"].rpartition("/")[2]
    return Responses(settings).refusals(
        response["description"], body, *errors, headers=response["headers"], path=path, page=page
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


# --- the schema of an entity as a component -------------------------------------------------------------------------


def _components(schema: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return the components that a JSON Schema becomes: itself, and each of its definitions.

    References lead to the components. An ``$id`` goes: references would be relative to it, not to the document.
    """
    root = {key: value for key, value in schema.items() if (key, value) != ("$schema", _DIALECT)}
    own = root.pop("$id", None) if isinstance(root.get("$id"), str) else None
    places = {"#": f"#/components/schemas/{name}"}
    components: dict[str, Any] = {}
    for keyword in _DEFINITIONS:
        if isinstance(root.get(keyword), Mapping):
            for key, definition in root.pop(keyword).items():
                component = f"{name}{_camel(key)}"
                component += str(len(components)) if component in components or component == name else ""
                components[component] = definition
                pointer = key.replace("~", "~0").replace("/", "~1")
                places[f"#/{keyword}/{pointer}"] = f"#/components/schemas/{component}"
    return {key: _rebased(each, places, own) for key, each in {name: root, **components}.items()}


def _rebased(schema: Any, places: Mapping[str, str], own: str | None) -> Any:
    """Return a schema whose references lead to where the parts of its document are now."""
    if isinstance(schema, list):
        return [_rebased(each, places, own) for each in schema]
    if not isinstance(schema, Mapping):
        return schema
    rebased: dict[str, Any] = {}
    for key, value in schema.items():
        if key == "$ref" and isinstance(value, str):
            rebased[key] = _led(value.removeprefix(own or ""), places)
        elif key in _VALUES:
            rebased[key] = value
        elif key in _MAPS and isinstance(value, Mapping):
            rebased[key] = {name: _rebased(each, places, own) for name, each in value.items()}
        else:
            rebased[key] = _rebased(value, places, own)
    return rebased


def _led(reference: str, places: Mapping[str, str]) -> str:
    """Return where a reference leads now: by the longest known beginning of its JSON Pointer."""
    steps = reference.split("/")
    for end in range(len(steps), 0, -1):
        beginning = "/".join(steps[:end])
        if beginning in places:
            return "/".join([places[beginning], *steps[end:]])
    return reference
