"""The two OpenAPI documents, generated from the running code.

The files checked in at the top of the repository are these documents for the default settings.
"""

from __future__ import annotations

import re
from typing import Any, Final

import yaml
from flask import Flask, Response, request

from sandbox.foundation.strict_json import write_json
from sandbox.web.control.base import base_url
from sandbox.web.environ import EMULATED
from sandbox.web.paths import PREFIX

EMULATED_FILE: Final = "openapi.yaml"
CONTROL_FILE: Final = "openapi-control.yaml"


class _Dumper(yaml.SafeDumper):
    """Writes no aliases, and texts of several lines as blocks."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _represent_text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _represent_text)


def document(app: Flask, server: str | None = None) -> str:
    """Return the OpenAPI document of an application as YAML; ``server`` is the address that clients use."""
    return yaml.dump(contents(app, server), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)


def contents(app: Flask, server: str | None = None) -> dict[str, Any]:
    """Return the contents of the OpenAPI document of an application."""
    spec: dict[str, Any] = {**app.extensions["openapi"].to_dict()}  # a copy: apispec returns a part of itself
    if server is not None:
        spec["servers"] = [{**spec["servers"][0], "url": server}]
    spec = _without_unused_schemas(spec)
    ordered: dict[str, Any] = {
        key: spec.pop(key) for key in ("openapi", "info", "servers", "tags", "paths") if key in spec
    }
    return {**ordered, **spec}


def _without_unused_schemas(spec: dict[str, Any]) -> dict[str, Any]:
    """Leave out schemas without a reference: flask-smorest adds schemas of its own for errors and pages."""
    schemas: dict[str, Any] = spec["components"]["schemas"]
    used = set(_SCHEMA_REFERENCE.findall(write_json(spec)))
    kept = {name: schema for name, schema in schemas.items() if name in used}
    return {**spec, "components": {**spec["components"], "schemas": kept}}


_SCHEMA_REFERENCE: Final = re.compile(r'"#/components/schemas/([^"/]+)["/]')


def documents(emulated: Flask, control: Flask) -> dict[str, str]:
    """Return both documents by file name."""
    return {EMULATED_FILE: document(emulated), CONTROL_FILE: document(control)}


def serve_documents(control: Flask) -> None:
    """Let the control API serve both documents, with the address of the request."""

    def serve(app: Flask) -> Response:
        return Response(document(app, base_url()), content_type="application/yaml; charset=utf-8")

    control.add_url_rule(f"{PREFIX}/{EMULATED_FILE}", "emulated_document", lambda: serve(request.environ[EMULATED]()))
    control.add_url_rule(f"{PREFIX}/{CONTROL_FILE}", "control_document", lambda: serve(control))
