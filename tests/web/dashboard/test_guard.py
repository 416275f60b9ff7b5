"""The control API and its pages answer to no page of another site, and under no name that could be rebound."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import Integration
from tests.web.control.problem import detail

KEY = "correct-horse-battery-staple"
FOREIGN = {
    "another site": {"Origin": "https://evil.example"},
    "another port of this machine": {"Origin": "http://localhost:3000"},
    "a sandboxed frame": {"Origin": "null"},
    "nonsense": {"Origin": "http://[:::/"},
    "a form without origin": {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"},
    "a neighbour of the site": {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors"},
}
OWN = {
    "no browser": {},
    "its own page": {"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors"},
    "its own page behind TLS": {"Origin": "https://localhost"},
}


@pytest.mark.parametrize("headers", FOREIGN.values(), ids=FOREIGN)
def test_a_page_of_another_site_changes_nothing(integration: Integration, headers: dict[str, str]) -> None:
    answer = integration.http.post("/_sandbox/clock/advance", json={"seconds": 60}, headers=headers)

    assert "may not use the control API" in detail(answer, 403)
    assert not integration.sandbox.clock.moved


@pytest.mark.parametrize("headers", OWN.values(), ids=OWN)
def test_its_own_pages_and_clients_that_are_no_browsers_may(integration: Integration, headers: dict[str, str]) -> None:
    answer = integration.http.post("/_sandbox/clock/advance", json={"seconds": 60}, headers=headers)

    assert answer.status_code == 200


def test_the_public_url_is_an_origin_of_its_own_pages(make_integration: Callable[..., Integration]) -> None:
    integration = make_integration(public_url="https://sandbox.example")

    answer = integration.http.post("/_sandbox/reset", headers={"Origin": "https://sandbox.example"})

    assert answer.status_code == 200


def test_a_link_on_another_site_leads_to_the_dashboard(integration: Integration) -> None:
    headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}

    assert integration.http.get("/_sandbox/", headers=headers).status_code == 200


def test_a_script_of_another_site_opens_no_stream(integration: Integration) -> None:
    headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors"}

    assert integration.http.get("/_sandbox/requests", headers=headers).status_code == 403


@pytest.mark.parametrize("path", ["/_sandbox/requests", "/_sandbox/", "/_sandbox/openapi.yaml", "/_sandbox/state"])
def test_a_name_that_could_be_rebound_reads_nothing(integration: Integration, path: str) -> None:
    answer = integration.http.get(path, headers={"Host": "rebound.example:8025"})

    assert "allowed_hosts" in detail(answer, 403)


ALLOWED: list[tuple[str, dict[str, Any]]] = [
    ("localhost:8025", {}),
    ("sandbox.localhost", {}),
    ("127.0.0.1:8025", {}),
    ("127.1.2.3", {}),
    ("[::1]:8025", {}),
    ("LOCALHOST.", {}),
    ("sandbox.example", {"public_url": "https://sandbox.example:8443"}),
    ("dev.internal:8025", {"host": "dev.internal"}),
    ("patchworks:8025", {"allowed_hosts": "patchworks,other"}),
    ("my_sandbox:8025", {"allowed_hosts": "my_sandbox"}),
    ("my_sandbox", {"public_url": "http://my_sandbox:8025"}),
    ("My_Sandbox:80", {"allowed_hosts": "*"}),
    ("10.1.2.3:8025", {"host": "0.0.0.0"}),
    ("[fd00::1]:8025", {"host": "::"}),
    ("anything.example", {"allowed_hosts": "*"}),
]
REFUSED: list[tuple[str, dict[str, Any]]] = [
    ("localhost.evil.example", {}),
    ("evil-localhost", {}),
    ("10.1.2.3:8025", {}),
    ("patchworks:8025", {"host": "0.0.0.0"}),
    ("other.example", {"public_url": "https://sandbox.example"}),
    ("my_sandbox:8025", {"allowed_hosts": "other_sandbox"}),
    ("[::1", {}),
    ("", {}),
    ("a_name,localhost", {"allowed_hosts": "*"}),
    ("a_name@localhost", {"allowed_hosts": "*"}),
    ("a_name:99999999", {"allowed_hosts": "*"}),
]


@pytest.mark.parametrize(("host", "settings"), ALLOWED, ids=[host for host, _ in ALLOWED])
def test_a_host_that_is_its_own_is_served(
    make_integration: Callable[..., Integration], host: str, settings: dict[str, Any]
) -> None:
    integration = make_integration(**settings)

    assert integration.http.get("/_sandbox/clock", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(("host", "settings"), REFUSED, ids=[host for host, _ in REFUSED])
def test_any_other_host_is_not(
    make_integration: Callable[..., Integration], host: str, settings: dict[str, Any]
) -> None:
    integration = make_integration(**settings)

    assert integration.http.get("/_sandbox/clock", headers={"Host": host}).status_code == 403


@pytest.mark.parametrize("host", ["my_sandbox:8025", "bad name"])
def test_a_host_that_is_not_served_is_told_as_it_was_sent(integration: Integration, host: str) -> None:
    answer = integration.http.get("/_sandbox/clock", headers={"Host": host})

    assert f"not served to the host '{host}'" in detail(answer, 403)


@pytest.mark.parametrize("host", ["sandbox:8025", "patchworks.example.svc.cluster.local", "host.docker.internal:8025"])
@pytest.mark.parametrize(("path", "status"), [("health", 200), ("health/ready", 200), ("ca.pem", 404)])
def test_what_holds_no_secret_is_served_under_any_name(
    make_integration: Callable[..., Integration], host: str, path: str, status: int
) -> None:
    integration = make_integration(control_key=KEY)

    assert integration.http.get(f"/_sandbox/{path}", headers={"Host": host}).status_code == status


@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        (f"Bearer {KEY}", 200),
        (f"bearer {KEY}", 200),
        (f"Bearer {KEY}x", 403),
        ("Bearer ", 403),
        ("Basic " + base64.b64encode(f"me:{KEY}".encode()).decode(), 403),
        (f"Basic {KEY}", 403),
    ],
    ids=["the key", "in small letters", "another key", "none", "as a password, which browsers send", "no password"],
)
def test_program_that_brings_the_key_may_name_any_host(
    make_integration: Callable[..., Integration], authorization: str, status: int
) -> None:
    integration = make_integration(control_key=KEY)
    headers = {"Host": "sandbox:8025", "Authorization": authorization}

    assert integration.http.post("/_sandbox/reset", headers=headers).status_code == status


def test_bearer_token_opens_no_host_where_there_is_no_key(integration: Integration) -> None:
    headers = {"Host": "sandbox:8025", "Authorization": "Bearer None"}

    assert "may name any host" in detail(integration.http.post("/_sandbox/reset", headers=headers), 403)


def test_page_of_another_site_is_refused_whatever_it_brings(make_integration: Callable[..., Integration]) -> None:
    integration = make_integration(control_key=KEY)
    headers = {"Authorization": f"Bearer {KEY}", "Origin": "https://evil.example"}

    assert integration.http.post("/_sandbox/reset", headers=headers).status_code == 403


def test_a_name_with_an_underscore_is_in_the_urls_that_it_is_told(make_integration: Callable[..., Integration]) -> None:
    integration = make_integration(allowed_hosts="my_sandbox")

    services = integration.http.get("/_sandbox/services", headers={"Host": "my_sandbox:8025"}).get_json()

    assert services[0]["url"] == "http://my_sandbox:8025/v1/acme/orders"


def test_the_emulated_api_answers_to_any_host_and_origin(integration: Integration) -> None:
    headers = {"Host": "inbound.pwks.example", "Origin": "https://shop.example", "Sec-Fetch-Site": "cross-site"}

    answer = integration.http.post("/oauth/token", data=integration.credentials(), headers=headers)

    assert answer.status_code == 200
