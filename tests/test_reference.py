from __future__ import annotations

import re
from pathlib import Path

import sandbox
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


def test_python_page_has_every_public_name() -> None:
    page = (PAGE.parent / "reference" / "python.md").read_text(encoding="utf-8")
    plugin = (PAGE.parents[1] / "sandbox" / "pytest_plugin.py").read_text(encoding="utf-8")
    fixtures = re.findall(r"^@pytest\.fixture.*\ndef (\w+)", plugin, re.MULTILINE)

    described = re.findall(r"^::: [\w.]+\.(\w+)$", page, re.MULTILINE)
    assert {"patchworks", "patchworks_factory"} <= set(fixtures)
    assert {*fixtures, *sandbox.__all__} - {"__version__", *described} == set()
