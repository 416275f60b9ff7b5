"""The Flask application of the control API."""

from __future__ import annotations

from typing import Final

from flask import Flask
from flask_smorest import Api

from sandbox._version import __version__
from sandbox.state.sandbox import Sandbox
from sandbox.web.control import (
    authority,
    clients,
    clock,
    companies,
    connectors,
    contract,
    duplicates,
    export,
    faults,
    fidelity,
    metrics,
    requests,
    services,
    settings,
    state,
    stream,
    system,
    tokens,
    verification,
)
from sandbox.web.control.base import EXTENSION
from sandbox.web.control.document import Keywords, Names
from sandbox.web.control.guard import RefusalDocument, refuse_other_sites, take_host
from sandbox.web.control.key import KEY, SECURITY, KeyDocument, refuse_without_key
from sandbox.web.control.problems import register_error_handlers
from sandbox.web.control.streams import Streams
from sandbox.web.control.strictness import refuse_what_is_not_read
from sandbox.web.control.tracing import RequestIdDocument, trace_requests

MAX_BODY: Final = 16 * 1024 * 1024

_BLUEPRINTS: Final = (
    system.blueprint,
    companies.blueprint,
    connectors.blueprint,
    clients.blueprint,
    services.blueprint,
    requests.blueprint,
    verification.blueprint,
    stream.blueprint,
    export.blueprint,
    contract.blueprint,
    clock.blueprint,
    faults.blueprint,
    duplicates.blueprint,
    settings.blueprint,
    state.blueprint,
    tokens.blueprint,
    fidelity.blueprint,
    authority.blueprint,
    metrics.blueprint,
)
_DESCRIPTION: Final = """\
What steers a Patchworks Sandbox: its companies, connectors, credentials and services, its clock and settings, and the
journal of every request the emulated API received. Nothing here exists at Patchworks.

Errors are problem details (RFC 9457) that name what was given and what is allowed.
"""


class ControlApi(Api):
    """flask-smorest without its own error envelope: errors here are problem details."""

    DEFAULT_ERROR_RESPONSE_NAME = None

    def _register_error_handlers(self) -> None:
        """Register none."""


def create_control_app(
    sandbox: Sandbox, streams: Streams, control_key: str | None = None, ca_pem: bytes | None = None
) -> Flask:
    """Return the control API of a sandbox. ``streams``, ``control_key`` and ``ca_pem`` are those of its server."""
    app = Flask("sandbox.web.control", static_folder=None)
    app.extensions[EXTENSION] = sandbox
    app.extensions[stream.STREAMS] = streams
    app.extensions[KEY] = control_key
    app.extensions[authority.CA_PEM] = ca_pem
    app.extensions[verification.TURNSTILE] = verification.Turnstile.for_workers(sandbox.initial_settings.threads)
    app.url_map.merge_slashes = False  # a doubled slash is a mistake to be told, not to be redirected
    app.config.update(
        API_TITLE="Patchworks Sandbox control API",
        API_VERSION=__version__,
        OPENAPI_VERSION="3.1.0",
        MAX_CONTENT_LENGTH=MAX_BODY,
        PROPAGATE_EXCEPTIONS=False,
    )
    app.json.sort_keys = False  # type: ignore[attr-defined]
    trace_requests(app)
    app.before_request(take_host)
    app.before_request(refuse_other_sites)
    app.before_request(refuse_without_key)
    app.before_request(refuse_what_is_not_read)
    register_error_handlers(app)
    url = sandbox.initial_settings.public_url or "http://127.0.0.1:8025"
    api = ControlApi(
        app,
        spec_kwargs={
            "info": {"description": _DESCRIPTION, "license": {"name": "MIT", "identifier": "MIT"}},
            "servers": [{"url": url, "description": "The sandbox."}],
            "security": SECURITY,
            "extra_plugins": [RequestIdDocument(), RefusalDocument(), KeyDocument(), Names(), Keywords()],
        },
    )
    for blueprint in _BLUEPRINTS:
        api.register_blueprint(blueprint)
    faults.describe_faults(api.spec)
    state.describe_state(api.spec)
    app.extensions["openapi"] = api.spec
    return app
