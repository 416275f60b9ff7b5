"""The framework's texts for violations and messages that no entity check makes."""

from __future__ import annotations

import pytest

from sandbox.foundation.refusals import MessageError, Violation
from sandbox.journal.entry import Exchange
from sandbox.journal.request import Request
from sandbox.platform.wire import wire_profile


@pytest.mark.parametrize(
    ("violation", "modern", "legacy"),
    [
        (Violation("page", "min", "1"), "The page field must be at least 1.", "The page must be at least 1."),
        (
            Violation("per_page", "max", "100"),
            "The per page field must not be greater than 100.",
            "The per page may not be greater than 100.",
        ),
        (
            Violation("name", "min_length", "3"),
            "The name field must be at least 3 characters.",
            "The name must be at least 3 characters.",
        ),
        (
            Violation("name", "max_length", "100"),
            "The name field must not be greater than 100 characters.",
            "The name may not be greater than 100 characters.",
        ),
    ],
    ids=["min", "max", "min_length", "max_length"],
)
def test_bounds_are_worded_as_the_framework_words_them(violation: Violation, modern: str, legacy: str) -> None:
    assert wire_profile("modern").violation_text(violation) == modern
    assert wire_profile("legacy").violation_text(violation) == legacy


@pytest.mark.parametrize("profile", ["modern", "legacy"])
def test_message_of_process_flows_is_the_whole_body(profile: str) -> None:
    refusal = MessageError("unknown_flow: 7", 404, "Flow not found")

    answer = wire_profile(profile).refusal(refusal, Exchange(Request("GET", "/"), 0.0, 0.0))

    assert (answer.status, answer.body) == (404, b'{\n    "message": "Flow not found"\n}')
