"""freezegun in a user's test: the sandbox keeps serving, and its clock follows where it is asked to."""

from __future__ import annotations

import datetime as dt
import os
import time
from collections.abc import Callable
from unittest import mock

import pytest
import requests
from authlib.integrations.requests_client import OAuth2Session as AuthlibSession
from freezegun import freeze_time
from oauthlib.oauth2 import BackendApplicationClient, TokenExpiredError
from requests_oauthlib import OAuth2Session

from sandbox import faults
from sandbox.foundation.clock import Clock
from tests.journeys.faults.conftest import PATIENCE_S, Served

NOON = "2026-11-23T12:00:00Z"
Frozen = Callable[[], object]


def utc(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text.replace("Z", "+00:00"))


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_clock_ignores_a_frozen_time_unless_it_follows(clock: Clock) -> None:
    with freeze_time("2001-01-01"):
        assert clock.now().year > 2020
        assert not clock.following
        clock.follow()
        assert clock.now() == utc("2001-01-01T00:00:00Z")
        assert clock.following


@freeze_time(NOON)
def test_clock_follows_the_decorator(clock: Clock) -> None:
    assert clock.follow() == utc(NOON)


def test_clock_follows_tick_and_move_to(clock: Clock) -> None:
    clock.follow()
    with freeze_time(NOON) as frozen:
        frozen.tick(dt.timedelta(hours=1))
        assert clock.now() == utc("2026-11-23T13:00:00Z")
        frozen.move_to("2027-01-01T00:00:00Z")
        assert clock.now() == utc("2027-01-01T00:00:00Z")
        with freeze_time("2028-01-01"):
            assert clock.now() == utc("2028-01-01T00:00:00Z")
        assert clock.now() == utc("2027-01-01T00:00:00Z")

    assert abs(clock.timestamp() - clock.wall_timestamp()) < 60


@pytest.mark.parametrize("options", [{"tick": True}, {"auto_tick_seconds": 15}, {"tz_offset": -4}], ids=str)
def test_clock_follows_every_way_to_freeze_and_does_not_disturb_it(clock: Clock, options: dict[str, object]) -> None:
    clock.follow()
    with freeze_time(NOON, **options) as frozen:  # type: ignore[call-overload]
        # freezegun looks at every module; one that imports when it is looked at may take a tick.
        noon = frozen.time_to_freeze.replace(tzinfo=dt.timezone.utc)
        for _ in range(3):
            assert abs((clock.now() - noon).total_seconds()) < 5
        assert abs(time.time() - noon.timestamp()) < 5


def test_steps_of_the_clock_come_on_top_of_the_frozen_time(clock: Clock) -> None:
    clock.follow()
    with freeze_time(NOON) as frozen:
        clock.advance(hours=2)
        frozen.tick(60)

        assert clock.now() == utc("2026-11-23T14:01:00Z")


def test_reset_ends_the_following(clock: Clock) -> None:
    clock.follow()
    clock.reset()

    with freeze_time("2001-01-01"):
        assert clock.now().year > 2020


@pytest.mark.parametrize("follows", [True, False])
def test_travel_moves_both_sides(clock: Clock, follows: bool) -> None:
    with freeze_time(NOON):
        if follows:
            clock.follow()
        before = clock.now()

        clock.travel(hours=24)

        assert (clock.now() - before).total_seconds() == pytest.approx(86_400, abs=5)
        assert dt.datetime.now(dt.timezone.utc) == utc("2026-11-24T12:00:00Z")


def test_travel_without_a_frozen_time_moves_the_sandbox(clock: Clock) -> None:
    before = clock.now()

    after = clock.travel("24h")

    assert (after - before).total_seconds() == pytest.approx(86_400, abs=5)


def test_sandbox_serves_while_time_stands_still(served: Served) -> None:
    with freeze_time("2001-01-01"):
        responses = [
            requests.post(served.url, b"payload", headers=served.authorization, timeout=PATIENCE_S) for _ in range(3)
        ]
        served.faults.add(faults.latency(0.01))
        late = requests.post(served.url, b"payload", headers=served.authorization, timeout=PATIENCE_S)

    assert [response.status_code for response in (*responses, late)] == [200] * 4
    assert all(entry.duration_ms >= 0 for entry in served.sandbox.journal.snapshot())


def test_everything_with_a_time_follows(served: Served) -> None:
    served.patchworks.clock.follow()
    with freeze_time(NOON) as frozen:
        served.token = served.new_token()
        first = requests.post(served.url, b"payload", headers=served.authorization, timeout=PATIENCE_S)
        frozen.tick(dt.timedelta(hours=24))
        second = requests.post(served.url, b"payload", headers=served.authorization, timeout=PATIENCE_S)

    assert (first.status_code, second.status_code) == (200, 401)
    assert first.headers["Date"] == "Mon, 23 Nov 2026 12:00:00 GMT"
    assert served.last.reason.startswith("token_expired")
    assert served.last.received_at == utc("2026-11-24T12:00:00Z").timestamp()


def test_requests_oauthlib_finds_its_token_expired_when_the_sandbox_does(served: Served) -> None:
    patchworks = served.patchworks
    patchworks.clock.follow()
    client = BackendApplicationClient(client_id=patchworks.client_id)
    with (
        mock.patch.dict(os.environ, {"OAUTHLIB_INSECURE_TRANSPORT": "1"}),
        freeze_time(NOON),
        OAuth2Session(client=client) as session,
    ):
        session.fetch_token(patchworks.token_url, client_secret=patchworks.client_secret, timeout=PATIENCE_S)
        assert session.post(served.url, b"payload", timeout=PATIENCE_S).status_code == 200

        patchworks.travel(hours=24, seconds=1)

        with pytest.raises(TokenExpiredError):
            session.post(served.url, b"payload", timeout=PATIENCE_S)


def test_authlib_fetches_a_new_token_within_its_leeway(served: Served) -> None:
    patchworks = served.patchworks
    patchworks.clock.follow()
    with (
        freeze_time(NOON),
        AuthlibSession(
            patchworks.client_id,
            patchworks.client_secret,
            token_endpoint=patchworks.token_url,
            grant_type="client_credentials",
            token_endpoint_auth_method="client_secret_post",
            leeway=60,
        ) as session,
    ):
        session.fetch_token(timeout=PATIENCE_S)
        for hours, seconds in ((23, 0), (0, 59 * 60 + 30)):
            patchworks.travel(hours=hours, seconds=seconds)
            assert session.post(served.url, b"payload", timeout=PATIENCE_S).status_code == 200

    assert len([entry for entry in served.sandbox.journal.snapshot() if entry.kind == "token"]) == 2
