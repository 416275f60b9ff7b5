"""The Flask application that stands for Patchworks: a route for each published operation of each endpoint.

It is the published form of the emulated API: its document is ``openapi.yaml``. It answers every request by ``serve``,
one that no route takes included.
"""

from __future__ import annotations

from typing import Any

from flask import Flask, current_app, request
from flask_smorest import Api, Blueprint
from werkzeug import Response
from werkzeug.exceptions import HTTPException

from sandbox._version import __version__
from sandbox.foundation.settings import Settings
from sandbox.platform.endpoints import ENDPOINTS, Endpoint
from sandbox.platform.endpoints.responses import SCHEMAS, security_schemes
from sandbox.state.sandbox import Sandbox
from sandbox.web.wsgi import EmulatedFace

_DESCRIPTION = """\
The Inbound API of Patchworks as [Patchworks Sandbox](https://pypi.org/project/patchworks-sandbox/) emulates it: get
an access token with the credentials of an OAuth client, then POST payloads to the inbound URL of a service.

What is documented by the vendor, what follows from its framework and what is a guess is told, behaviour by behaviour,
by the fidelity ledger of the project.
"""


class EmulatedApi(Api):
    """flask-smorest with the platform's errors in place of its own."""

    DEFAULT_ERROR_RESPONSE_NAME = None

    def handle_http_exception(self, error: HTTPException) -> Response:
        """Return the platform's answer to a request without a route, or with another method."""
        return _serve()


def create_emulated_app(sandbox: Sandbox) -> Flask:
    """Return the emulated API of a sandbox."""
    settings = sandbox.initial_settings
    app = Flask("sandbox.web.emulated", static_folder=None)
    app.url_map.merge_slashes = False
    app.config.update(
        API_TITLE="Patchworks Inbound API (sandbox)",
        API_VERSION=__version__,
        OPENAPI_VERSION="3.1.0",
        PROPAGATE_EXCEPTIONS=True,  # `serve` answers failures
        PROVIDE_AUTOMATIC_OPTIONS=False,
    )
    api = EmulatedApi(app, spec_kwargs=_spec_kwargs(settings.public_url))
    for name, scheme in security_schemes(settings.token_path).items():
        api.spec.components.security_scheme(name, scheme)
    for name, schema in SCHEMAS.items():
        api.spec.components.schema(name, schema)
    for endpoint in ENDPOINTS:
        api.register_blueprint(_blueprint(endpoint, settings))
    app.extensions["openapi"] = api.spec
    app.extensions["face"] = EmulatedFace(sandbox)
    return app


def _spec_kwargs(public_url: str | None) -> dict[str, Any]:
    return {
        "info": {
            "description": _DESCRIPTION,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": public_url or "http://127.0.0.1:8025", "description": "The sandbox."}],
    }


def _blueprint(endpoint: Endpoint[Any], settings: Settings) -> Blueprint:
    """Return the routes of an endpoint, each with its operation and responses as documentation."""
    blueprint = Blueprint(endpoint.kind.name, __name__, description=endpoint.description)
    path = endpoint.path_in(settings).replace("{", "<").replace("}", ">")
    responses = dict(sorted(endpoint.responses().items()))
    for method, operation in endpoint.operations.items():
        view = blueprint.doc(**operation, responses=responses)(lambda **_: _serve())
        blueprint.route(path, endpoint=operation["operationId"], methods=[method])(view)
    return blueprint


def _serve() -> Response:
    """Answer the request, also one to no endpoint or with another method."""
    return Response.from_app(current_app.extensions["face"], request.environ)
