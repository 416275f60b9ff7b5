"""The pages of what is kept: exports, saved states, the seed and the reset; each loss is confirmed on a page."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from flask import render_template, request, url_for
from werkzeug.wrappers import Response

from sandbox.foundation.errors import DocumentError, NotFoundError
from sandbox.foundation.strict_json import NotJsonError, parse_json, write_json
from sandbox.foundation.yaml_document import document_of_text
from sandbox.web.control.base import current_sandbox
from sandbox.web.dashboard.acts import Answer, call, form_page
from sandbox.web.dashboard.blueprint import PAGES, pages

_TITLES: Final = {
    "load": "Load a saved state",
    "seed": "Load a seed",
    "clear": "Clear the journal",
    "reset": "Reset the sandbox",
}
_WITHOUT_DOCUMENT: Final = {"clear": ("DELETE", "/requests"), "reset": ("POST", "/reset")}
_FRAMING: Final = 64 * 1024
"""Bytes of a form beside the document that it carries."""


@pages.get(f"{PAGES}/state")
def state() -> str:
    """Show what can be taken away, and what can be put in its place."""
    return render_template("state.html", titles=_TITLES)


@pages.route(f"{PAGES}/state/<what>", methods=["GET", "POST"])
def replace(what: str) -> Response | tuple[str, int]:
    """Ask whether to clear the journal, to reset the sandbox or to load a document, and do it."""
    if what not in _TITLES:
        raise NotFoundError("page", what, _TITLES)
    sandbox = current_sandbox()
    request.max_content_length = sandbox.settings.state_limit + _FRAMING
    shown: dict[str, Any] = {"what": what, "title": _TITLES[what], "sandbox": sandbox}
    if what in _WITHOUT_DOCUMENT:
        shown["opens"] = lambda _: url_for("pages.overview")
    else:
        shown["shows"] = "replaced.html"
    return form_page("replace.html", url_for("pages.state"), partial(_replaced, what), **shown)


def _replaced(what: str) -> Answer:
    if what in _WITHOUT_DOCUMENT:
        return call(*_WITHOUT_DOCUMENT[what])
    upload = request.files.get("file")
    text = request.form.get("text", "").encode("utf-8", "replace")
    document = upload.read() if upload is not None and upload.filename else text
    if what == "load":
        return call("PUT", "/state", document)
    return call("POST" if request.form.get("how") == "add" else "PUT", "/seed", _as_json(document))


def _as_json(document: bytes) -> bytes:
    """Return a seed as JSON: the page takes the YAML of seed files too, but names of no file and of no variable."""
    try:
        parse_json(document)
    except NotJsonError:
        try:
            return write_json(document_of_text("seed", document).content).encode() if document.strip() else b""
        except DocumentError:
            return document
    return document
