"""The fidelity ledger is complete and true."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

from sandbox.foundation.settings import setting_specs
from sandbox.platform.fidelity import TAGS, Row, as_text, load_ledger
from tests import ROOT

TESTS = ROOT / "tests"
LEDGER = load_ledger()
ROWS = pytest.mark.parametrize("row", LEDGER.rows, ids=[row.id for row in LEDGER.rows])


@cache
def functions_of(file: Path) -> frozenset[str]:
    """Return the names of the test functions in a file, those of classes as ``Class::name``."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    methods = {f"{c.name}::{f.name}" for c in classes for f in c.body if isinstance(f, ast.FunctionDef)}
    return frozenset({node.name for node in tree.body if isinstance(node, ast.FunctionDef)} | methods)


@ROWS
def test_row_names_tests_that_exist(row: Row) -> None:
    for node_id in row.tests:
        file, _, name = node_id.partition("::")
        assert name in functions_of(TESTS / file), f"row {row.id} names a test that does not exist: {node_id}"


@ROWS
def test_row_is_pinned_by_a_test(row: Row) -> None:
    assert row.tests, f"row {row.id} names no test"


@ROWS
def test_row_uses_known_tags_and_sources(row: Row) -> None:
    assert row.tags
    assert set(row.tags) <= set(TAGS)
    assert row.sources
    assert set(row.sources) <= set(LEDGER.sources)


@ROWS
def test_row_names_settings_that_exist(row: Row) -> None:
    assert set(row.settings) <= {spec.name for spec in setting_specs()}


def test_every_fact_about_the_inbound_api_has_a_row() -> None:
    ids = [row.id for row in LEDGER.rows]

    assert {f"1.{number}" for number in range(1, 25)} <= set(ids)
    assert len(ids) == len(set(ids))


def test_every_setting_of_the_emulated_api_is_in_the_ledger() -> None:
    named = {name for row in LEDGER.rows for name in row.settings}

    assert {spec.name for spec in setting_specs() if spec.tag != "ours"} <= named


def test_every_source_is_used() -> None:
    assert {source for row in LEDGER.rows for source in row.sources} == set(LEDGER.sources)


def test_text_for_the_terminal_tells_every_row() -> None:
    text = as_text(LEDGER)

    assert all(row.behaviour in text for row in LEDGER.rows)
