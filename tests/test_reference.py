from __future__ import annotations

from pathlib import Path

from sandbox.config import setting_specs
from sandbox.reference import configuration_page

PAGE = Path(__file__).parents[1] / "docs" / "configuration.md"


def test_configuration_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == configuration_page(), "run `make specs`"


def test_configuration_page_tells_every_setting_with_its_ways_in() -> None:
    page = configuration_page()

    for spec in setting_specs():
        assert f"## {spec.name}\n" in page
        assert f"`{spec.flag}`" in page
        assert f"`{spec.env}`" in page
