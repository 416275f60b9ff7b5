"""A day in the life of a token, by the sandbox clock."""

from __future__ import annotations

from tests.journeys.conftest import Served


def test_token_is_good_for_24_hours_and_not_a_second_longer(served: Served) -> None:
    served.control("PUT", "/clock", {"frozen": True})
    token = served.token()

    served.control("POST", "/clock/advance", {"seconds": 86_399})
    one_second_before = served.post(token)
    served.control("POST", "/clock/advance", {"seconds": 1})
    at_24_hours = served.post(token)

    assert one_second_before.status_code == 200
    assert (at_24_hours.status_code, at_24_hours.content) == (401, b'{"message":"Unauthenticated."}')
    reason = served.entry(status=401).reason or ""
    assert reason.startswith("token_expired: 0 s ago")
    assert served.post(served.token()).status_code == 200


def test_token_is_still_good_when_the_clock_returns(served: Served) -> None:
    token = served.token()
    served.control("POST", "/clock/advance", {"duration": "PT25H"})
    late = served.post(token).status_code

    served.control("DELETE", "/clock")

    assert (late, served.post(token).status_code) == (401, 200)
