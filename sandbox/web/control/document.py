"""What the document of the control API says beyond what flask-smorest finds in the views."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from apispec import BasePlugin

from sandbox.web.control.base import Blueprint

_View = TypeVar("_View", bound=Callable[..., Any])


class Names(BasePlugin):
    """Names operations after their views: ``list_requests`` is ``listRequests``."""

    def operation_helper(self, path: str | None = None, operations: Any = None, **kwargs: Any) -> None:
        """Name the operations of a rule."""
        for operation in (operations or {}).values():
            operation.setdefault("operationId", _camel_case(kwargs["rule"].endpoint.rpartition(".")[2]))


class Keywords(BasePlugin):
    """Adds JSON Schema keywords for a whole body, which marshmallow has no way to say: ``Meta.keywords``."""

    def schema_helper(self, name: str, definition: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
        """Return the keywords of a schema."""
        return dict(getattr(getattr(kwargs.get("schema"), "Meta", None), "keywords", {}))


def leads_to(
    blueprint: Blueprint,
    status: int,
    view_names: tuple[str, ...],
    parameters: Mapping[str, str],
    body: Mapping[str, str] | None = None,
) -> Callable[[_View], _View]:
    """Link a response to the operations that its fields are good for.

    ``leads_to(blueprint, 201, ("get_connector",), {"connector_id": "id"})``: the answer's ``id`` is a ``connector_id``.
    What begins with ``$`` is a runtime expression of OpenAPI.
    """
    link: dict[str, Any] = {"parameters": _expressions(parameters)}
    if body is not None:
        link["requestBody"] = _expressions(body)
    links = {name: {"operationId": name, **link} for name in map(_camel_case, view_names)}

    def decorate(view: _View) -> _View:
        documented: _View = blueprint.doc(responses={status: {"links": links}})(view)
        return documented

    return decorate


def _expressions(fields: Mapping[str, str]) -> dict[str, str]:
    return {name: at if at.startswith("$") else f"$response.body#/{at}" for name, at in fields.items()}


def _camel_case(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)
