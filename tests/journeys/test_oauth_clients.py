"""OAuth2 client libraries, unmodified, as integrations use them."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
import requests
from authlib.integrations.requests_client import OAuth2Session as AuthlibSession
from oauthlib.oauth2 import BackendApplicationClient, InvalidClientError
from requests.auth import HTTPBasicAuth
from requests_oauthlib import OAuth2Session

from tests.journeys.conftest import Served

BODY = b'{"order": "1001",\r\n  "note": "caf\xc3\xa9",  "total": 10.00}\n'


@pytest.fixture(autouse=True)
def _plain_http(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    monkeypatch.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")


def assert_arrived(served: Served, response: requests.Response | httpx.Response, method: str = "POST") -> None:
    """Fail unless a token request and the payload were accepted, and the payload is kept byte for byte."""
    arrived = (response.status_code, response.json())
    assert arrived == (200, {"message": "Payload stored successfully."}), served.entry(kind="inbound").reason
    assert [entry.method for entry in served.entries(kind="token", outcome="accepted")] == [method]
    assert served.entry(kind="inbound").body == BODY
    assert served.http.get(f"{served.endpoints.control_url}/requests/2/body").content == BODY


@pytest.mark.parametrize(
    ("options", "method"),
    [
        ({"include_client_id": True}, "POST"),
        ({}, "POST"),
        ({"include_client_id": True, "method": "GET"}, "GET"),
    ],
    ids=["form", "HTTP Basic", "query"],
)
def test_requests_oauthlib_gets_a_token_and_posts(served: Served, options: dict[str, Any], method: str) -> None:
    if not options:
        options = {"auth": HTTPBasicAuth(served.client_id, served.client_secret)}
    else:
        options = {**options, "client_secret": served.client_secret}
    with OAuth2Session(client=BackendApplicationClient(served.client_id)) as session:
        token = session.fetch_token(served.endpoints.token_url, **options)
        response = session.post(served.inbound_url, data=BODY, headers={"Content-Type": "application/json"})

    assert (token["token_type"], token["expires_in"]) == ("Bearer", 86400)
    assert_arrived(served, response, method)


def test_requests_oauthlib_raises_its_error_for_a_wrong_secret(served: Served) -> None:
    with (
        OAuth2Session(client=BackendApplicationClient(served.client_id)) as session,
        pytest.raises(InvalidClientError) as caught,
    ):
        session.fetch_token(served.endpoints.token_url, client_secret="wrong", include_client_id=True)

    assert caught.value.description == "Client authentication failed"


@pytest.mark.parametrize(
    ("authentication", "options", "method"),
    [
        ("client_secret_post", {}, "POST"),
        ("client_secret_basic", {}, "POST"),
        ("client_secret_basic", {"method": "GET"}, "GET"),
    ],
    ids=["form", "HTTP Basic", "GET with HTTP Basic"],
)
def test_authlib_gets_a_token_and_posts(
    served: Served, authentication: str, options: dict[str, str], method: str
) -> None:
    session = AuthlibSession(served.client_id, served.client_secret, token_endpoint_auth_method=authentication)
    with session:
        token = session.fetch_token(served.endpoints.token_url, grant_type="client_credentials", **options)
        response = session.post(served.inbound_url, headers={"Content-Type": "application/json"}, data=BODY)

    assert (token["token_type"], token["expires_in"]) == ("Bearer", 86400)
    assert_arrived(served, response, method)


@pytest.mark.parametrize("how", ["query", "form", "json", "multipart", "basic"])
def test_requests_gets_a_token_without_any_library(served: Served, how: str) -> None:
    url, grant = served.endpoints.token_url, {"grant_type": "client_credentials"}
    parameters = {**grant, **served.credentials}
    with requests.Session() as session:
        match how:
            case "query":
                answer = session.get(url, params=parameters)
            case "form":
                answer = session.post(url, data=parameters)
            case "json":
                answer = session.post(url, json=parameters)
            case "multipart":
                answer = session.post(url, files={name: (None, value) for name, value in parameters.items()})
            case _:
                answer = session.post(url, data=grant, auth=(served.client_id, served.client_secret))
        bearer = f"Bearer {answer.json()['access_token']}"
        response = session.post(
            served.inbound_url, data=BODY, headers={"Authorization": bearer, "Content-Type": "application/json"}
        )

    assert_arrived(served, response, "GET" if how == "query" else "POST")


def test_httpx_streams_a_body_of_unknown_length(served: Served) -> None:
    token = served.token()
    parts = [BODY[:10], BODY[10:]]

    response = served.http.post(
        served.inbound_url,
        content=iter(parts),
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )

    assert response.request.headers["Transfer-Encoding"] == "chunked"
    assert_arrived(served, response)
