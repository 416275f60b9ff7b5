"""Waiting for requests and verifying them over HTTP: the assertions of the Python API for other languages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from flask import Response, jsonify, request
from marshmallow import ValidationError, fields, validate, validates_schema

from sandbox.foundation.errors import WaitInterruptedError
from sandbox.foundation.real_time import monotonic
from sandbox.foundation.value_types import JSON_PATH
from sandbox.journal.assertions.failure_message import report
from sandbox.journal.assertions.pattern import Pattern
from sandbox.journal.assertions.verify import MAX_TIMES, Expectation, Times, Verdict, View, verify
from sandbox.journal.entry import OUTCOMES
from sandbox.journal.journal import Search
from sandbox.web.control.base import Blueprint, current_sandbox
from sandbox.web.control.problems import ProblemSchema, problem
from sandbox.web.control.request_views import (
    RequestFilterSchema,
    after_field,
    dropped_field,
    entries_field,
    listed,
    read_cursor,
    read_filter,
)
from sandbox.web.control.schemas import AnswerSchema, Flag, Number, StrictSchema, WholeNumber, between, one_of, says
from sandbox.web.control.tracing import answered_later
from sandbox.web.environ import CONNECTION

blueprint = Blueprint("verification", __name__, description="Waiting for requests, verifying them")

MAX_COUNT: Final = 1_000
MAX_WAIT_S: Final = 60
_ANY_VALUE: Final = {
    "type": ["object", "array", "string", "number", "boolean"],
    "items": {},
    "additionalProperties": {},
}
"""Any JSON but ``null``, which counts as a condition that is not given."""


class WaitQuerySchema(RequestFilterSchema):
    after = after_field()
    count = fields.Integer(load_default=1, validate=between(1, MAX_COUNT))
    timeout = fields.Float(load_default=5.0, validate=between(0, MAX_WAIT_S), **says("Real seconds.", example=5))


class WaitedSchema(AnswerSchema):
    """The first `count` requests that match."""

    entries = entries_field()
    dropped = dropped_field()


class WaitTimeoutSchema(ProblemSchema):
    """The time was up; with the requests that matched until then."""

    entries = entries_field()
    dropped = dropped_field()


class RequestPatternSchema(StrictSchema):
    """Conditions on a request; a condition that is left out always holds."""

    json = fields.Raw(metadata={**_ANY_VALUE, "description": "The body is this JSON; numbers are equal by value."})
    json_contains = fields.Raw(
        metadata={
            **_ANY_VALUE,
            "description": "The body holds this, and may hold more keys and more items in any order.",
        }
    )
    json_path = fields.Raw(
        **says(
            "An RFC 9535 query that selects something, or an object of queries and the value that one "
            "selected node must equal.",
            oneOf=[JSON_PATH, {"type": "object"}],
            allowed="a JSONPath such as $.order, or an object of JSONPaths and values",
            example={"$.lines[0].qty": 2},
        )
    )
    text = fields.String(**says("The body is this text."))
    headers = fields.Dict(
        keys=fields.String(),
        values=fields.String(allow_none=True),
        **says("Each is there with this value; null: is not there. Credentials as they were sent."),
    )
    method = fields.String()
    client_id = fields.String()
    status = WholeNumber(validate=between(0, 599))
    outcome = fields.String(validate=one_of(*OUTCOMES))
    reason = fields.String(**says("The reason is or begins with this.", example="token_expired"))
    fault = fields.String()


class VerificationSchema(StrictSchema):
    filter = fields.Nested(RequestFilterSchema, load_default=dict, **says("The requests to look at; all if left out."))
    after = after_field()
    only_accepted = Flag(
        load_default=False,
        **says(
            "Count accepted requests only, unless the pattern names `outcome`, `status`, `reason` or "
            "`fault`; rejected requests still appear as near misses."
        ),
    )
    pattern = fields.Nested(RequestPatternSchema, load_default=dict)
    in_order = fields.List(
        fields.Nested(RequestPatternSchema),
        validate=validate.Length(1, 100, error="use a list of {min} to {max} patterns"),
        **says("In place of `pattern` and a count: these came one after the other."),
    )
    times = WholeNumber(validate=between(0, MAX_TIMES))
    at_least = WholeNumber(validate=between(0, MAX_TIMES))
    at_most = WholeNumber(validate=between(0, MAX_TIMES))
    waited_s = Number(
        validate=between(0, 10**9),
        **says("How many real seconds the caller has waited, for `detail`.", example=5),
    )

    @validates_schema
    def _order_or_count(self, data: dict[str, Any], **kwargs: Any) -> None:
        if "in_order" in data and (data.get("pattern") or not data.keys().isdisjoint({"times", "at_least", "at_most"})):
            raise ValidationError("in_order alone, or pattern with a count", "in_order")


class VerifiedSchema(AnswerSchema):
    count = fields.Integer(**says("How many match; counting stops where the answer is certain."))
    dropped = dropped_field()


class DifferenceSchema(AnswerSchema):
    path = fields.String(**says("A JSONPath, or what is no part of the body."))
    message = fields.String()


class NearMissSchema(AnswerSchema):
    id = fields.String()
    seq = fields.Integer()
    status = fields.Integer()
    reason = fields.String(allow_none=True)
    token_note = fields.String(allow_none=True)
    differences = fields.List(fields.Nested(DifferenceSchema))


class MismatchSchema(ProblemSchema):
    """The requests were not received; `detail` is the message of a failing assertion."""

    count = fields.Integer(strict=True, **says("How many match."))
    near_misses = fields.List(fields.Nested(NearMissSchema))
    matches = fields.List(fields.String(), **says("Ids of the first requests that match."))
    dropped = dropped_field()
    uncertain = fields.Integer(strict=True, **says("How many of the dropped entries could have matched."))


@blueprint.get("/requests/wait", query=WaitQuerySchema, answer=WaitedSchema)
@blueprint.problem(408, "The time is up; with the requests that matched until then.", WaitTimeoutSchema)
@blueprint.problem(409, "The wait was interrupted: the sandbox was reset, or is stopping.")
def wait_for_requests(query: dict[str, Any]) -> Any:
    """Wait until `count` requests match, and answer at once when they do.

    The answer holds the first `count` of them. To wait for later ones, give the `seq` of the last one as `after`.
    """
    journal = current_sandbox().journal
    after, count, timeout = read_cursor(query.pop("after"), journal), query.pop("count"), query.pop("timeout")
    search = Search(journal, read_filter(query), count, after)
    hold = request.environ.get(CONNECTION)
    try:
        if hold is None:  # another server, or a test: the caller waits in a thread of its own
            search.wait(monotonic() + timeout)
        elif not search.look() and timeout > 0:
            hold(_Wait(search, timeout))
            return Response()
    except WaitInterruptedError as error:
        return _interrupted(error)
    return _waited(search, timeout)


class _Wait:
    """One client's wait without a thread. Make it while its view runs."""

    def __init__(self, search: Search, timeout: float) -> None:
        self._search = search
        self._timeout = timeout
        self._deadline = monotonic() + timeout
        self._finish = answered_later()
        self._wake: Callable[[], None] = lambda: None

    def listen(self, wake: Callable[[], None]) -> None:
        """Call ``wake`` after every entry and interruption."""
        self._wake = wake
        self._search.journal.waiting.listen(wake)

    def next(self, *, timed_out: bool) -> bytes | Response:
        """Return the answer once there are enough entries, the time is up or the wait is interrupted."""
        try:
            if not self._search.look() and not timed_out:
                return b""
        except WaitInterruptedError as error:
            interruption = error
            return self._finish(lambda: _interrupted(interruption))
        return self._finish(lambda: _waited(self._search, self._timeout))

    def seconds_left(self) -> float:
        return max(0.0, self._deadline - monotonic())

    def close(self) -> None:
        self._search.journal.waiting.unlisten(self._wake)


