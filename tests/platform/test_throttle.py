"""The rate limit: a fixed window on the sandbox clock."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from sandbox.platform import throttle as module
from sandbox.platform.throttle import Throttle, Verdict

NOW = 1_795_456_800.0


@pytest.fixture
def throttle() -> Throttle:
    return Throttle()


def test_first_request_opens_the_window(throttle: Throttle) -> None:
    assert throttle.hit("a", 60, 60, NOW) == Verdict(True, 60, 59, 60, int(NOW) + 60)


def test_requests_up_to_the_limit_pass_and_the_next_is_refused(throttle: Throttle) -> None:
    verdicts = [throttle.hit("a", 3, 60, NOW + second) for second in range(4)]

    assert [(v.allowed, v.remaining) for v in verdicts] == [(True, 2), (True, 1), (True, 0), (False, 0)]
    assert verdicts[3].retry_after_s == 57
    assert verdicts[3].reset_at == int(NOW) + 60


def test_refused_requests_neither_count_nor_extend_the_window(throttle: Throttle) -> None:
    verdicts = [throttle.hit("a", 1, 60, NOW + second) for second in (0, 1, 30, 59.5)]

    assert [v.allowed for v in verdicts] == [True, False, False, False]
    assert {v.reset_at for v in verdicts} == {int(NOW) + 60}
    assert verdicts[-1].retry_after_s == 1
    assert throttle.hit("a", 1, 60, NOW + 60).allowed


def test_window_is_fixed_and_does_not_slide(throttle: Throttle) -> None:
    for second in (0, 58, 59):
        throttle.hit("a", 3, 60, NOW + second)

    assert throttle.hit("a", 3, 60, NOW + 60) == Verdict(True, 3, 2, 60, int(NOW) + 120)


def test_keys_have_windows_of_their_own(throttle: Throttle) -> None:
    assert throttle.hit("a", 1, 60, NOW).allowed
    assert throttle.hit("b", 1, 60, NOW).allowed
    assert not throttle.hit("a", 1, 60, NOW).allowed


@pytest.mark.parametrize("jump", [86_400, -86_400, -0.5], ids=["forwards", "backwards", "a little backwards"])
def test_moved_clock_opens_the_window_again(throttle: Throttle, jump: float) -> None:
    throttle.hit("a", 1, 60, NOW)

    assert throttle.hit("a", 1, 60, NOW + jump).allowed


def test_times_with_a_fraction_are_told_in_whole_seconds_rounded_up(throttle: Throttle) -> None:
    verdict = throttle.hit("a", 1, 60, NOW + 0.25)

    assert (verdict.retry_after_s, verdict.reset_at) == (60, int(NOW) + 61)


def test_limit_lowered_below_the_count_leaves_nothing_rather_than_less(throttle: Throttle) -> None:
    for _ in range(5):
        throttle.hit("a", 10, 60, NOW)

    assert throttle.hit("a", 2, 60, NOW) == Verdict(False, 2, 0, 60, int(NOW) + 60)


def test_refused_requests_are_not_held_against_a_limit_raised_later(throttle: Throttle) -> None:
    for _ in range(5):
        throttle.hit("a", 1, 60, NOW)

    assert throttle.hit("a", 3, 60, NOW) == Verdict(True, 3, 1, 60, int(NOW) + 60)


def test_windows_that_are_over_are_swept_and_the_others_stay(
    throttle: Throttle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_WINDOWS", 10)
    for number in range(9):
        throttle.hit(f"old {number}", 1, 60, NOW)
    throttle.hit("young", 1, 60, NOW + 30)
    throttle.hit("new", 1, 60, NOW + 60)

    assert list(throttle._windows) == ["young", "new"]
    assert not throttle.hit("young", 1, 60, NOW + 61).allowed


def test_threads_together_get_exactly_the_limit(throttle: Throttle) -> None:
    barrier = threading.Barrier(4)

    def hit(_: int) -> list[Verdict]:
        barrier.wait()
        return [throttle.hit("a", 100, 60, NOW) for _ in range(50)]

    with ThreadPoolExecutor(4) as pool:
        verdicts = [verdict for verdicts in pool.map(hit, range(4)) for verdict in verdicts]

    assert sum(v.allowed for v in verdicts) == 100
    assert sorted(v.remaining for v in verdicts if v.allowed) == list(range(100))
