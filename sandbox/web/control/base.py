"""The parts of every control view: its sandbox, strict reading and documented problems.

The document and the reading come from flask-smorest and marshmallow. A body that the core checks (a fault rule,
settings, a state) has its JSON Schema from there: ``Blueprint.route`` takes its name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache, partial, wraps
from typing import Any, Final, TypeVar, cast

from flask import Request, Response, current_app, request
from flask_smorest import Blueprint as SmorestBlueprint
from marshmallow import Schema, ValidationError, fields
from webargs.flaskparser import FlaskParser

from sandbox.foundation.errors import shorten
from sandbox.foundation.strict_json import parse_json
from sandbox.state.sandbox import Sandbox
from sandbox.web.control.problems import CONTENT_TYPE, ProblemSchema, problem, refusal
from sandbox.web.environ import SANDBOX

MAX_DEPTH: Final = 100
"""Nesting levels of a body, as in seeds: schemas and rules made of a body are walked by recursion."""

READS: Final = "reads"
"""Attribute of a view: what it reads, a key of ``_REFUSALS``."""

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

    Each view notes what it reads; ``refuse_unread`` refuses a query or a body that no view reads. The document lists
    the problems that follow from that.
    """

    ARGUMENTS_PARSER = _StrictParser()

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
        answer by ``response`` or ``doc`` gives none here. ``no_store`` keeps an answer with secrets out of caches. A
        path with parameters may lead to nothing, which a view documents by itself where it looks for more.
        """
        register = super().route(rule, **options)
        reads = "query" if query is not None else "nothing" if body is None else "json"
        parameters = re.findall(r"<(?:\w+:)?(\w+)>", rule)

        def add(view: Any) -> Any:
            if no_store:
                view = _not_stored(view)
            if answer is not None or status != 200:
                headers = {"Cache-Control": {"schema": {"type": "string"}}} if no_store else None
                view = self.response(status, answer, headers=headers)(view)
            if query is not None:
                view = self.arguments(query, location="query")(view)
            elif isinstance(body, str):
                content = {"application/json": {"schema": body}}
                view = self.doc(requestBody={"required": True, "content": content})(view)
            elif body is not None:
                may_be_left_out = not body().validate({})
                view = self.arguments(body, required=not may_be_left_out)(view)
            for refusal_status, description in _REFUSALS[reads].items():
                view = self.problem(refusal_status, description)(view)
            documented = view._apidoc["response"]["responses"]  # noqa: SLF001 - the notes of flask-smorest
            if parameters and 404 not in documented:
                view = self.problem(404, _missing(parameters))(view)
            setattr(view, READS, reads)
            return register(view)

        return add

    def register_views_in_doc(self, api: Any, app: Any, spec: Any, **options: Any) -> None:
        """Document the views once the document is asked for: it takes half of the time of the first request."""
        api.undocumented.append(partial(super().register_views_in_doc, api, app, spec, **options))


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


_REFUSALS: Final[Mapping[str, Mapping[int, str]]] = {
    "nothing": {422: "It takes neither a query nor a body."},
    "query": {422: "A parameter is unknown or holds a value that is not allowed."},
    "json": {
        400: "The body is not JSON.",
        413: "The body is larger than the control API takes.",
        415: "The body is not sent as JSON.",
        422: "A field is missing, unknown or holds a value that is not allowed.",
    },
}


# --- what no view reads -----------------------------------------------------------------------------------------------
# A filter on a route that has none, or settings sent as a form, would otherwise look as if they had worked.

_NOTHING: Final = (b"", b"{}", b"null")
"""Bodies that count as none: some clients cannot send a POST without a body."""

_MORE_THAN_NOTHING: Final = 64
"""Bytes of a body that are read to compare it with ``_NOTHING``."""


def refuse_unread() -> Response | None:
    """Answer a request whose query or body its view does not read; return ``None`` to let it pass."""
    if not isinstance(current_app.blueprints.get(request.blueprint or ""), Blueprint):
        return None  # a page, or no route at all
    reads = getattr(current_app.view_functions[request.endpoint or ""], READS)
    return _refuse_query(reads) or (_refuse_not_json() if reads == "json" else _refuse_body())


def _refuse_query(reads: str) -> Response | None:
    given = request.args.to_dict(flat=False)
    if reads == "query":
        wrong = {name: "given more than once; give it once" for name, values in given.items() if len(values) > 1}
    else:
        wrong = dict.fromkeys(given, f"unknown; {request.method} {request.path} takes no query parameters")
    errors = [{"field": f"query.{name}", "message": message} for name, message in wrong.items()]
    return refusal(*errors) if errors else None


def _refuse_not_json() -> Response | None:
    """Refuse a body that is not sent as JSON: the view would find it empty."""
    if not _has_body():
        return None
    coding = request.headers.get("Content-Encoding", "identity")
    if coding.strip().lower() not in ("identity", ""):
        detail = f"the body must be sent as it is, without Content-Encoding; not {shorten(coding)}"
        return problem(415, detail, headers={"Accept-Encoding": "identity"})  # RFC 9110 §15.5.16
    if request.is_json:
        return None
    given = f"not {shorten(request.content_type)}" if request.content_type else "there is none"
    return problem(415, f"the body must be JSON: send it with Content-Type: application/json; {given}")


def _refuse_body() -> Response | None:
    if not _has_body():
        return None
    large = (request.content_length or 0) > _MORE_THAN_NOTHING
    if not large and request.stream.read(_MORE_THAN_NOTHING).strip() in _NOTHING:
        return None
    return refusal({"field": "body", "message": f"{request.method} {request.path} takes no body; leave it out"})


def _has_body() -> bool:
    return bool(request.content_length) or "Transfer-Encoding" in request.headers
