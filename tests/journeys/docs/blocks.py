"""The code blocks of the documentation, found so that tests can run them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from textwrap import dedent
from typing import Any, NamedTuple

from tests import ROOT

_BLOCK = re.compile(r"^(?P<indent> *)```(?P<language>\w+)\n(?P<code>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL)


class Block(NamedTuple):
    """A fenced code block; ``line`` is that of its first line of code."""

    language: str
    code: str
    line: int


def blocks(page: str, language: str) -> Iterator[Block]:
    """Yield the blocks of one language on a page, in their order."""
    text = (ROOT / page).read_text(encoding="utf-8")
    for match in _BLOCK.finditer(text):
        if match["language"] == language:
            yield Block(language, dedent(match["code"]), text.count("\n", 0, match.start("code")) + 1)


def run_python(page: str, namespace: dict[str, Any]) -> None:
    """Execute the Python blocks of a page in order in a namespace: in that of a test module they become its tests.

    Tracebacks name the page and its lines.
    """
    for block in blocks(page, "python"):
        code = compile("\n" * (block.line - 1) + block.code, str(ROOT / page), "exec")
        exec(code, namespace)
