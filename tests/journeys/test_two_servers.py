"""Two sandboxes in one process share nothing."""

from __future__ import annotations

from collections.abc import Callable

from tests.journeys.conftest import Served


def test_two_servers_in_one_process_share_nothing(serve: Callable[..., Served]) -> None:
    one, two = serve(), serve()
    token = one.token()

    assert one.port != two.port
    assert one.client_secret != two.client_secret
    assert two.post(token).status_code == 401  # though both sign with the same key
    assert one.post(token).status_code == 200
    assert two.http.post(
        two.endpoints.token_url, data={"grant_type": "client_credentials", **one.credentials}
    ).status_code == 401  # fmt: skip


def test_steering_one_leaves_the_other_alone(serve: Callable[..., Served]) -> None:
    one, two = serve(), serve()
    one_token, two_token = one.token(), two.token()

    one.control("POST", "/clock/advance", {"seconds": 86_400})
    one.control("PATCH", "/settings", {"success_status": 201})
    one.control("POST", "/companies", {"name": "Beta"})
    one.control("POST", "/tokens/revoke", {})
    before = len(two.sandbox.journal)
    one.control("DELETE", "/requests")

    assert one.post(one_token).status_code == 401
    assert two.post(two_token).status_code == 200
    assert [company["slug"] for company in two.control("GET", "/companies")] == ["acme"]
    assert two.control("GET", "/clock")["now"] < one.control("GET", "/clock")["now"]
    assert len(two.sandbox.journal) == before + 1
