"""SECURITY.md promises tests: they are there."""

from __future__ import annotations

import re
from pathlib import Path

from sandbox.web.control.guard import OPEN_PATHS
from tests import ROOT

TEXT = (ROOT / "SECURITY.md").read_text(encoding="utf-8")


def test_every_test_that_the_policy_names_exists() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)`", TEXT)

    assert len(named) > 15
    assert [name for name in named if not (ROOT / name).is_file()] == []


def test_every_test_of_this_folder_is_named_by_the_policy() -> None:
    here = {f"tests/journeys/security/{path.name}" for path in Path(__file__).parent.glob("test_*.py")}

    assert {name for name in here if name not in TEXT} == {"tests/journeys/security/test_policy.py"}


def test_policy_names_what_needs_no_key() -> None:
    (sentence,) = re.findall(r"Only (`/_sandbox/[^.]*(?:\.pem[^.]*)?)\.", TEXT)

    assert re.findall(r"`([^`]+)`", sentence) == list(OPEN_PATHS)
