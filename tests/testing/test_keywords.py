"""The keyword arguments that type checkers know are those that the sandbox takes."""

from __future__ import annotations

from typing import get_args, get_type_hints

import pytest

from sandbox.faults.rules import FaultRule, Match
from sandbox.foundation.fields import Field, fields_of
from sandbox.foundation.settings import setting_specs
from sandbox.testing import keywords

CHOICES = [
    *((keywords.SettingFields, spec) for spec in setting_specs() if "enum" in spec.type.schema),
    *((keywords.MatchFields, declared) for declared in fields_of(Match) if "enum" in declared.type.schema),
]


def test_settings_are_known() -> None:
    run_time = keywords.RunTimeSettingFields.__annotations__.keys()

    assert keywords.SettingFields.__annotations__.keys() == {spec.name for spec in setting_specs()}
    assert run_time == {spec.name for spec in setting_specs() if spec.runtime}


def test_fields_of_rules_are_known() -> None:
    conditions = {declared.name for declared in fields_of(Match)}

    assert keywords.MatchFields.__annotations__.keys() == conditions
    rule = {declared.name for declared in fields_of(FaultRule)} - {"fault"}
    assert keywords.RuleFields.__annotations__.keys() == conditions | rule


@pytest.mark.parametrize(("known", "declared"), CHOICES, ids=lambda value: getattr(value, "name", None))
def test_choices_are_known(known: type, declared: Field) -> None:
    hint = get_type_hints(known)[declared.name]

    assert set(get_args(hint)) == set(declared.type.schema["enum"])