def _waited(search: Search, timeout: float) -> Response:
    document = {"entries": list(map(listed, search.found)), "dropped": search.journal.dropped}
    if len(search.found) >= search.count:
        return jsonify(document)
    return problem(408, f"{len(search.found)} of {search.count} requests came within {timeout:g} s", members=document)


def _interrupted(error: WaitInterruptedError) -> Response:
    return problem(409, f"the wait was interrupted: {error}")


@blueprint.post("/requests/verify", body=VerificationSchema, answer=VerifiedSchema)
@blueprint.problem(409, "The requests were not received; with the nearest ones.", MismatchSchema)
def verify_requests(body: dict[str, Any]) -> Any:
    """Verify how many requests match a pattern: at least one, unless the body gives a count.

    The verification fails when the journal has dropped entries that could have matched.
    """
    journal = current_sandbox().journal
    view = View(read_filter(body["filter"]), only_accepted=body["only_accepted"])
    times = Times.of(body.get("times"), body.get("at_least"), body.get("at_most"))
    after, waited_s = read_cursor(body["after"], journal), body.get("waited_s")
    in_order = [Pattern(**pattern) for pattern in body["in_order"]] if "in_order" in body else None
    verdict = verify(journal, Expectation(view, Pattern(**body["pattern"]), times, after, waited_s, in_order))
    if verdict.ok:
        return {"count": verdict.count, "dropped": verdict.dropped}
    return problem(409, report(verdict), members=_mismatch(verdict))


def _mismatch(verdict: Verdict) -> dict[str, Any]:
    return {
        "count": verdict.count,
        "matches": [entry.id for entry in verdict.matches],
        "near_misses": [
            {
                **{name: getattr(miss.entry, name) for name in ("id", "seq", "status", "reason", "token_note")},
                "differences": [{"path": found.path, "message": found.message} for found in miss.differences[:100]],
            }
            for miss in verdict.near_misses
        ],
        "dropped": verdict.dropped,
        "uncertain": verdict.lost,
    }
