"""The clock by hand, and tokens that expire while one watches."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.web.dashboard.conftest import Dashboard


def test_a_day_later_a_token_is_seen_to_expire(dashboard: Dashboard) -> None:
    token = dashboard.token()
    page = dashboard.open("/dashboard/clock")
    tokens = page.get_by_role("region", name="Access tokens")
    expect(tokens.get_by_text(re.compile("23 h 59 min left"))).to_be_visible()

    page.get_by_role("button", name="+24 h").click()

    expect(tokens.get_by_text(re.compile(r"expired \d+ s ago"))).to_be_visible()
    assert dashboard.post(token=token) == 401


def test_an_hour_later_a_token_has_an_hour_less(dashboard: Dashboard) -> None:
    dashboard.sandbox.clock.freeze()
    dashboard.token()
    page = dashboard.open("/dashboard/clock")

    page.get_by_role("button", name="+1 h").click()

    expect(page.get_by_text("23 h left")).to_be_visible()
    expect(page.get_by_role("button", name="+1 h")).to_be_focused()


def test_a_frozen_clock_stands_still_in_every_corner_and_runs_on(dashboard: Dashboard) -> None:
    page = dashboard.open("/dashboard/clock")

    page.get_by_role("button", name="Freeze").click()

    expect(page.get_by_text("Frozen: time stands still")).to_be_visible()
    expect(page.get_by_role("banner")).to_contain_text("frozen")
    assert dashboard.sandbox.clock.frozen
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_role("banner")).to_contain_text("moved")
    assert not dashboard.sandbox.clock.frozen


def test_the_clock_travels_to_an_instant_in_utc(dashboard: Dashboard) -> None:
    dashboard.sandbox.clock.freeze()
    page = dashboard.open("/dashboard/clock")

    page.get_by_label("Travel to (UTC)").fill("2027-11-26T09:00")
    page.get_by_role("button", name="Travel").click()

    expect(page.get_by_role("banner").get_by_text("2027-11-26 09:00:00")).to_be_visible()


def test_the_clock_moves_by_a_duration_backwards_too(dashboard: Dashboard) -> None:
    dashboard.sandbox.clock.change(now="2027-01-02T00:00:00Z", frozen=True)
    page = dashboard.open("/dashboard/clock")

    page.get_by_label("Move by").fill("-2h")
    page.keyboard.press("Enter")

    expect(page.get_by_role("banner").get_by_text("2027-01-01 22:00:00")).to_be_visible()


def test_a_duration_that_makes_no_sense_is_refused_beside_its_field(dashboard: Dashboard) -> None:
    dashboard.tolerate("422")
    page = dashboard.open("/dashboard/clock")

    page.get_by_label("Move by").fill("a fortnight")
    page.keyboard.press("Enter")

    expect(page.get_by_role("alert")).to_contain_text("a fortnight")


def test_at_another_rate_the_clocks_of_the_page_run_at_it(dashboard: Dashboard) -> None:
    dashboard.sandbox.clock.travel_to("2027-01-01T00:00:00Z")
    page = dashboard.open("/dashboard/clock")

    page.get_by_label("Seconds a real second").fill("86400")
    page.get_by_role("button", name="Set rate").click()

    expect(page.get_by_role("banner")).to_contain_text("\N{MULTIPLICATION SIGN}86400")
    expect(page.get_by_role("banner")).to_contain_text(re.compile("2027-01-0[3-9]"))


def test_back_to_real_time(dashboard: Dashboard) -> None:
    dashboard.sandbox.clock.advance(days=400)
    page = dashboard.open("/dashboard/clock")

    page.get_by_role("button", name="Back to real time").click()

    expect(page.get_by_role("banner")).to_contain_text("real time")
    expect(page.get_by_role("button", name="Back to real time")).to_be_disabled()
    assert not dashboard.sandbox.clock.moved


def test_a_clock_moved_by_somebody_else_is_noticed(dashboard: Dashboard) -> None:
    page = dashboard.open("/dashboard/services")

    dashboard.sandbox.clock.change(now="2031-05-05T05:05:05Z", frozen=True)

    expect(page.get_by_role("banner").get_by_text("2031-05-05 05:05:05")).to_be_visible()
