"""The blueprint of the pages: where they live, what every one of them shows, and what a browser may do with them."""

from __future__ import annotations

from typing import Any, Final

from flask import Blueprint, Response, render_template, request

from sandbox._version import __version__
from sandbox.faults.presets import Preset, load_presets
from sandbox.foundation.errors import InputError, NotFoundError
from sandbox.web.control.base import base_url, current_sandbox, token_endpoint
from sandbox.web.dashboard.formats import FILTERS
from sandbox.web.dashboard.token_life import newest_tokens
from sandbox.web.paths import PREFIX

PAGES: Final = "/dashboard"
"""Where pages are below the prefix, apart from the first; the control API has the plain names."""

_CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
pages = Blueprint(
    "pages", __name__, url_prefix=PREFIX, template_folder="templates", static_folder="static", static_url_path="/static"
)


for _name, _filter in FILTERS.items():
    pages.add_app_template_filter(_filter, _name)


@pages.after_request
def _harden(response: Response) -> Response:
    """Pages run no script but their own, are framed by nobody, and leave nothing behind in a cache.

    Trusted Types make the browser itself refuse ``innerHTML`` and its relatives.
    """
    response.headers.setdefault("Content-Security-Policy", _CONTENT_SECURITY_POLICY)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    if response.mimetype == "text/html":
        response.headers["Cache-Control"] = "no-store"
    return response


@pages.context_processor
def _shared() -> dict[str, Any]:
    """Return what every template may show."""
    sandbox = current_sandbox()
    return {
        "version": __version__,
        "clock": sandbox.clock,
        "now": sandbox.clock.timestamp(),
        "base_url": base_url(),
        "token_endpoint": token_endpoint(),
        "prefix": PREFIX,
        "current": request.endpoint,
        "unkept": None if sandbox.journal_file is None else sandbox.journal_file.failure(),
    }


@pages.errorhandler(InputError)
def _not_found(error: InputError) -> tuple[str, int]:
    """Show a page to a person, not problem details: there is no such thing, or the address makes no sense."""
    return render_template("error.html", message=str(error)), 404 if isinstance(error, NotFoundError) else 400


@pages.get(f"{PAGES}/clock")
def clock_page() -> str:
    """Show the sandbox time, the ways to move it, and what is left of each token."""
    tokens, total = newest_tokens(current_sandbox().platform)
    return render_template("clock.html", tokens=tokens, total=total)


@pages.get(f"{PAGES}/faults")
def faults() -> str:
    """Show the presets and the rules."""
    sandbox = current_sandbox()
    presets, problem = _presets(sandbox.settings.presets_dir)
    return render_template(
        "faults.html",
        rules=sandbox.platform.faults.rules(),
        presets=presets,
        problem=problem,
        services=sandbox.store.services(),
    )


def _presets(folder: str | None) -> tuple[list[Preset], str | None]:
    """Return the presets, or what is wrong with a user's folder: a file in it may be half written."""
    try:
        return list(load_presets(folder).values()), None
    except InputError as error:
        return list(load_presets().values()), str(error)
