from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from pkgutil import resolve_name

import pytest
import yaml

import sandbox
from docs._site.control_examples import EXAMPLES, IN_WORDS
from docs._site.settings_page import configuration_page
from docs._site.write_pages import pages
from sandbox.foundation.settings import setting_specs
from sandbox.platform.fidelity import load_ledger
from tests import ROOT
from tests.journeys.docs.blocks import blocks

PAGE = ROOT / "docs" / "configuration.md"
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "fixtures/README.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]


@pytest.mark.parametrize("name", pages())
def test_page_made_from_the_code_is_current(name: str) -> None:
    assert (ROOT / "docs" / name).read_text(encoding="utf-8") == pages()[name], "run `make specs`"


def test_fidelity_page_has_every_row_of_the_ledger() -> None:
    rows = re.findall(r"^\| ([A-Z]*[\d.]+) \|", pages()["fidelity.md"], re.MULTILINE)

    assert sorted(rows) == sorted(row.id for row in load_ledger().rows)


def test_configuration_page_has_every_setting_with_its_ways_in() -> None:
    page = configuration_page()

    for spec in setting_specs():
        assert f"## {spec.name}\n" in page
        assert f"`{spec.flag}`" in page
        assert f"`{spec.env}`" in page


def test_python_page_has_every_public_name() -> None:
    page = (PAGE.parent / "reference" / "python.md").read_text(encoding="utf-8")
    plugin = (ROOT / "patchworks_sandbox_pytest.py").read_text(encoding="utf-8")
    fixtures = re.findall(r"^@pytest\.fixture.*\ndef (\w+)", plugin, re.MULTILINE)

    described = re.findall(r"^::: [\w.]+\.(\w+)$", page, re.MULTILINE)
    assert {"patchworks", "patchworks_factory"} <= set(fixtures)
    assert {*fixtures, *sandbox.__all__} - {"__version__", "faults", *described} == set()


def test_python_page_names_what_exists() -> None:
    page = (PAGE.parent / "reference" / "python.md").read_text(encoding="utf-8")

    assert [name for name in re.findall(r"^::: ([\w.]+)$", page, re.MULTILINE) if resolve_name(name) is None] == []


def test_documentation_imports_public_names_only() -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.py")]
    imports = re.compile(r"^\s*(?:from (sandbox[\w.]*) import|import (sandbox[\w.]*))", re.MULTILINE)

    used = {match[1] or match[2] for page in pages for match in imports.finditer(page.read_text(encoding="utf-8"))}
    assert used == {"sandbox", "sandbox.faults"}


COLUMNS = 88
"""Characters that a code block of the site shows without scrolling, in a window of 1,280 pixels."""


def lines_of_code(page: Path) -> Iterator[str]:
    name = str(page.relative_to(ROOT))
    for language in ("python", "py", "sh", "json", "yaml", "ini", "toml", "js", "ts", "php", "java", "go", "csharp"):
        for block in blocks(name, language):
            if included := re.fullmatch(r'--8<-- "(.*)"\n', block.code):
                yield from (ROOT / included[1]).read_text(encoding="utf-8").splitlines()
            yield from block.code.splitlines()
    for block in blocks(name, "console"):
        continues = False
        for line in block.code.splitlines():
            if continues or line.startswith("$ "):
                yield line
                continues = line.endswith("\\")


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_code_fits_its_box(page: Path) -> None:
    assert [line for line in lines_of_code(page) if len(line) > COLUMNS] == []


def test_every_operation_with_a_body_has_an_example() -> None:
    document = yaml.safe_load((ROOT / "openapi-control.yaml").read_text(encoding="utf-8"))
    with_body = {
        f"{method.upper()} {path}"
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if "requestBody" in operation and operation["requestBody"].get("required", True)
    }

    assert with_body <= {*EXAMPLES, *IN_WORDS}
