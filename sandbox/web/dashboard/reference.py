"""The reference of both APIs: Swagger UI as packaged on PyPI, so that it works offline."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Final

from flask import Response, make_response, render_template, send_from_directory

from sandbox.web.dashboard.blueprint import pages

_SWAGGER_UI: Final = Path(str(files("flask_swagger_ui"))) / "dist"
_CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Beyond that of the other pages, Swagger UI needs pictures in its style sheet."""


@pages.get("/docs")
def reference() -> Response:
    """Show the reference of both APIs."""
    response = make_response(render_template("reference.html"))
    response.headers["Content-Security-Policy"] = _CONTENT_SECURITY_POLICY
    return response


@pages.get("/docs/swagger-ui.css", defaults={"name": "swagger-ui.css"})
@pages.get("/docs/swagger-ui-bundle.js", defaults={"name": "swagger-ui-bundle.js"})
def reference_asset(name: str) -> Response:
    """Return a file of the packaged Swagger UI."""
    return send_from_directory(_SWAGGER_UI, name, max_age=86_400)
