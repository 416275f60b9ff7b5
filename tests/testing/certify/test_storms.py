"""Storms as files."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from sandbox.foundation.errors import InvalidValueError, NotFoundError
from sandbox.foundation.yaml_document import fixtures_folder
from sandbox.testing.certify.storms import CALM, load_storms, read_storm_file, select_storms

GOOD = "title: T\nstory: S.\njudges: [nothing_lost]\n"


def storm_file(folder: Path, text: str, name: str = "mine.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_calm_storm_comes_first_and_the_others_have_rules() -> None:
    storms = load_storms()

    assert next(iter(storms)) == CALM
    assert [name for name, storm in storms.items() if not storm.rules] == [CALM]
    assert set(storms) == {path.stem for path in (fixtures_folder() / "storms").iterdir()}


def test_rules_of_a_storm_are_called_by_its_name() -> None:
    assert {rule.name for storm in load_storms().values() for rule in storm.rules} == set(load_storms()) - {CALM}


def test_storm_of_a_folder_is_added_or_replaces_one_of_the_wheel(tmp_path: Path) -> None:
    storm_file(tmp_path, GOOD)
    storm_file(tmp_path, GOOD, "answer-lost.yml")

    storms = load_storms(tmp_path)
    assert (storms["mine"].title, storms["answer-lost"].title) == ("T", "T")


def test_storm_has_steps_settings_and_a_number_of_payloads(tmp_path: Path) -> None:
    more = "steps: [{after_payloads: 2, advance: 24h}, {after_payloads: 3, revoke_tokens: true}]\n"
    storm = read_storm_file(storm_file(tmp_path, f"{GOOD}{more}settings: {{wire_profile: legacy}}\npayloads: 7\n"))

    assert storm.steps[0].advance == timedelta(hours=24)
    assert (storm.settings, storm.payloads, storm.timeout_s) == ({"wire_profile": "legacy"}, 7, 30.0)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- 1\n", "mine.yaml: "),
        ("title: [\n", "mine.yaml: "),
        ("title: T\nstory: S\n", "mine.yaml: judges: "),
        (
            "title: T\nstory: S\njudges: [no_such]\n",
            "mine.yaml: judges: 'no_such' is not allowed; use a check; known: caches_token",
        ),
        (f"{GOOD}rulez: []\n", "mine.yaml: rulez: .*did you mean 'rules'"),
        (f"{GOOD}rules: {{}}\n", "mine.yaml: rules: .*a list"),
        (f"{GOOD}rules: [{{fault: {{kind: statu}}}}]\n", r"mine.yaml: rules\[0\]\.fault\.kind: .*status"),
        (f"{GOOD}steps: [{{after_payloads: 1}}]\n", r"mine.yaml: steps\[0\]\.step\.advance"),
        (f"{GOOD}steps: [{{after_payloads: 1, advance: soon}}]\n", r"steps\[0\]\..*advance: 'soon'"),
        (f"{GOOD}timeout_s: 0\n", "mine.yaml: timeout_s: "),
        (f"{GOOD}settings: {{rate_limits: 1}}\n", "mine.yaml: settings.rate_limits: there is no such setting; did you"),
        (f"{GOOD}settings: {{port: 1}}\n", "mine.yaml: settings.port: 1 is not allowed; use it at the start only"),
    ],
)
def test_wrong_file_is_refused_naming_the_place(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(InvalidValueError, match=said):
        read_storm_file(storm_file(tmp_path, text))


def test_folder_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidValueError, match="storms_dir"):
        load_storms(tmp_path / "none")


def test_selection_begins_with_the_calm_storm_and_names_those_that_are_known() -> None:
    storms = load_storms()

    assert [storm.name for storm in select_storms(["rate-limited"], storms)] == [CALM, "rate-limited"]
    assert len(select_storms([], storms)) == len(storms)
    with pytest.raises(NotFoundError, match="rate-limited"):
        select_storms(["rate-limitd"], storms)
