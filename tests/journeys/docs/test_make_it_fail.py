"""The page with ten failures quotes the example integration, whose tests run with this suite."""

from __future__ import annotations

import re

import pytest

from tests.journeys.docs.blocks import ROOT, Block, blocks

PAGE = "docs/how-to/make-it-fail.md"
EXAMPLE = ROOT / "examples" / "order_push" / "test_order_push.py"
QUOTED = list(blocks(PAGE, "python"))


@pytest.mark.parametrize("block", QUOTED, ids=[f"line {block.line}" for block in QUOTED])
def test_block_is_part_of_the_example(block: Block) -> None:
    example = EXAMPLE.read_text(encoding="utf-8").split("\n\n\n")

    assert [part for part in block.code.rstrip().split("\n\n\n") if part not in example] == []


def test_page_has_ten_failures_with_a_test_each() -> None:
    sections = re.split(r"^## ", (ROOT / PAGE).read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]

    assert [section.partition(".")[0] for section in sections] == [str(number) for number in range(1, 11)]
    assert all("def test_" in section for section in sections)
