"""The Flask application of the control API and its pages."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from functools import cache, partial
from importlib import import_module
from typing import Any, Final

from apispec import APISpec
from flask import Flask, Response
from flask.json.provider import DefaultJSONProvider
from flask_smorest import Api
from werkzeug.exceptions import HTTPException

from sandbox._version import __version__
from sandbox.foundation.strict_json import in_doubles
from sandbox.web.control.base import refuse_unread
from sandbox.web.control.guard import refuse_other_sites, refuse_without_key, take_host
from sandbox.web.control.openapi import refer_to_component, spec_options
from sandbox.web.control.problems import ProblemSchema, http_problem, register_error_handlers
from sandbox.web.control.schemas import Instant
from sandbox.web.control.tracing import trace_requests
from sandbox.web.paths import MAX_CONTROL_BODY, PREFIX

_BLUEPRINTS: Final[Mapping[str, str]] = {
    "system_views.blueprint": "health reset",
    "seed_views.blueprint": "endpoints seed seed.schema.json",
    "connector_views.companies": "companies",
    "connector_views.blueprint": "connectors",
    "connector_views.clients": "connectors",
    "service_views.blueprint": "services",
    "flow_views.blueprint": "flows companies api-keys users",
    "request_views.blueprint": "requests events",
    "verification_views.blueprint": "requests",
    "stream_views.blueprint": "requests",
    "request_views.export": "requests",
    "contract_views.blueprint": "contract-violations",
    "clock_views.blueprint": "clock",
    "fault_views.blueprint": "faults fault-presets",
    "duplicate_views.blueprint": "requests",
    "sync_report_views.blueprint": "sync-report sync-report.csv",
    "sync_report_views.runs": "runs services",
    "setting_views.blueprint": "settings",
    "state_views.blueprint": "state state.schema.json",
    "token_views.blueprint": "tokens keys",
    "system_views.fidelity": "fidelity",
    "system_views.authority": "ca.pem",
    "system_views.metrics": "metrics",
}
"""Each blueprint by its module, in the order of the document, with the parts of the control API that it has views of.

A part is named by the first segment of its paths behind the prefix.
"""
_PARTS: Final = frozenset(part for parts in _BLUEPRINTS.values() for part in parts.split())


class ControlApi(Api):
    """flask-smorest with problem details in place of its own error envelope."""

    DEFAULT_ERROR_RESPONSE_NAME = None
    ERROR_SCHEMA = ProblemSchema

    def __init__(self, app: Flask) -> None:
        self.undocumented: list[Callable[[], None]] = []
        """The functions that document the views of a blueprint."""
        self._lock = threading.Lock()
        super().__init__(app, spec_kwargs=spec_options())
        self.register_field(Instant, "string", "date-time")
        converter = self.ma_plugin.converter
        converter.attribute_functions.remove(converter.field2read_only)  # a schema is of a body or of an answer
        converter.add_attribute_function(refer_to_component)

    def document(self) -> APISpec:
        """Return the document of all views. The first call makes it."""
        with self._lock:
            while self.undocumented:
                self.undocumented[0]()
                del self.undocumented[0]
            spec: APISpec = self.spec
            return spec

    def _register_responses(self) -> None:
        """Leave the responses of flask-smorest to the document."""
        self.undocumented.append(super()._register_responses)

    def handle_http_exception(self, error: HTTPException) -> Response:
        """Return the answer to an error of Flask or webargs."""
        return http_problem(error)


class _Json(DefaultJSONProvider):
    """Writes answers, with ``null`` in the place of a number beyond a double."""

    sort_keys = False

    def dumps(self, obj: Any, **kwargs: Any) -> str:
        try:
            return super().dumps(obj, allow_nan=False, **kwargs)
        except ValueError:
            return super().dumps(in_doubles(super().dumps(obj)), **kwargs)


def _add_schemas(spec: APISpec) -> None:
    from sandbox.faults.rules import schemas as fault_schemas
    from sandbox.state.seed.schema import components as seed_schemas
    from sandbox.state.snapshot import components as state_schemas
    from sandbox.web.control import request_views, setting_views

    own = {**setting_views.schemas(), **request_views.schemas()}
    for name, schema in {**own, **fault_schemas(), **seed_schemas(), **state_schemas()}.items():
        spec.components.schema(name, schema)


def part_of(path: str) -> str:
    """Return the part of the control API that has the views of a path; ``""``, which is all of it, where none has."""
    part = path[len(PREFIX) + 1 :].partition("/")[0]
    return part if part in _PARTS else ""


@cache
def control_app(part: str = "") -> Flask:
    """Return the control API with its pages, the same application for all sandboxes of a process; or a part of it.

    A part answers as the whole does and is there in less than half of the time: it has no pages and no documents, and
    imports no other part. An application holds nothing of a sandbox: ``SandboxApp`` adds what belongs to one sandbox
    and its server to the WSGI environ of each request. A call that fails is repeated by the next one.
    """
    app = Flask("sandbox.web.control", static_folder=None)
    app.url_map.merge_slashes = False  # a doubled slash gets 404, no redirect
    app.config.update(
        API_TITLE="Patchworks Sandbox control API",
        API_VERSION=__version__,
        OPENAPI_VERSION="3.1.0",
        MAX_CONTENT_LENGTH=MAX_CONTROL_BODY,
        PROPAGATE_EXCEPTIONS=False,
    )
    app.json = _Json(app)
    trace_requests(app)
    app.before_request(take_host)
    app.before_request(refuse_other_sites)
    app.before_request(refuse_without_key)
    app.before_request(refuse_unread)
    register_error_handlers(app)
    api = ControlApi(app)
    for name, parts in _BLUEPRINTS.items():
        if not part or part in parts.split():
            module, _, attribute = name.partition(".")
            blueprint = getattr(import_module(f"sandbox.web.control.{module}"), attribute)
            api.register_blueprint(blueprint, url_prefix=PREFIX)
    if not part:
        from sandbox.web.dashboard import pages, show_problem
        from sandbox.web.spec import serve_documents

        api.undocumented.append(partial(_add_schemas, api.spec))
        app.extensions["openapi"] = api.document
        serve_documents(app)
        app.register_blueprint(pages)
        app.after_request(show_problem)
    return app
