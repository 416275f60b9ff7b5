"""The sandbox clock over HTTP."""

from __future__ import annotations

from typing import Any, ClassVar

from marshmallow import ValidationError, fields, validates_schema

from sandbox.foundation.clock import MAX_RATE, Clock
from sandbox.foundation.instants import DURATIONS_ALLOWED, parse_duration
from sandbox.web.control.base import Blueprint, current_sandbox
from sandbox.web.control.schemas import INSTANT, AnswerSchema, ChangeSchema, Flag, Instant, Number, StrictSchema, says

blueprint = Blueprint("clock", __name__, description="The time of the emulated platform")


class ClockSchema(AnswerSchema):
    now = Instant()
    frozen = fields.Boolean()
    rate = fields.Float(**says("Sandbox seconds a real second, when not frozen."))


class ClockChangeSchema(ChangeSchema):
    now = fields.String(
        metadata={**INSTANT, "description": "An instant with a zone.", "example": "2026-11-23T18:00:00Z"}
    )
    frozen = Flag()
    rate = Number(**says("Above 0; 3600 is an hour a second.", exclusiveMinimum=0, maximum=MAX_RATE, example=3600))


class AdvanceSchema(StrictSchema):
    """How far to move the clock; a negative value moves it back."""

    keywords: ClassVar = {"minProperties": 1, "maxProperties": 1}
    seconds = Number(metadata={"example": 86400})
    duration = fields.String(
        metadata={
            "minLength": 2,
            "pattern": r"^[+-]?[Pp]?(\d+[Ww])?(\d+[Dd])?[Tt]?(\d+[Hh])?(\d+[Mm])?(\d+(\.\d+)?[Ss])?$",
            "description": "ISO 8601 (`PT24H`) or short text (`24h`, `90s`).",
            "example": "PT24H",
            "allowed": DURATIONS_ALLOWED,
        }
    )

    @validates_schema
    def _one_of_them(self, data: dict[str, Any], **kwargs: Any) -> None:
        if len(data) != 1:
            raise ValidationError("give either seconds or duration, one of them")


def _presented(clock: Clock) -> dict[str, Any]:
    return {"now": clock.now(), "frozen": clock.frozen, "rate": clock.rate}


@blueprint.get("/clock", answer=ClockSchema)
def get_clock() -> dict[str, Any]:
    """Show the sandbox time."""
    return _presented(current_sandbox().clock)


@blueprint.put("/clock", body=ClockChangeSchema, answer=ClockSchema)
def set_clock(body: dict[str, Any]) -> dict[str, Any]:
    """Travel to an instant, freeze, unfreeze or change the rate."""
    clock = current_sandbox().clock
    clock.change(now=body.get("now"), frozen=body.get("frozen"), rate=body.get("rate"))
    return _presented(clock)


@blueprint.delete("/clock", answer=ClockSchema)
def reset_clock() -> dict[str, Any]:
    """Return to real time."""
    clock = current_sandbox().clock
    clock.reset()
    return _presented(clock)


@blueprint.post("/clock/advance", body=AdvanceSchema, answer=ClockSchema)
def advance_clock(body: dict[str, Any]) -> dict[str, Any]:
    """Move the clock by a duration."""
    clock = current_sandbox().clock
    [(unit, value)] = body.items()
    clock.advance(parse_duration(value, unit))
    return _presented(clock)
