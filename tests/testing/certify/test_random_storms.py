"""The search for faults that break a client, with planted defects."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
import requests
import yaml

from sandbox import Sandbox, SandboxServer
from sandbox.faults import KINDS
from sandbox.faults.rules import read_rule
from sandbox.foundation.rng import Rng
from sandbox.testing.certify.certify import Trial
from sandbox.testing.certify.client import Function
from sandbox.testing.certify.random_storms import REQUESTS, Found, Search, deck, search, shrunk
from sandbox.testing.certify.run import Run
from sandbox.testing.certify.storms import Storm, read_storm_file
from sandbox.testing.handle import Patchworks
from tests.testing.certify.conftest import MakeRun


@pytest.fixture(scope="module")
def served() -> Iterator[Patchworks]:
    with SandboxServer(Sandbox(settings={"random_seed": 1})) as server:
        yield server.patchworks


def searched(served: Patchworks, client: Callable[[Patchworks], object], seconds: float = 60.0) -> Search:
    return search(Trial(served.backend, Function(client), timeout_s=10.0), seed=3, seconds=seconds)


def client(
    *, on_401: int = 1, timeout: float = 3.0, on_reset: Callable[[], int] | None = None
) -> Callable[[Patchworks], int]:
    """Return a client that pushes two orders, waits for nothing, and is good but for what is asked for.

    It tries a token or an order five times, and a 401 ``on_401`` times.
    """

    def post_once(url: str, **request: object) -> requests.Response | int | None:
        try:
            answer = requests.post(url, timeout=timeout, **request)  # type: ignore[arg-type]
            return answer if answer.status_code < 500 and answer.status_code != 429 and answer.json() else None
        except requests.exceptions.ConnectionError as error:
            is_reset = on_reset is not None and "json" in request and "reset" in str(error)
            return on_reset() if is_reset else None  # type: ignore[misc]
        except (requests.RequestException, ValueError):
            return None

    def post(url: str, **request: object) -> requests.Response | int:
        return next((got for _ in range(5) if (got := post_once(url, **request)) is not None), 0)

    def push(sandbox: Patchworks, order: int) -> int:
        form = {"grant_type": "client_credentials", "client_id": sandbox.client_id}
        form["client_secret"] = sandbox.client_secret
        for _ in range(on_401 + 1):
            got = post(sandbox.token_url, data=form)
            if isinstance(got, int) or got.status_code != 200:
                return 1
            headers = {"Authorization": f"Bearer {got.json().get('access_token')}"}
            answer = post(sandbox.inbound("anything").url, json={"order": order}, headers=headers)
            if isinstance(answer, int):
                return 0 if answer == 200 else 1
            if answer.status_code != 401:
                return 0 if answer.status_code == 200 else 1
        return 1

    return lambda sandbox: 0 if all(push(sandbox, order) == 0 for order in (1, 2)) else 1


PLANTED = {
    "an order is lost on a reset": (client(on_reset=lambda: 200), "nothing_lost", ["connection_reset"]),
    "an order is sent twice on a slow body": (client(timeout=0.2), "no_duplicates", ["latency", "slow_body"]),
    "a 401 is tried for ever": (client(on_401=400), "gives_up", ["status", "expired_token"]),
}


def check_planted(served: Patchworks, defect: str) -> None:
    """Fail unless the search finds a planted defect and shrinks it to one fault."""
    planted, check, kinds = PLANTED[defect]

    found = searched(served, planted).found

    assert found is not None
    assert found.check == check, found.problem
    (rule,) = found.storm.rules
    assert rule.fault.kind in kinds
    assert rule.times in (None, 1)


def test_planted_defect_is_found_and_shrunk_to_one_fault(served: Patchworks) -> None:
    check_planted(served, "an order is sent twice on a slow body")


def test_same_seed_draws_the_same_storms_and_another_seed_others() -> None:
    assert deck(Rng(1)) == deck(Rng(1)) != deck(Rng(2))


def test_deck_holds_every_kind_that_acts_on_a_request() -> None:
    drawn = {rule.fault.kind for rules in deck(Rng(1)) for rule in rules}

    assert drawn == {name for name, kind in KINDS.items() if name != "sequence" and not kind.processes}


def test_search_ends_in_time_where_all_holds(served: Patchworks) -> None:
    end = searched(served, client(), seconds=0.5)

    assert end.found is None
    assert end.storms >= 1


def test_client_that_sends_nothing_is_not_searched(served: Patchworks) -> None:
    end = searched(served, lambda sandbox: None)

    assert (end.storms, end.found, list(end.calm.entries)) == (0, None, [])


def _storm(*rules: dict[str, object]) -> Storm:
    return Storm("found", "T", "S", ("nothing_lost",), [read_rule(rule) for rule in rules])


def test_shrinking_leaves_what_is_needed_and_makes_it_plain(made: MakeRun) -> None:
    reset = {"fault": {"kind": "connection_reset"}, "after": 2, "times": 3, "accept": True}
    found = Found(
        "c", "p", _storm({"fault": {"kind": "hang"}}, reset, {"fault": {"kind": "latency", "seconds": 1}}), made()
    )
    tried = count()

    def run(storm: Storm) -> Found | None:
        next(tried)
        needed = [rule for rule in storm.rules if rule.fault.kind == "connection_reset" and rule.after == 2]
        return Found("c", "p", storm, made()) if needed else None

    (rule,) = shrunk(found, run).storm.rules
    assert (rule.fault.kind, rule.after, rule.times, rule.accept) == ("connection_reset", 2, 1, False)
    assert next(tried) < 20


def test_shrinking_stays_with_the_same_failure_and_ends_in_time(made: MakeRun) -> None:
    storm = _storm({"fault": {"kind": "hang"}}, {"fault": {"kind": "connection_reset"}})
    found = Found("c", "p", storm, made())

    assert shrunk(found, lambda storm: Found("another", "p", storm, made())).storm is storm
    assert shrunk(found, lambda storm: Found("c", "p", storm, made()), seconds=0.0).storm is storm


def test_storm_that_was_found_is_read_back_from_its_file(tmp_path: Path) -> None:
    storm = _storm(
        {"fault": {"kind": "connection_reset"}, "match": {"endpoint": "inbound"}, "name": "x", "accept": True}
    )
    path = tmp_path / "found.yaml"
    path.write_text(yaml.safe_dump(storm.document()), encoding="utf-8")

    assert read_storm_file(path) == storm


def test_client_that_never_ends_is_stopped_in_the_calm_too(
    served: Patchworks, made: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits: list[int | None] = []

    def run(trial: Trial, storm: Storm, calm: Run | None = None, limit: int | None = None) -> Run:
        limits.append(limit)
        return made(("t", 0), (1, 1))

    monkeypatch.setattr(Trial, "run", run)

    searched(served, lambda sandbox: None, seconds=0)

    assert limits == [REQUESTS]
