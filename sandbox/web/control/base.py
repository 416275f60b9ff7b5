"""What the blueprints of the control API share: the sandbox they steer, strict reading, documented problems."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NoReturn, TypeVar, cast

from flask import Request, current_app, request
from flask_smorest import Blueprint as SmorestBlueprint
from marshmallow import Schema, ValidationError
from webargs.flaskparser import FlaskParser

from sandbox.foundation.strict_json import NotJsonError, parse_json
from sandbox.state.sandbox import Sandbox
from sandbox.web.control.problems import CONTENT_TYPE, ProblemSchema

EXTENSION: Final = "patchworks_sandbox"
MAX_DEPTH: Final = 100
"""Nesting levels of a body, as in seeds: what is made of it (schemas, rules) is walked by recursion."""

READS: Final = "reads"
"""Attribute of a view: where it reads arguments from, ``json`` or ``query``."""

_View = TypeVar("_View", bound=Callable[..., Any])


def current_sandbox() -> Sandbox:
    """Return the sandbox that the application serving this request steers."""
    return cast(Sandbox, current_app.extensions[EXTENSION])


def base_url() -> str:
    """Return the base URL clients use: the one set, else the one this request came by."""
    return current_sandbox().settings.public_url or request.host_url.rstrip("/")


def token_endpoint() -> str:
    """Return the URL of the token endpoint."""
    return base_url() + current_sandbox().settings.token_path


class _StrictJsonParser(FlaskParser):
    """Reads JSON as strictly as the emulated API does; refuses unknown query parameters like unknown fields."""

    DEFAULT_UNKNOWN_BY_LOCATION: dict[str, str | None] = {}  # noqa: RUF012 - declared so by the base class

    def _raw_load_json(self, req: Request) -> Any:
        if not req.get_data():
            return {}
        try:
            return parse_json(req.get_data(), MAX_DEPTH)
        except NotJsonError as error:
            self._not_json(error)

    def _not_json(self, error: NotJsonError) -> NoReturn:
        problem = {"json": {"_schema": [f"the body is not JSON: {error}"]}}
        self.handle_error(ValidationError(problem), request, Schema(), error_status_code=400, error_headers=None)


class Blueprint(SmorestBlueprint):
    """A part of the control API. Its views are told apart by what they read, so that nothing is silently ignored."""

    ARGUMENTS_PARSER = _StrictJsonParser()

    def arguments(self, schema: Any, *, location: str = "json", **options: Any) -> Callable[[_View], _View]:
        """Let a view read arguments, and note where from."""
        decorate = super().arguments(schema, location=location, **options)

        def decorated(view: _View) -> _View:
            reads: frozenset[str] = getattr(view, READS, frozenset())
            reading = cast(_View, decorate(view))
            setattr(reading, READS, reads | {location})
            return reading

        return decorated

    def add_url_rule(
        self, rule: str, endpoint: str | None = None, view_func: Callable[..., Any] | None = None, **options: Any
    ) -> None:
        """Add a route; one that reads nothing refuses to be given anything, and its document says so."""
        if view_func is not None and not hasattr(view_func, READS):
            view_func = problems(self, unprocessable="It takes neither a query nor a body.")(view_func)
        super().add_url_rule(rule, endpoint, view_func, **options)


def problems(blueprint: Blueprint, **statuses: str) -> Callable[[_View], _View]:
    """Document the problem details a view may answer: ``problems(blueprint, not_found="…")``."""

    def decorate(view: _View) -> _View:
        for name, description in statuses.items():
            view = blueprint.alt_response(
                _STATUS[name], schema=ProblemSchema, description=description, content_type=CONTENT_TYPE
            )(view)
        return view

    return decorate


def answers(
    blueprint: Blueprint, media_type: str, description: str, schema: Mapping[str, Any] | None = None
) -> Callable[[_View], _View]:
    """Document the answer of a view that writes it itself: no schema of marshmallow does."""
    content = {media_type: {} if schema is None else {"schema": schema}}
    documented: Callable[[_View], _View] = blueprint.doc(
        responses={"200": {"description": description, "content": content}}
    )
    return documented


def takes_body(blueprint: Blueprint, **more: str) -> Callable[[_View], _View]:
    """Document what any view with a JSON body may answer when that cannot be used."""
    return problems(
        blueprint,
        bad_request="The body is not JSON.",
        too_large="The body is larger than the control API takes.",
        unsupported_media_type="The body is not sent as JSON.",
        unprocessable="A field is missing, unknown or holds a value that is not allowed.",
        **more,
    )


_STATUS: Final = {
    "bad_request": 400,
    "not_found": 404,
    "timeout": 408,
    "conflict": 409,
    "too_large": 413,
    "unsupported_media_type": 415,
    "unprocessable": 422,
    "unavailable": 503,
}
