"""docs/faults.md tells every kind and every field. Another test holds the file against what the code writes."""

from __future__ import annotations

import pytest

from docs._site.faults_page import faults_page
from sandbox.faults import KINDS
from sandbox.faults.fault import Fault
from sandbox.faults.presets import load_presets
from sandbox.faults.rules import FaultRule, Match
from sandbox.foundation.fields import Described, fields_of

PAGE = faults_page(load_presets())


def section(heading: str) -> str:
    return PAGE.partition(f"\n{heading}\n")[2].partition("\n#")[0]


@pytest.mark.parametrize("cls", KINDS.values(), ids=list(KINDS))
def test_page_tells_a_kind_with_all_its_fields(cls: type[Fault]) -> None:
    told = section(f"### {cls.kind}")

    assert len(told) > 40
    assert all(f"| `{field.name}` | {field.doc.replace('|', chr(92) + '|')} |" in told for field in fields_of(cls))


@pytest.mark.parametrize(("heading", "cls"), [("## Which requests: `match`", Match), ("## The rule", FaultRule)])
def test_page_tells_every_field_of_a_rule(heading: str, cls: type[Described]) -> None:
    told = section(heading)

    assert all(f"| `{field.name}` |" in told for field in fields_of(cls))


@pytest.mark.parametrize("name", load_presets())
def test_page_tells_every_preset(name: str) -> None:
    assert load_presets()[name].story in section(f"### {name}")
