"""Faults in a seed: what may stand there, that they are in force from the start and again after a reset."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml

from sandbox import Sandbox, SandboxServer, load_seed, parse_seed
from sandbox.faults import KINDS, FaultRule, Match, hang, status
from sandbox.faults.presets import load_presets
from sandbox.foundation.errors import NotFoundError, SeedError
from sandbox.state.seed.parts import PresetSeed, Seed
from sandbox.state.seed.schema import SCHEMA_FILE, seed_schema
from sandbox.testing.marker import MarkerOptions, apply
from tests.state.seed.seed_schema import seed_schema_text

PRESETS = load_presets()
RULE: dict[str, Any] = {"fault": {"kind": "status", "code": 503}, "match": {"endpoint": "inbound"}, "times": 2}

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a file into a folder of the test's own."""

    def write(content: str, name: str = "seed.yaml") -> Path:
        path = tmp_path / name
        path.write_text(content, encoding="utf-8")
        return path

    return write


def in_force(sandbox: Sandbox) -> list[FaultRule]:
    return [state.rule for state in sandbox.platform.faults.rules()]


def test_rules_and_presets_are_in_force_from_the_start_in_their_order() -> None:
    seed = parse_seed({"faults": [RULE, {"preset": "two-503s-then-fine"}, {"fault": {"kind": "hang"}, "name": "last"}]})

    rules = in_force(Sandbox(seed))

    preset = list(PRESETS["two-503s-then-fine"].rules)
    first = FaultRule(status(503), match=Match(endpoint="inbound"), times=2)
    assert rules == [first, *preset, FaultRule(hang(), name="last")]


def test_preset_is_narrowed_by_its_match() -> None:
    seed = parse_seed({"faults": [{"preset": "two-503s-then-fine", "match": {"vanity_url": "orders"}}]})

    assert [rule.match.vanity_url for rule in in_force(Sandbox(seed))] == ["orders"]


def test_reset_plants_them_anew() -> None:
    sandbox = Sandbox(parse_seed({"faults": [RULE]}))
    before = sandbox.platform.faults.rules()
    sandbox.platform.faults.clear()
    sandbox.platform.faults.add(FaultRule(hang()))

    sandbox.reset()

    after = sandbox.platform.faults.rules()
    assert [(state.id, state.rule, state.hits) for state in after] == [(before[0].id, before[0].rule, 0)]


def test_loaded_state_has_its_own_faults_and_not_those_of_the_seed() -> None:
    sandbox = Sandbox(parse_seed({"faults": [RULE]}))
    state = Sandbox(Seed()).state()

    sandbox.load_state(state)

    assert in_force(sandbox) == []


def test_faults_of_several_files_follow_each_other(write: Write) -> None:
    one = write("faults:\n  - {fault: {kind: hang}, name: one}\n", "one.yaml")
    two = write("faults:\n  - {fault: {kind: hang}, name: two}\n  - preset: slow-platform\n", "two.yaml")
    nothing = write("faults:\n", "nothing.yaml")

    seed = load_seed(one, two, nothing)

    rule, *others = seed.faults
    assert rule == FaultRule(hang(), name="one")
    assert others == [FaultRule(hang(), name="two"), PresetSeed("slow-platform")]


def test_preset_of_the_users_own_folder_is_found(write: Write, tmp_path: Path) -> None:
    (tmp_path / "presets").mkdir()
    write("title: Mine\nstory: Mine.\nrules: [{fault: {kind: hang}}]\n", "presets/mine.yaml")
    seed = load_seed(write("faults: [{preset: mine}]\n"))

    sandbox = Sandbox(seed, settings={"presets_dir": str(tmp_path / "presets")})

    assert in_force(sandbox) == [FaultRule(hang(), name="mine")]


