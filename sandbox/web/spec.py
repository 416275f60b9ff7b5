"""The OpenAPI documents as files: in the repository, from the command line, and from a running sandbox.

The files at the top of the repository are made by ``documents``. A sandbox serves those with its settings in force.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import yaml
from flask import Flask, Response, request

from sandbox.foundation.errors import InvalidValueError
from sandbox.foundation.settings import Settings
from sandbox.foundation.strict_json import write_json
from sandbox.platform.endpoints.token import EXAMPLE_CLIENT
from sandbox.platform.store import Store
from sandbox.web.collection import collection
from sandbox.web.control.base import base_url, current_sandbox
from sandbox.web.control.seed_views import may_know_secrets, own_endpoints
from sandbox.web.emulated.document import document_in_force, general_document
from sandbox.web.emulated.rendition import as_3_0
from sandbox.web.emulated.resolved import resolved
from sandbox.web.paths import PREFIX

EMULATED_FILE: Final = "openapi.yaml"
EMULATED_3_0_FILE: Final = "openapi-3.0.yaml"
FLOWS_FILE: Final = "openapi-flows.yaml"
CONTROL_FILE: Final = "openapi-control.yaml"
COLLECTION_FILE: Final = "collection.json"


class _Dumper(yaml.SafeDumper):
    """Writes no aliases, and texts of several lines as blocks."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


_Dumper.add_representer(
    str, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, "|" if "\n" in text else None)
)


def as_yaml(document: dict[str, Any]) -> str:
    """Return a document as YAML."""
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)


def control_document(control: Flask, server: str | None = None) -> dict[str, Any]:
    """Return the document of the control API; ``server`` is the address that clients use."""
    spec: dict[str, Any] = {**control.extensions["openapi"]().to_dict()}  # a copy: apispec returns a part of itself
    if server is not None:
        spec["servers"] = [{**spec["servers"][0], "url": server}]
    spec = _without_unused_schemas(spec)
    ordered: dict[str, Any] = {
        key: spec.pop(key) for key in ("openapi", "info", "servers", "tags", "paths") if key in spec
    }
    return {**ordered, **spec}


def _with_own_examples(node: Any, own: Mapping[str, str]) -> Any:
    """Return a document with values of the sandbox in the place of those of the examples."""
    if isinstance(node, dict):
        return {name: _with_own_examples(value, own) for name, value in node.items()}
    if isinstance(node, list):
        return [_with_own_examples(part, own) for part in node]
    return own.get(node, node) if isinstance(node, str) else node


def _own_examples() -> dict[str, str]:
    """Return what to put in the place of the examples' credentials: those of the sandbox, for an asker who may know."""
    credentials = own_endpoints().credentials
    if credentials is None:
        return {}
    client_id, secret = EXAMPLE_CLIENT
    return {client_id: credentials.client.id} | ({secret: credentials.secret} if may_know_secrets() else {})


def _without_unused_schemas(spec: dict[str, Any]) -> dict[str, Any]:
    """Leave out schemas without a reference: flask-smorest adds schemas of its own for errors and pages."""
    schemas: dict[str, Any] = spec["components"]["schemas"]
    used = set(_SCHEMA_REFERENCE.findall(write_json(spec)))
    kept = {name: schema for name, schema in schemas.items() if name in used}
    return {**spec, "components": {**spec["components"], "schemas": kept}}


_SCHEMA_REFERENCE: Final = re.compile(r'"#/components/schemas/([^"/]+)["/]')


def documents(control: Flask, emulated: dict[str, Any] | None = None) -> dict[str, dict[str, Any]]:
    """Return the published documents by file name; ``emulated`` replaces the general one of the inbound API."""
    document = general_document() if emulated is None else emulated
    return {
        EMULATED_FILE: document,
        EMULATED_3_0_FILE: as_3_0(document),
        FLOWS_FILE: general_document("flows"),
        CONTROL_FILE: control_document(control),
    }


def document_of(store: Store, settings: Settings, base_url: str, *, resolve: bool) -> dict[str, Any]:
    """Return the document of a sandbox with its settings in force; ``resolve``: with a path for each service."""
    document = document_in_force(settings, base_url)
    return resolved(document, store, settings) if resolve else document


def serve_documents(control: Flask) -> None:
    """Let the control API serve the documents, with the settings in force and the address of the request.

    Those of the emulated API have the credentials of the sandbox as examples, so that what imports them can be used.
    The collection is of the same use to tools that send requests.
    ``?resolve=true`` resolves those of the emulated API.
    """

    def serve(document: dict[str, Any]) -> Response:
        return Response(as_yaml(document), content_type="application/yaml; charset=utf-8")

    def emulated() -> dict[str, Any]:
        sandbox = current_sandbox()
        document = document_of(sandbox.store, sandbox.settings, base_url(), resolve=_asks_to_resolve())
        own: dict[str, Any] = _with_own_examples(document, _own_examples())
        return own

    for file, name, make in (
        (EMULATED_FILE, "emulated_document", emulated),
        (EMULATED_3_0_FILE, "emulated_document_3_0", lambda: as_3_0(emulated())),
        (FLOWS_FILE, "flows_document", lambda: document_in_force(current_sandbox().settings, base_url(), "flows")),
        (CONTROL_FILE, "control_document", lambda: control_document(control, base_url())),
    ):
        control.add_url_rule(f"{PREFIX}/{file}", name, lambda make=make: serve(make()))
    control.add_url_rule(f"{PREFIX}/{COLLECTION_FILE}", "collection", _collection)


def _collection() -> Response:
    """Return the requests of the first OAuth client as a collection, with its secret for an asker who may know."""
    endpoints = own_endpoints()
    secret = endpoints.credentials.secret if endpoints.credentials and may_know_secrets() else None
    answer = Response(write_json(collection(endpoints, secret=secret)), content_type="application/json")
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _asks_to_resolve() -> bool:
    """Return the parameter ``resolve`` of the query; raise ``InvalidValueError``, also for another parameter."""
    for name, value in request.args.items(multi=True):
        if name != "resolve":
            raise InvalidValueError(f"query.{name}", value, "the parameter resolve only")
        if value not in _FLAGS:
            raise InvalidValueError("query.resolve", value, "true or false")
    return _FLAGS[request.args.get("resolve", "false")]


_FLAGS: Final = {"true": True, "false": False}
