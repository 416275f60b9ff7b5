"""The blueprint of the pages with what they share, and the pages that consist of one view."""

from __future__ import annotations

import json
from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, TypeVar

from flask import Blueprint, Response, make_response, render_template, request, send_from_directory

from sandbox._version import __version__
from sandbox.foundation.errors import InputError, NotFoundError
from sandbox.foundation.strict_json import write_json
from sandbox.journal.export.code import Snippet, TokenRequest, first_call
from sandbox.platform.model import Entity, OAuthClient, Service
from sandbox.platform.store import Store
from sandbox.web.control.base import base_url, current_sandbox, token_endpoint
from sandbox.web.control.problems import CONTENT_TYPE
from sandbox.web.dashboard.formats import FILTERS
from sandbox.web.dashboard.token_life import newest_tokens
from sandbox.web.paths import MAX_CONTROL_BODY, PREFIX

PAGES: Final = "/dashboard"
"""The path of pages below the prefix, apart from the first page; the control API has the plain names."""

_CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
_SWAGGER_UI: Final = Path(str(files("flask_swagger_ui"))) / "dist"
_SWAGGER_UI_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
"""Unlike the other pages, Swagger UI needs pictures in its style sheet."""

pages = Blueprint(
    "pages", __name__, url_prefix=PREFIX, template_folder="templates", static_folder="static", static_url_path="/static"
)


for _name, _filter in FILTERS.items():
    pages.add_app_template_filter(_filter, _name)


@pages.before_request
def _take_large_texts() -> None:
    request.max_form_memory_size = MAX_CONTROL_BODY  # Werkzeug's own bound is half a megabyte


@pages.after_request
def _harden(response: Response) -> Response:
    """Let pages run only their own scripts, and forbid framing and caching them.

    With Trusted Types the browser itself refuses ``innerHTML`` and similar.
    """
    response.headers.setdefault("Content-Security-Policy", _CONTENT_SECURITY_POLICY)
    response.headers["X-Content-Type-Options"] = "nosniff"
    # With "no-referrer" a browser would send "Origin: null" with a form, as a page of another site may.
    response.headers["Referrer-Policy"] = "same-origin"
    if response.mimetype == "text/html":
        response.headers["Cache-Control"] = "no-store"
    return response


@pages.context_processor
def _shared() -> dict[str, Any]:
    """Return the variables of every template."""
    sandbox = current_sandbox()
    return {
        "version": __version__,
        "clock": sandbox.clock,
        "now": sandbox.clock.timestamp(),
        "base_url": base_url(),
        "token_endpoint": token_endpoint(),
        "prefix": PREFIX,
        "current": request.endpoint,
        "here": request.full_path.rstrip("?"),
        "unkept": None if sandbox.journal_file is None else sandbox.journal_file.failure(),
    }


@pages.errorhandler(InputError)
def _not_found(error: InputError) -> tuple[str, int]:
    """Show a page in place of problem details where a page does not exist, or its address makes no sense."""
    return render_template("error.html", detail=str(error)), 404 if isinstance(error, NotFoundError) else 400


def show_problem(response: Response) -> Response:
    """Return a page in place of problem details where a browser asked for a page, also for one that does not exist."""
    accepted = request.accept_mimetypes
    if (
        response.mimetype != CONTENT_TYPE
        or request.blueprint not in (None, pages.name)
        or accepted["text/html"] <= accepted[CONTENT_TYPE]
    ):
        return response
    template = {401: "withheld.html", 403: "withheld.html", 404: "error.html"}.get(response.status_code, "refused.html")
    detail = json.loads(response.get_data())["detail"]
    response.set_data(render_template(template, **_shared(), detail=detail, failed=response.status_code >= 500))
    response.content_type = "text/html; charset=utf-8"
    return _harden(response)


@pages.get(f"{PAGES}/clock")
def clock_page() -> str:
    """Show the sandbox time, the ways to move it, and the time left for each token."""
    tokens, total = newest_tokens(current_sandbox().platform)
    return render_template("clock.html", tokens=tokens, total=total)


_Each = TypeVar("_Each", Entity, OAuthClient, Service)


def by_connector(found: Iterable[_Each]) -> dict[int, list[_Each]]:
    """Return entities, clients or services by the id of their connector; one without any is left out."""
    grouped: dict[int, list[_Each]] = {}
    for each in found:
        grouped.setdefault(each.connector_id, []).append(each)
    return grouped


@pages.get(f"{PAGES}/try")
def try_it() -> str:
    """Show a form that gets a token and sends a payload, and the lines that do so elsewhere."""
    store = current_sandbox().store
    clients = by_connector(store.clients())
    choices: list[dict[str, Any]] = [
        {
            "service": service,
            "clients": clients.get(service.connector_id, []),
            "sample": _sample(store, service),
        }
        for service in store.services()
    ]
    code: list[Snippet] = []
    for first in choices[:1]:
        client_id = first["clients"][0].id if first["clients"] else ""
        code = _code(first["service"].path, client_id, "", first["sample"])
    return render_template("try_it.html", choices=choices, code=code, settings=current_sandbox().settings)


def _code(path: str, client_id: str, client_secret: str, payload: str) -> list[Snippet]:
    scope = current_sandbox().settings.required_scope
    token = TokenRequest(token_endpoint(), client_id or "CLIENT_ID", client_secret or "CLIENT_SECRET", scope)
    return first_call(token, base_url(), path, payload)


@pages.post(f"{PAGES}/try/code")
def code_of_try() -> str:
    """Show the lines that do what the form would do with its present values; nothing is kept."""
    form = request.form
    given = (form.get(name, "").replace("\r\n", "\n") for name in ("path", "client_id", "client_secret", "payload"))
    return render_template("try_code.html", code=_code(*given))


def _sample(store: Store, service: Service) -> str:
    """Return a payload that the service accepts: the sample of its entity."""
    entity = store.entity_of(service)
    sample = {"hello": "sandbox"} if entity is None or entity.sample is None else entity.sample
    return write_json(sample, indent=2, ascii=False)


@pages.get("/docs")
def reference() -> Response:
    """Show the reference of both APIs: Swagger UI as packaged on PyPI, so that it works offline."""
    response = make_response(render_template("reference.html"))
    response.headers["Content-Security-Policy"] = _SWAGGER_UI_POLICY
    return response


@pages.get("/llms.txt")
def for_coding_agents() -> Response:
    """Return what a coding agent has to know, in the format of llmstxt.org."""
    return Response(render_template("llms.txt"), content_type="text/plain; charset=utf-8")


@pages.get("/docs/swagger-ui.css", defaults={"name": "swagger-ui.css"})
@pages.get("/docs/swagger-ui-bundle.js", defaults={"name": "swagger-ui-bundle.js"})
def reference_asset(name: str) -> Response:
    """Return a file of the packaged Swagger UI."""
    return send_from_directory(_SWAGGER_UI, name, max_age=86_400)