@pytest.mark.parametrize(
    ("item", "line", "message"),
    [
        (
            "fault: {kind: hagn}",
            3,
            "faults[0].fault.kind: 'hagn' is not allowed; use a kind of fault; did you mean 'hang'?",
        ),
        ("fault:\n      kind: status\n      code: 99", 5, "faults[0].fault.code: 99 is not allowed; use a whole"),
        (
            "fault:\n      kind: sequence\n      steps:\n        - pass\n        - {kind: status, code: 5}",
            7,
            "faults[0].fault.steps[1].code: 5 is not allowed; use a whole number from 200 to 599",
        ),
        ("times: 1", 3, "faults[0].fault: missing; give a fault: an object"),
        (
            "fault: {kind: hang}\n    tiems: 1",
            4,
            "faults[0].tiems: there is no such field; did you mean 'times'?",
        ),
        ("12", 3, "faults[0]: 12 is not allowed; use an object with the fields fault, match"),
        ("preset: 12", 3, "faults[0].preset: 12 is not allowed; use the name of a fault preset"),
        (
            "preset: slow-platform\n    times: 1",
            4,
            "faults[0].times: there is no such key beside preset; known: ",
        ),
        ("preset: slow-platform\n    match: {endpoint: tokn}", 4, "faults[0].match.endpoint: 'tokn' is not allowed"),
        ("preset: slow-platform\n    match: 5", 4, "faults[0].match: 5 is not allowed; use an object"),
    ],
    ids=[
        "kind",
        "value",
        "step",
        "nothing happens",
        "unknown field",
        "no mapping",
        "no name",
        "more than a match",
        "bad match",
        "match that is no mapping",
    ],
)
def test_wrong_fault_is_refused_with_its_path_and_line(item: str, line: int, message: str, write: Write) -> None:
    path = write(f"companies: []\nfaults:\n  - {item}\n")

    with pytest.raises(SeedError) as refusal:
        load_seed(path)

    assert str(refusal.value).startswith(f"{path}:{line}: {message}")


def test_faults_that_are_no_list_are_refused() -> None:
    with pytest.raises(SeedError, match=r"^seed: faults: 5 is not allowed; use a list of fault rules, and of"):
        parse_seed({"faults": 5})


@pytest.mark.parametrize(
    ("item", "message"),
    [
        ("preset: slow", "faults[1]: there is no fault preset 'slow'; known: accepted-but"),
        (
            "{preset: signing-key-rotated, match: {endpoint: token}}",
            "faults[1]: match.endpoint: 'token' is not allowed",
        ),
    ],
    ids=["unknown", "match that does not fit its rules"],
)
def test_preset_that_cannot_be_had_is_refused_at_the_start(item: str, message: str, write: Write) -> None:
    path = write(f"faults:\n  - fault: {{kind: hang}}\n  - {item}\n")
    seed = load_seed(path)

    with pytest.raises(SeedError) as refusal:
        Sandbox(seed)

    assert str(refusal.value).startswith(f"{path}:3: {message}")


def test_preset_that_a_program_names_is_refused_as_such() -> None:
    with pytest.raises(NotFoundError, match="there is no fault preset 'slow'"):
        Sandbox(Seed(faults=(PresetSeed("slow"),)))


def test_faults_of_a_marker_s_seed_are_added_to_a_sandbox_elsewhere() -> None:
    company = {"name": "Beta", "connectors": [{"name": "Shop", "oauth_clients": [{"name": "Integration"}]}]}
    seed = {"companies": [company], "faults": [RULE, {"preset": "two-503s-then-fine"}]}

    with (
        SandboxServer(Sandbox(Seed())) as server,
        apply(MarkerOptions(seed=seed), server.patchworks) as (handle, _),
    ):
        rules = [state.rule for state in handle.faults.list()]

    assert [(rule.fault, rule.times, rule.name) for rule in rules] == [
        (status(503), 2, None),
        (status(503), 2, "two-503s-then-fine"),
    ]


# --- the JSON Schema --------------------------------------------------------------------------------------------------


def test_schema_file_is_current() -> None:
    assert SCHEMA_FILE.read_text(encoding="utf-8") == seed_schema_text(), "run `make specs`"


def test_schema_is_one_and_refers_to_nothing_elsewhere() -> None:
    schema = seed_schema()

    jsonschema_rs.meta.validate(schema)
    jsonschema_rs.validator_for(schema)  # resolves every reference
    assert "components" not in json.dumps(schema)
    assert {name.lower() for name in schema["$defs"]} >= {kind.replace("_", "") + "fault" for kind in KINDS}


@pytest.mark.parametrize("preset", PRESETS.values(), ids=list(PRESETS))
def test_schema_takes_the_rules_of_every_preset(preset: Any) -> None:
    faults = [rule.document() for rule in preset.rules]

    assert jsonschema_rs.is_valid(seed_schema(), {"faults": [*faults, {"preset": preset.name}]})
    assert parse_seed({"faults": faults}).faults == preset.rules


@pytest.mark.parametrize(
    "item",
    ["fault: {kind: hagn}", "fault: {kind: status, code: 99}", "times: 1", "12", "preset: 12", "{preset: x, times: 1}"],
)
def test_schema_refuses_a_wrong_fault(item: str) -> None:
    assert not jsonschema_rs.is_valid(seed_schema(), {"faults": [yaml.safe_load(item)]})


def test_schema_is_told_by_a_running_sandbox(integration: Any) -> None:
    response = integration.control("GET", "/seed.schema.json")

    assert (response.status_code, response.content_type) == (200, "application/json")
    assert response.json == seed_schema()
