"""Revoking tokens and rotating the key."""

from __future__ import annotations

from tests.conftest import Integration
from tests.web.control.problem import detail


def test_all_tokens_are_revoked(integration: Integration) -> None:
    tokens = [integration.token(), integration.token()]

    response = integration.control("POST", "/tokens/revoke")

    assert (response.status_code, response.get_json()) == (200, {"revoked": 2})
    assert [integration.post(token=token).status_code for token in tokens] == [401, 401]
    assert integration.post().status_code == 200


def test_tokens_of_one_client_are_revoked(integration: Integration) -> None:
    new = integration.control("POST", "/connectors/1/oauth-clients", {"name": "Other"}).get_json()
    token, other = integration.token(), integration.token(**{k: new[k] for k in ("client_id", "client_secret")})

    response = integration.control("POST", "/tokens/revoke", {"client_id": new["id"]})

    assert response.get_json() == {"revoked": 1}
    assert [integration.post(token=each).status_code for each in (token, other)] == [200, 401]


def test_tokens_of_an_unknown_client_are_not_found(integration: Integration) -> None:
    response = integration.control("POST", "/tokens/revoke", {"client_id": "nobody"})

    assert detail(response, 404) == f"there is no OAuth client 'nobody'; known: {integration.client_id}"


def test_tokens_signed_before_a_rotation_are_refused(integration: Integration) -> None:
    token = integration.token()

    response = integration.control("POST", "/keys/rotate")

    assert (response.status_code, response.data) == (204, b"")
    assert integration.post(token=token).status_code == 401
    assert integration.post().status_code == 200
