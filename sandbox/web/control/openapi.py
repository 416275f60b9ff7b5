"""The OpenAPI document of the control API beyond what flask-smorest finds in the views."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

from apispec import BasePlugin

from sandbox.web.control.base import Blueprint
from sandbox.web.control.guard import OPEN_PATHS
from sandbox.web.control.problems import CONTENT_TYPE
from sandbox.web.control.schemas import Component
from sandbox.web.control.tracing import GIVEN_ID
from sandbox.web.paths import REQUEST_ID
from sandbox.web.project import contact

_View = TypeVar("_View", bound=Callable[..., Any])

_DESCRIPTION: Final = """\
This API steers a Patchworks Sandbox: its companies, connectors, credentials and services, its clock and settings, and
the journal of every request the emulated API received. Nothing here exists at Patchworks.

Errors are problem details (RFC 9457) that name what was given and what is allowed.
"""
_WHERE_NEEDED: Final = "Needed where --control-key is given, and beyond loopback unless --no-control-key is."
_PROBLEM: Final = {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
_WITH_REQUEST_ID: Final = {REQUEST_ID: {"$ref": "#/components/headers/RequestId"}}


def spec_options() -> dict[str, Any]:
    """Return the options of the document: its head, its shared parts, and the plugin that completes each operation."""
    return {
        "info": {"description": _DESCRIPTION, "contact": contact(), "license": {"name": "MIT", "identifier": "MIT"}},
        "servers": [{"url": "http://127.0.0.1:8025", "description": "The sandbox."}],
        "security": [{"controlKey": []}, {"controlKeyAsPassword": []}, {}],  # the last: none on loopback
        "components": _components(),
        "extra_plugins": [_Operations()],
    }


def _components() -> dict[str, Any]:
    how_to_send = {"schema": {"type": "string"}, "description": "How to send it."}
    return {
        "schemas": {},  # those of marshmallow, before the others
        "responses": {
            "ForeignPage": {
                "description": "A page of another site asks (its Host or Origin is not the sandbox's).",
                "content": _PROBLEM,
                "headers": _WITH_REQUEST_ID,
            },
            "KeyNeeded": {
                "description": "The control key is missing or wrong.",
                "headers": {"WWW-Authenticate": how_to_send, **_WITH_REQUEST_ID},
                "content": _PROBLEM,
            },
        },
        "headers": {
            "RequestId": {
                "description": "The request's id, by which its line is found in the sandbox's log: the one of the "
                f"request's own {REQUEST_ID}, if that is up to 128 letters, digits and . _ : / + = @ -, or a new one.",
                "required": True,
                "schema": {"type": "string", "pattern": f"^{GIVEN_ID.pattern}$"},
            }
        },
        "securitySchemes": {
            "controlKey": {"type": "http", "scheme": "bearer", "description": f"The control key. {_WHERE_NEEDED}"},
            "controlKeyAsPassword": {
                "type": "http",
                "scheme": "basic",
                "description": "The control key as the password, for browsers.",
            },
        },
    }


def refer_to_component(converter: Any, field: Any, **kwargs: Any) -> dict[str, str]:
    """Return the reference by which a field of type ``Component`` is documented."""
    return {"$ref": f"#/components/schemas/{field.component}"} if isinstance(field, Component) else {}


class _Operations(BasePlugin):
    """Completes each operation: its id, the header of each answer, the refusals that come before the view."""

    def schema_helper(self, name: str, definition: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
        return dict(getattr(kwargs.get("schema"), "keywords", {}))

    def operation_helper(self, path: str | None = None, operations: Any = None, **kwargs: Any) -> None:
        for operation in (operations or {}).values():
            responses = operation["responses"]
            for response in responses.values():
                response["headers"] = {**response.get("headers", {}), **_WITH_REQUEST_ID}
            responses["403"] = {"$ref": "#/components/responses/ForeignPage"}
            if path in OPEN_PATHS:
                operation["security"] = []
                operation.setdefault("description", "Needs no control key, and answers under any host name.")
            else:
                operation.setdefault("description", "Needs the control key where the sandbox asks for one.")
                responses["401"] = {"$ref": "#/components/responses/KeyNeeded"}
            operation["responses"] = {str(status): responses[status] for status in sorted(responses, key=str)}
            operation["operationId"] = _camel_case(kwargs["rule"].endpoint.rpartition(".")[2])


def leads_to(status: int, view_names: tuple[str, ...], parameters: Mapping[str, str]) -> Callable[[_View], _View]:
    """Link a response to the operations that take its fields.

    ``leads_to(201, ("get_connector",), {"connector_id": "id"})``: the answer's ``id`` is a ``connector_id``. A value
    that begins with ``$`` is a runtime expression of OpenAPI. The body of a link is left out: many generators read no
    object there, and by the letter of OpenAPI an expression in one is not evaluated.
    """
    expressions = {name: at if at.startswith("$") else f"$response.body#/{at}" for name, at in parameters.items()}
    link: dict[str, Any] = {"parameters": expressions}
    links = {name: {"operationId": name, **link} for name in map(_camel_case, view_names)}
    documented: Callable[[_View], _View] = Blueprint.doc(responses={status: {"links": links}})
    return documented


def _camel_case(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)
