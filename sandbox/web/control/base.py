"""The parts of every control view: its sandbox, strict reading and documented problems.

The document and the reading come from flask-smorest and marshmallow. A body that the core checks (a fault rule,
settings, a state) has its JSON Schema from there: see ``Blueprint.json_body``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache, partial, wraps
from typing import Any, Final, TypeVar, cast

from flask import Request, request
from flask_smorest import Blueprint as SmorestBlueprint
from marshmallow import Schema, ValidationError, fields
from webargs.flaskparser import FlaskParser

from sandbox.foundation.strict_json import parse_json
from sandbox.state.sandbox import Sandbox
from sandbox.web.control.problems import CONTENT_TYPE, ProblemSchema
from sandbox.web.environ import SANDBOX

MAX_DEPTH: Final = 100
"""Nesting levels of a body, as in seeds: schemas and rules made of a body are walked by recursion."""

READS: Final = "reads"
"""Attribute of a view: where it reads arguments from, ``json`` or ``query``."""

_View = TypeVar("_View", bound=Callable[..., Any])


def current_sandbox() -> Sandbox:
    """Return the sandbox whose control API serves this request."""
    return cast(Sandbox, request.environ[SANDBOX])


def base_url() -> str:
    """Return the setting ``public_url``, or the base URL of this request."""
    return current_sandbox().settings.public_url or request.host_url.rstrip("/")


def token_endpoint() -> str:
    """Return the URL of the token endpoint."""
    return base_url() + current_sandbox().settings.token_path


TOKEN_ENDPOINT: Final = fields.Function(lambda _: token_endpoint(), metadata={"type": "string"})
"""The field of an answer that shows the URL of the token endpoint."""


def read_json() -> Any:
    """Return the body as JSON, an empty object where there is none; raise ``NotJsonError``."""
    body = request.get_data()
    return parse_json(body, MAX_DEPTH, unique=True) if body else {}


def read_json_object() -> dict[str, Any]:
    """Return the body, which must be a JSON object; raise ``NotJsonError`` or ``ValidationError``."""
    body = read_json()
    if not isinstance(body, dict):
        raise ValidationError("use a JSON object", data=body)
    return body


class _StrictParser(FlaskParser):
    """Reads JSON as strictly as the emulated API does, and leaves unknown query parameters to the schema."""

    DEFAULT_UNKNOWN_BY_LOCATION: dict[str, str | None] = {}  # noqa: RUF012 - declared so by the base class

    def load_json(self, req: Request, schema: Schema) -> Any:
        return read_json()


class Blueprint(SmorestBlueprint):
    """A part of the control API.

    Each view notes where it reads arguments from; ``strictness`` refuses a query or a body that no view reads. The
    document lists the problems that follow from that.
    """

    ARGUMENTS_PARSER = _StrictParser()

    def arguments(self, schema: Any, *, location: str = "json", **options: Any) -> Callable[[_View], _View]:
        """Let a view read arguments, and document with which problems it refuses them."""
        decorate = super().arguments(schema, location=location, **options)
        return lambda view: self._reading(location, decorate(view))

    def json_body(self, component: str) -> Callable[[_View], _View]:
        """Document a JSON body that a view reads by itself; ``component`` is the name of its JSON Schema."""
        decorate = self.doc(requestBody={"required": True, "content": {"application/json": {"schema": component}}})
        return lambda view: self._reading("json", decorate(view))

    def problem(
        self, status: int, description: str, schema: type[ProblemSchema] = ProblemSchema
    ) -> Callable[[_View], _View]:
        """Document problem details with which a view may answer."""
        documented: Callable[[_View], _View] = self.alt_response(
            status, schema=_instance(schema), description=description, content_type=CONTENT_TYPE
        )
        return documented

    def route(
        self,
        rule: str,
        *,
        query: Any = None,
        body: Any = None,
        answer: Any = None,
        status: int = 200,
        no_store: bool = False,
        **options: Any,
    ) -> Callable[[_View], _View]:
        """Add a view, with the schemas of its query, its body and its answer.

        A body that the core checks has the name of its JSON Schema, and the view reads it. A view that documents its
        answer by ``response`` or ``doc`` gives none here. ``no_store`` keeps an answer with secrets out of caches.
        """
        register = super().route(rule, **options)

        def add(view: Any) -> Any:
            if no_store:
                view = _not_stored(view)
            if answer is not None or status != 200:
                headers = {"Cache-Control": {"schema": {"type": "string"}}} if no_store else None
                view = self.response(status, answer, headers=headers)(view)
            if query is not None:
                view = self.arguments(query, location="query")(view)
            if isinstance(body, str):
                view = self.json_body(body)(view)
            elif body is not None:
                may_be_left_out = not body().validate({})
                view = self.arguments(body, required=not may_be_left_out)(view)
            return register(view)

        return add

    def register_views_in_doc(self, api: Any, app: Any, spec: Any, **options: Any) -> None:
        """Document the views once the document is asked for: it takes half of the time of the first request."""
        api.undocumented.append(partial(super().register_views_in_doc, api, app, spec, **options))

    def add_url_rule(
        self, rule: str, endpoint: str | None = None, view_func: Callable[..., Any] | None = None, **options: Any
    ) -> None:
        """Add a route, and document that its view refuses arguments that it does not read, and unknown ids.

        A view that documents 404 by itself looks for other things as well.
        """
        if view_func is not None and not hasattr(view_func, READS):
            view_func = self.problem(422, "It takes neither a query nor a body.")(view_func)
        parameters = re.findall(r"<(?:\w+:)?(\w+)>", rule)
        documented = getattr(view_func, "_apidoc", {}).get("response", {}).get("responses", {})
        if view_func is not None and parameters and 404 not in documented:
            view_func = self.problem(404, _missing(parameters))(view_func)
        super().add_url_rule(rule, endpoint, view_func, **options)

    def _reading(self, location: str, view: Any) -> Any:
        for status, description in _PROBLEMS_OF_READING[location].items():
            view = self.problem(status, description)(view)
        setattr(view, READS, getattr(view, READS, frozenset()) | {location})
        return view


def _not_stored(view: Callable[..., Any]) -> Callable[..., tuple[Any, dict[str, str]]]:
    @wraps(view)
    def not_stored(*args: Any, **kwargs: Any) -> tuple[Any, dict[str, str]]:
        return view(*args, **kwargs), {"Cache-Control": "no-store"}

    return not_stored


def _missing(parameters: list[str]) -> str:
    """Return the description of 404 for a path with parameters."""
    things = [_THINGS.get(name, name.removesuffix("_id")) for name in parameters]
    named = (", " if " or " in things[-1] else " or ").join(things)
    gone = ", or it was dropped or belongs to a time before the last reset" if _PASSING & {*parameters} else ""
    return f"There is no such {named}{gone}."


_PASSING: Final = frozenset({"entry_id", "item_id", "run_id"})
_THINGS: Final = {
    "client_id": "OAuth client",
    "fault_id": "fault rule",
    "hook_id": "webhook or callback",
    "item_id": "row",
    "key_id": "API key",
    "preset_name": "preset",
}
"""The kind of thing that a parameter of a path names, where its own name does not say it."""


@cache
def _instance(schema: type[ProblemSchema]) -> ProblemSchema:
    return schema()


_PROBLEMS_OF_READING: Final[Mapping[str, Mapping[int, str]]] = {
    "query": {422: "A parameter is unknown or holds a value that is not allowed."},
    "json": {
        400: "The body is not JSON.",
        413: "The body is larger than the control API takes.",
        415: "The body is not sent as JSON.",
        422: "A field is missing, unknown or holds a value that is not allowed.",
    },
}
