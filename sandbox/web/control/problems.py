"""Errors of the control API as problem details (RFC 9457): the given value, the allowed ones, and the remedy."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from http import HTTPStatus
from typing import Any, Final

from flask import Flask, Response, request
from marshmallow import Schema, ValidationError, fields, validate
from typing_extensions import Self
from werkzeug.exceptions import ClientDisconnected, HTTPException

from sandbox.foundation.errors import (
    ConflictError,
    InputError,
    InvalidValueError,
    NotFoundError,
    cut,
    shorten,
)
from sandbox.foundation.strict_json import NotJsonError, RepeatedKeyError, write_json
from sandbox.web.control.tracing import note_failure

CONTENT_TYPE: Final = "application/problem+json"
MAX_ERRORS: Final = 100
"""The largest number of wrong fields that an answer lists."""


class SharedSchema(Schema):
    """A schema that is not copied: flask-smorest copies the notes on a view for each of its decorators."""

    def __deepcopy__(self, memo: object) -> Self:
        return self


_BEGINNINGS: Final[Mapping[str, str]] = {"not_allowed": "use ", "missing": "missing; give ", "unknown": "unknown; "}
"""The beginning of a message before what is allowed, by the code of the error."""


class FieldProblemSchema(SharedSchema):
    field = fields.String(required=True, metadata={"description": "Where: body, query or path, then a dotted path."})
    code = fields.String(
        validate=validate.OneOf([*_BEGINNINGS]),
        metadata={"description": "How the field is wrong, where that has a name."},
    )
    given = fields.String(metadata={"description": "What was given, shortened."})
    allowed = fields.String(metadata={"description": "What is allowed, in words; with a code only."})
    message = fields.String(required=True)


class ProblemSchema(SharedSchema):
    """Problem details (RFC 9457)."""

    type = fields.String(required=True, metadata={"description": "about:blank: the title says it all."})
    title = fields.String(required=True, metadata={"description": "The phrase of the status."})
    status = fields.Integer(required=True, strict=True)
    detail = fields.String(required=True, metadata={"description": "What was given, what is allowed, what to do."})
    errors = fields.List(fields.Nested(FieldProblemSchema))


def problem(
    status: int,
    detail: str,
    errors: Sequence[Mapping[str, str]] = (),
    *,
    members: Mapping[str, Any] | None = None,
    headers: dict[str, str] | None = None,
) -> Response:
    """Return a problem details response, with more ``members`` (RFC 9457 §3.2)."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
    }
    if errors:
        body["errors"] = errors
    return Response(write_json({**body, **(members or {})}), status, content_type=CONTENT_TYPE, headers=headers)


def refusal(*errors: dict[str, str], status: int = 422) -> Response:
    """Return the problem of a request in which fields are wrong: each a ``FieldProblemSchema``, so many at most."""
    left_out = len(errors) - MAX_ERRORS
    more = f"; {left_out} more are not listed" if left_out > 0 else ""
    return problem(status, "; ".join(map(_sentence, errors[:5])) + more, [*map(_coded, errors[:MAX_ERRORS])])


def _coded(error: dict[str, str]) -> dict[str, str]:
    """Add to an error its code and what is allowed, where its message says so."""
    message = error["message"]
    code = next((code for code, beginning in _BEGINNINGS.items() if message.startswith(beginning)), None)
    return error if code is None else {**error, "code": code, "allowed": message.removeprefix(_BEGINNINGS[code])}


def register_error_handlers(app: Flask) -> None:
    """Answer errors of the core, and failures, with problem details; ``ControlApi`` does so with those of HTTP."""
    app.register_error_handler(InputError, _input_error)
    app.register_error_handler(ValidationError, _invalid)
    app.register_error_handler(NotJsonError, _not_json)
    app.register_error_handler(Exception, _unexpected)


def _input_error(error: InputError) -> Response:
    match error:
        case InvalidValueError():
            given = {"given": _as_json(error.given)} if error.code == "not_allowed" else {}
            message = _BEGINNINGS[error.code] + error.allowed
            return refusal({"field": _place_of(error.field), **given, "message": message})
        case NotFoundError():
            return problem(404, str(error))
        case ConflictError():
            return problem(409, str(error))
        case _:
            return problem(400, str(error))


def _as_json(value: object) -> str:
    """Return a given value in the words of JSON, such as ``null``, shortened; a text is quoted as in other messages."""
    if not isinstance(value, str):
        with suppress(TypeError, ValueError):  # no JSON, such as a number beyond a double
            return cut(json.dumps(value, allow_nan=False), 80)  # noqa: TID251 - infinity is no null here
    return shorten(value)


def _place_of(field: str) -> str:
    """Return the place of a field of the core in this request: the core knows neither bodies nor queries."""
    if field in request.args:
        return f"query.{field}"
    body = request.get_json(silent=True) if request.is_json else None
    return f"body.{field}" if isinstance(body, dict) and field in body else field


def _sentence(entry: Mapping[str, str]) -> str:
    given = f"{entry['given']} is not allowed; " if "given" in entry else ""
    return f"{entry['field']}: {given}{entry['message']}"


def _not_json(error: NotJsonError) -> Response:
    message = str(error) if isinstance(error, RepeatedKeyError) else f"the body is not JSON: {error}"
    return refusal({"field": "body", "message": message}, status=400)


def _invalid(error: ValidationError) -> Response:
    """Answer for a view that checked its body by itself."""
    return refusal(*_flatten("body", error.messages, error.data))


def http_problem(error: HTTPException) -> Response:
    """Return the problem of an HTTP error that Flask or webargs raised."""
    status = error.code or 500
    if messages := getattr(error, "data", {}).get("messages"):
        given = getattr(getattr(error, "exc", None), "data", None)
        return refusal(
            *(e for place, found in messages.items() for e in _flatten(place.replace("json", "body"), found, given))
        )
    headers = {}
    detail = error.description or HTTPStatus(status).phrase
    if isinstance(
        error, ClientDisconnected
    ):  # Werkzeug raises it for every body that it cannot read, in place of the cause
        detail = f"the body could not be read: {error.__context__ or 'it ended before its Content-Length'}"
    elif status == 404:
        detail = f"there is nothing at {request.path}; the control API is described at /_sandbox/docs"
    elif status == 405:
        headers["Allow"] = ", ".join(sorted(getattr(error, "valid_methods", None) or ()))
        detail = f"{request.method} is not allowed at {request.path}; allowed: {headers['Allow']}"
    elif status == 413:
        detail = f"the body is larger than the control API takes, {request.max_content_length} bytes"
    return problem(status, detail, headers=headers)


def _flatten(place: str, messages: Any, given: Any) -> list[dict[str, str]]:
    """Return marshmallow's nested messages as a flat list, one entry a field, with the wrong value."""
    if isinstance(messages, dict):
        inner = dict(enumerate(given)) if isinstance(given, list) else given if isinstance(given, Mapping) else {}
        return [
            entry
            for key, found in messages.items()
            for entry in (
                _flatten(place, found, given)
                if key == "_schema"
                else _flatten(f"{place}.{key}", found, inner.get(key, _ABSENT))
            )
        ]
    entries = [{"field": place, "message": str(message)} for message in messages]
    # The value of an unknown field is left out: it may be a secret.
    shown = {"given": _as_json(given)} if given is not _ABSENT else {}
    return [entry | shown if entry["message"].startswith("use ") else entry for entry in entries]


_ABSENT: Final = object()


def _unexpected(error: Exception) -> Response:
    note_failure(error)
    return problem(500, "the sandbox itself failed; its log has the traceback, please report it")
