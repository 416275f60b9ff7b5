"""The Flask application that stands for Patchworks: two routes, and the platform's way of refusing everything else."""

from __future__ import annotations

from typing import Any

from flask import Flask, current_app, request
from flask_smorest import Api, Blueprint
from werkzeug import Response
from werkzeug.exceptions import HTTPException

from sandbox._version import __version__
from sandbox.state.sandbox import Sandbox
from sandbox.web.emulated.documentation import GET_TOKEN, POST_TOKEN, STORE_PAYLOAD, security_schemes
from sandbox.web.wsgi import EmulatedFace

_DESCRIPTION = """\
The Inbound API of Patchworks as [Patchworks Sandbox](https://pypi.org/project/patchworks-sandbox/) emulates it: get
an access token with the credentials of an OAuth client, then POST payloads to the inbound URL of a service.

What is documented by the vendor, what follows from its framework and what is a guess is told, behaviour by behaviour,
by the fidelity ledger of the project.
"""


class EmulatedApi(Api):
    """flask-smorest without its own error envelope: errors here are the platform's."""

    DEFAULT_ERROR_RESPONSE_NAME = None

    def _register_error_handlers(self) -> None:
        """Register none."""


def create_emulated_app(sandbox: Sandbox) -> Flask:
    """Return the emulated API of a sandbox."""
    settings = sandbox.initial_settings
    app = Flask("sandbox.web.emulated", static_folder=None)
    app.url_map.merge_slashes = False
    app.config.update(
        API_TITLE="Patchworks Inbound API (sandbox)",
        API_VERSION=__version__,
        OPENAPI_VERSION="3.1.0",
        PROPAGATE_EXCEPTIONS=True,  # to the pipeline, which answers for this application and for what bypasses it
        PROVIDE_AUTOMATIC_OPTIONS=False,
    )
    api = EmulatedApi(app, spec_kwargs=_spec_kwargs(settings.public_url))
    for name, scheme in security_schemes(settings.token_path).items():
        api.spec.components.security_scheme(name, scheme)
    api.register_blueprint(_token_blueprint(settings.token_path))
    api.register_blueprint(_inbound_blueprint())
    app.extensions["openapi"] = api.spec
    app.extensions["face"] = EmulatedFace(sandbox)
    app.register_error_handler(HTTPException, lambda _: _serve())
    return app


def _spec_kwargs(public_url: str | None) -> dict[str, Any]:
    return {
        "info": {
            "description": _DESCRIPTION,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": public_url or "http://127.0.0.1:8025", "description": "The sandbox."}],
    }


def _token_blueprint(token_path: str) -> Blueprint:
    blueprint = Blueprint("token", __name__, description="Access tokens (RFC 6749, client credentials)")

    @blueprint.route(token_path, methods=["GET"])
    @blueprint.doc(**GET_TOKEN)
    def get_access_token() -> Response:
        """Get an access token with the credentials in the query or by HTTP Basic.

        The vendor documents GET for this endpoint. Credentials in a URL end up in logs: prefer POST where you can.
        """
        return _serve()

    @blueprint.route(token_path, methods=["POST"])
    @blueprint.doc(**POST_TOKEN)
    def post_access_token() -> Response:
        """Get an access token with the credentials in a form or JSON body or by HTTP Basic.

        Parameters in the body win over HTTP Basic, field by field; the query is not read.
        """
        return _serve()

    return blueprint


def _inbound_blueprint() -> Blueprint:
    blueprint = Blueprint("inbound", __name__, description="Inbound URLs of services")

    @blueprint.route("/v1/<company>/<vanity_url>", methods=["POST"])
    @blueprint.doc(**STORE_PAYLOAD)
    def store_payload(company: str, vanity_url: str) -> Response:
        """Send a payload to the service behind this URL.

        What was answered with 2xx is in the journal, byte for byte.
        """
        return _serve()

    return blueprint


def _serve() -> Response:
    """Answer the request as the pipeline does, a request to no endpoint or with another method included."""
    return Response.from_app(current_app.extensions["face"], request.environ)
