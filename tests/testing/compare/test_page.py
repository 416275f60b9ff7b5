"""The page on ``compare`` has every rule, header, setting and bound."""

from __future__ import annotations

from sandbox.testing.compare.comparison_rules import COUNTERS, HEADERS, LISTS, RULES, TOKEN_FIELDS
from sandbox.testing.compare.explain import READ
from sandbox.testing.compare.har import MAX_BYTES
from sandbox.testing.compare.recording import MAX_EXCHANGES, PLATFORM
from tests import ROOT

PAGE = (ROOT / "docs/how-to/compare.md").read_text(encoding="utf-8")


def test_page_names_every_rule_header_and_setting() -> None:
    named = [rule.name for rule in RULES], HEADERS, COUNTERS, LISTS, TOKEN_FIELDS, READ, (PLATFORM,)
    missing = [name for names in named for name in names if f"`{name}`" not in PAGE]

    assert missing == []
    assert all(rule.texts in PAGE for rule in RULES)


def test_page_has_the_bounds() -> None:
    assert f"{MAX_BYTES // 1024 // 1024} MiB, and {MAX_EXCHANGES:,} requests" in PAGE
