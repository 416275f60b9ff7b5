"""``patchworks.faults``, ``patchworks.duplicates`` and ``patchworks.travel``: the Python way in."""

from __future__ import annotations

import pytest

from sandbox.faults import hang, sequence, status
from sandbox.foundation.errors import InvalidValueError, NotFoundError
from tests.journeys.faults.conftest import Served


def test_rule_is_added_looked_at_and_removed(served: Served) -> None:
    rule = served.faults.add(status(503), endpoint="inbound", vanity_url="anything", times=1)

    assert served.post()[0] == 503
    assert [(state.hits, state.used_up) for state in served.faults] == [(1, True)]
    assert served.faults.get(rule).hits == 1
    served.faults.remove(rule)
    assert served.faults.list() == []
    assert len(served.faults) == 0


def test_rule_can_be_given_as_plain_data(served: Served) -> None:
    served.faults.add({"kind": "status", "code": 418, "body": "tea"})

    assert served.post() == (418, b"tea")


def test_all_rules_are_cleared(served: Served) -> None:
    served.faults.add(sequence(status(503), "pass"))
    served.faults.add(hang())

    served.faults.clear()

    assert served.post()[0] == 200


def test_preset_is_narrowed_to_a_service(served: Served) -> None:
    states = served.faults.preset("two-503s-then-fine", vanity_url="orders")

    assert [state.rule.match.vanity_url for state in states] == ["orders"]
    assert served.post()[0] == 200


def test_unknown_names_are_told_with_the_known_ones(served: Served) -> None:
    with pytest.raises(NotFoundError, match="two-503s-then-fine"):
        served.faults.preset("two-503s")
    with pytest.raises(InvalidValueError, match="did you mean 'vanity_url'"):
        served.faults.add(hang(), vanity_ur="orders")
    with pytest.raises(InvalidValueError, match="did you mean 'vanity_url'"):
        served.faults.preset("slow-platform", vanity_ur="orders")
    with pytest.raises(NotFoundError, match="known: none"):
        served.faults.remove("fault-9")


def test_presets_are_listed_with_their_stories(served: Served) -> None:
    assert "third try succeeds" in served.faults.presets()["two-503s-then-fine"]


def test_payload_whose_answer_was_lost_is_among_the_payloads_and_the_duplicates(served: Served) -> None:
    served.faults.preset("accepted-but-the-answer-was-lost")

    with pytest.raises(ConnectionResetError):
        served.post()
    served.post()

    assert served.patchworks.inbound("anything").payloads == [{"order": "1001"}] * 2
    (duplicate,) = served.patchworks.duplicates(vanity_url="anything")
    assert (duplicate.alike, duplicate.key, len(duplicate.entries)) == ("bytes", None, 2)
    assert served.patchworks.duplicates(vanity_url="orders") == []


def test_travel_without_freezegun_lets_the_token_expire(served: Served) -> None:
    served.patchworks.travel(hours=24)

    assert served.post()[0] == 401
