"""Every Python block of the page on pytest runs: the test functions in it are tests of this module."""

from __future__ import annotations

import dataclasses

import pytest

from sandbox.journal.assertions.pattern import PatternFields
from sandbox.testing.marker import MarkerOptions
from tests.journeys.docs.blocks import ROOT, run_python

PAGE = "docs/pytest.md"


@pytest.mark.parametrize("name", [field.name for field in dataclasses.fields(MarkerOptions)])
def test_page_tells_every_argument_of_the_marker(name: str) -> None:
    assert f"| `{name}` |" in (ROOT / PAGE).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "option",
    [
        "--patchworks-url",
        "--patchworks-seed-file",
        "--patchworks-log",
        "patchworks_seed_file",
        "patchworks_settings",
        "patchworks_intercept",
        "--patchworks-ca-file",
        "--patchworks-control-key",
    ],
)
def test_page_tells_every_option(option: str) -> None:
    assert option in (ROOT / PAGE).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", PatternFields.__annotations__)
def test_page_tells_every_condition(name: str) -> None:
    assert f"`{name}`" in (ROOT / PAGE).read_text(encoding="utf-8")


run_python(PAGE, globals())
