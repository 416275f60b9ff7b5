"""Forms that add or delete connectors, entities, OAuth clients and services, and those that replace what is kept.

Each is a page of its own, which reads and acts without JavaScript. With it, the form of the page opens as a dialog over
the page that leads to it. The form makes its call of the control API, and shows a refusal of it.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Final
from urllib.parse import quote

from flask import render_template, request, url_for
from werkzeug.wrappers import Response

from sandbox.foundation.errors import DocumentError, NotFoundError
from sandbox.foundation.strict_json import NotJsonError, parse_json, write_json
from sandbox.foundation.yaml_document import document_of_text
from sandbox.web.control.base import MAX_DEPTH, current_sandbox
from sandbox.web.dashboard.acts import Answer, call, form_page
from sandbox.web.dashboard.blueprint import PAGES, by_connector, pages


def _uploaded() -> bytes:
    upload = request.files.get("file")
    return upload.read() if upload else b""


@pages.route(f"{PAGES}/connectors/new", methods=["GET", "POST"])
def add_connector() -> Response | tuple[str, int]:
    """Add a connector, and its company where there is none."""
    back = url_for("pages.connectors")

    def act() -> Answer:
        form = request.form
        company = form.get("company", "")
        if "company_name" in form:
            made = call("POST", "/companies", {"name": form["company_name"]})
            if made.refusal:
                return made
            company = made.body["slug"]
        made_of = {"company": company, "name": form.get("name", ""), "environment": form.get("environment", "test")}
        return call("POST", "/connectors", made_of)

    def opens(made: Any) -> str:
        return url_for("pages.connector_settings", connector_id=made["id"])

    return form_page("add_connector.html", back, act, opens=opens, companies=current_sandbox().store.companies())


@pages.route(f"{PAGES}/connectors/<int:connector_id>/entities/new", methods=["GET", "POST"])
def add_entity(connector_id: int) -> Response | tuple[str, int]:
    """Add an entity by a sample, which is pasted or uploaded."""
    current_sandbox().store.connector(connector_id)

    def act() -> Answer:
        sample = request.form.get("sample", "").encode("utf-8", "replace").strip() or _uploaded()
        body = write_json({name: request.form.get(name, "") for name in ("type", "name")}).encode("utf-8", "replace")
        if sample.strip():
            try:
                parse_json(sample, MAX_DEPTH)
            except NotJsonError as error:
                return Answer(422, {"detail": f"the sample is not JSON: {error}"})
            body = b'%b,"sample":%b}' % (body[:-1], sample)  # as it is written: 100.00 is no integer
        return call("POST", f"/connectors/{connector_id}/entities", body)

    return form_page("add_entity.html", url_for("pages.connector_settings", connector_id=connector_id), act)


@pages.route(f"{PAGES}/connectors/<int:connector_id>/oauth-clients/new", methods=["GET", "POST"])
def add_client(connector_id: int) -> Response | tuple[str, int]:
    """Create an OAuth client; the answer to the form is the only page that shows its secret."""
    sandbox = current_sandbox()
    sandbox.store.connector(connector_id)
    back = url_for("pages.connector_authentication", connector_id=connector_id)
    act = partial(call, "POST", f"/connectors/{connector_id}/oauth-clients", {"name": request.form.get("name", "")})
    return form_page("add_client.html", back, act, shows="issued.html", scope=sandbox.settings.required_scope)


@pages.route(f"{PAGES}/services/new", methods=["GET", "POST"])
def add_service() -> Response | tuple[str, int]:
    """Add a service; ``source`` is an entity of a connector."""
    store = current_sandbox().store
    connectors = {str(connector.id): connector for connector in store.connectors()}

    def act() -> Answer:
        form = request.form
        source, _, entity = form.get("source", "").partition("/")
        connector = connectors.get(source)
        service = {
            "company": connector.company if connector else "",
            "connector_id": connector.id if connector else source,
            "entity": entity,
            "vanity_url": form.get("vanity_url", ""),
            "active": "active" in form,
        }
        return call("POST", "/services", service)

    entities = by_connector(store.entities())
    sources = [(connector, entities[connector.id]) for connector in connectors.values() if connector.id in entities]
    return form_page("add_service.html", url_for("pages.services"), act, sources=sources)


# --- deleting ---------------------------------------------------------------------------------------------------------


@pages.route(f"{PAGES}/connectors/<int:connector_id>/delete", methods=["GET", "POST"])
def delete_connector(connector_id: int) -> Response | tuple[str, int]:
    """Delete a connector that no service uses."""
    store = current_sandbox().store
    name = store.connector(connector_id).name
    used_by = [service.vanity_url for service in store.services() if service.connector_id == connector_id]
    return _delete(
        f"/connectors/{connector_id}", url_for("pages.connectors"), "connector", name, typed=True, used_by=used_by
    )


@pages.route(f"{PAGES}/connectors/<int:connector_id>/oauth-clients/<client_id>/delete", methods=["GET", "POST"])
def delete_client(connector_id: int, client_id: str) -> Response | tuple[str, int]:
    """Delete an OAuth client."""
    found = current_sandbox().store.clients(connector_id)
    name = next((client.name for client in found if client.id == client_id), None)
    if name is None:
        raise NotFoundError("OAuth client", client_id, [client.id for client in found])
    back = url_for("pages.connector_authentication", connector_id=connector_id)
    path = f"/connectors/{connector_id}/oauth-clients/{quote(client_id, safe='')}"
    return _delete(path, back, "OAuth2 client", name, typed=True, refocus="#clients")


@pages.route(f"{PAGES}/services/<int:service_id>/delete", methods=["GET", "POST"])
def delete_service(service_id: int) -> Response | tuple[str, int]:
    """Delete a service."""
    name = current_sandbox().store.service(service_id).vanity_url
    return _delete(f"/services/{service_id}", url_for("pages.services"), "service", name)


def _delete(
    path: str, back: str, what: str, name: str, *, typed: bool = False, **shown: Any
) -> Response | tuple[str, int]:
    """Delete a resource after a confirmation, for which its name is typed where ``typed``."""

    def act() -> Answer:
        confirmation = request.form.get("confirmation", "")
        if typed and confirmation != name:
            return Answer(422, {"detail": f"that is not its name. Type {name}"})
        return call("DELETE", path, {"confirmation": confirmation} if what == "OAuth2 client" else None)

    return form_page("delete.html", back, act, what=what, name=name, typed=typed, **shown)


# --- exports, saved states, the seed and the reset --------------------------------------------------------------------


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

    def act() -> Answer:
        if what in _WITHOUT_DOCUMENT:
            return call(*_WITHOUT_DOCUMENT[what])
        document = _uploaded() or request.form.get("text", "").encode("utf-8", "replace")
        if what == "load":
            return call("PUT", "/state", document)
        return call("POST" if request.form.get("how") == "add" else "PUT", "/seed", _as_json(document))

    return form_page(
        "replace.html",
        url_for("pages.state"),
        act,
        shows="" if what in _WITHOUT_DOCUMENT else "replaced.html",
        opens=lambda _: url_for("pages.overview"),
        what=what,
        title=_TITLES[what],
        sandbox=sandbox,
    )


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
