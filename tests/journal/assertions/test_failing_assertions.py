from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sandbox.journal.assertions.failure_message import MAX_LINES
from tests.journal.assertions.failing_assertions import PAGE, SCENES, message, page


def test_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run python -m tests.journal.assertions.failing_assertions"


@pytest.mark.parametrize("make", SCENES.values(), ids=SCENES)
def test_message_fits_a_screen(make: Callable[[], Any]) -> None:
    _, text = message(make)

    assert len(text.splitlines()) <= MAX_LINES
