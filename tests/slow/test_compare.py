"""`compare` proposes each setting that a recording was made with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.testing.compare.conftest import Har, make_story
from tests.testing.compare.test_compare import check_proposed

__all__ = ["make_story"]  # a fixture


@pytest.mark.parametrize(
    "settings",
    [
        {"success_status": 201},
        {"rate_limit_requests": 120},
        {"blank_payload": "accept"},
        {"entity_check": "off"},
        {"accept": "laravel"},
        {"token_methods": ["POST"]},
        {"body_limit": 9_000, "success_status": 201},
        {"success_message": "Stored.", "token_lifetime": 600},
    ],
    ids=str,
)
def test_settings_of_the_recording_are_proposed(make_story: Callable[..., Har], settings: dict[str, Any]) -> None:
    check_proposed(make_story, settings)
