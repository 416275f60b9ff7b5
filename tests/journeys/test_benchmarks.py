"""The benchmarks run without network and peers, and their page holds what they measure."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.__main__ import main, report
from benchmarks.measures import MEASURES, engine
from benchmarks.measures.inbound import Loads, section
from benchmarks.peers.installation import Installation
from benchmarks.peers.node import Mockoon
from benchmarks.plan import Plan
from benchmarks.report import BEGIN, END, Outcome, Target, replaced, summary
from benchmarks.rounds import interleaved, median_ratio
from benchmarks.wrk import Load
from tests import ROOT

PAGE = ROOT / "docs" / "performance.md"
TARGET = Target("payloads/s", "≥ 1,000", "≥ 2,000")


@pytest.mark.parametrize("part", [BEGIN, END, 'make bench ARGS="--write docs/performance.md"'])
def test_page_has_the_command_and_the_markers_of_what_it_writes(part: str) -> None:
    assert PAGE.read_text(encoding="utf-8").count(part) == 1


@pytest.mark.parametrize("measure", MEASURES, ids=lambda measure: measure.NAME)
def test_page_has_a_row_for_each_figure(measure: object) -> None:
    page = PAGE.read_text(encoding="utf-8")

    assert f"\n### {measure.TITLE}\n" in page  # type: ignore[attr-defined]
    assert [t.figure for t in measure.TARGETS if f"\n| {t.figure} |" not in page] == []  # type: ignore[attr-defined]


def test_page_tells_date_command_and_machine() -> None:
    page = PAGE.read_text(encoding="utf-8")

    assert "\nMeasured on 20" in page
    assert "by `python -m benchmarks" in page
    assert "\n| processor |" in page


def test_quick_run_of_one_measure_prints_its_section(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    arguments = ["--quick", "--without-peers", "--only", "image", "--cache", str(tmp_path)]

    assert main(arguments) == 0
    printed = capsys.readouterr().out
    assert f"by `python -m benchmarks {' '.join(arguments)}`" in printed
    assert "\n| image, on top of its base | not measured | ≤ 60 MB: not measured | ≤ 35 MB: not measured |" in printed
    assert list(tmp_path.iterdir()) == []


def test_page_of_a_part_of_the_measures_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--only", "image", "--write", str(tmp_path / "page.md")])

    assert ended.value.code == 2
    assert "--write takes a whole run" in capsys.readouterr().err


def test_page_of_a_busy_machine_is_refused(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("benchmarks.machine.os.getloadavg", lambda: (3.25, 0.0, 0.0), raising=False)
    monkeypatch.setattr("benchmarks.__main__._PATIENCE_S", 0.0)
    (tmp_path / "page.md").write_text(f"{BEGIN}\n{END}\n")

    with pytest.raises(SystemExit) as ended:
        main(["--write", str(tmp_path / "page.md")])

    assert ended.value.code == 2
    assert "something else keeps this machine busy (load 3.2)" in capsys.readouterr().err


@pytest.mark.parametrize(("load", "said"), [(3.25, True), (0.5, False)])
def test_run_says_which_figures_stand(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, load: float, said: bool) -> None:
    monkeypatch.setattr("benchmarks.machine.os.getloadavg", lambda: (load, 0.0, 0.0), raising=False)

    printed = report(Plan(Installation(tmp_path, without=True)), [], "a command")

    assert ("Ratios, processor times, sizes and counts stand" in printed) is said


def test_engine_is_judged_against_the_former_one() -> None:
    loads: dict[int, Loads] = {
        8: {"Patchworks Sandbox": [Load(2_500, 1, 2, 60)], "its former engine": [Load(1_000, 3, 9, 150)]},
        64: {"Patchworks Sandbox": [Load(3_000, 1, 4, 60)], "its former engine": [Load(1_500, 3, 5, 150)]},
    }

    judged = {outcome.target.figure: outcome for outcome in engine.section(loads, 1_290).outcomes}

    assert {name.partition(",")[0]: (each.measured, each.must, each.goal) for name, each in judged.items()} == {
        "payloads/s at 8": ("2.50 ×", True, False),
        "payloads/s at 64": ("2.00 ×", False, False),
        "processor time of a payload at 8": ("60 µs; 0.40 × the former engine's", True, False),
        "p99 at 64 connections": ("0.80 ×; 4.0 × the p50", False, False),
        "lines of `sandbox/server`": ("1,290", True, False),
    }


def test_engine_keeps_to_its_length() -> None:
    assert engine.server_lines() <= 1_300


def test_measure_that_breaks_does_not_cost_the_others(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(plan: Plan) -> None:
        raise ZeroDivisionError("no rounds")

    measure = next(measure for measure in MEASURES if measure.NAME == "image")
    monkeypatch.setattr(measure, "run", broken)

    assert main(["--without-peers", "--only", "image"]) == 0
    assert "Not measured: ZeroDivisionError: no rounds." in capsys.readouterr().out


def test_peer_that_cannot_run_is_skipped_with_a_word(tmp_path: Path) -> None:
    plan = Plan(Installation(tmp_path, without=True))

    with plan.serving([Mockoon]) as contestants:
        assert contestants == {}
    assert plan.skipped == {"Mockoon": "run without peers"}


def test_every_second_round_goes_the_other_way() -> None:
    order: list[str] = []

    def turn(name: str) -> Callable[[], None]:
        return lambda: order.append(name)

    interleaved(3, {name: turn(name) for name in "abc"})

    assert "".join(order) == "abccbaabc"


def test_ratio_is_taken_within_each_round() -> None:
    assert median_ratio([10, 1, 30], [5, 1, 10]) == 2


def test_limits_are_judged_by_the_run() -> None:
    rates = {"Patchworks Sandbox": 3000, "pytest-httpserver": 1500, "WireMock": 5000, "MockServer": 2000}
    with_peers = {name: [Load(rate, 10, 40)] for name, rate in rates.items()}
    alone = {"Patchworks Sandbox": [Load(3000, 10, 30)]}

    judged = [section(dict.fromkeys((1, 8, 64), loads)).outcomes for loads in (with_peers, alone)]

    assert [[(outcome.must, outcome.goal) for outcome in outcomes] for outcomes in judged] == [
        [(True, False), (True, False), (True, False), (False, False)],
        [(None, None), (None, None), (None, None), (None, True)],
    ]


def test_summary_tells_met_from_not_met_and_not_measured() -> None:
    outcomes = [Outcome(TARGET, "1,500", True, False), Outcome(Target("start"), "not measured")]

    assert summary(outcomes).rows == [
        ["payloads/s", "1,500", "≥ 1,000: met", "≥ 2,000: **not met**"],
        ["start", "not measured", "", ""],
    ]


def test_writing_replaces_only_what_is_between_the_markers() -> None:
    page = f"before\n{BEGIN}\n\nold\n\n{END}\nafter\n"

    assert replaced(page, "new") == f"before\n{BEGIN}\n\nnew\n\n{END}\nafter\n"
    with pytest.raises(ValueError, match="needs the lines"):
        replaced("a page", "new")
