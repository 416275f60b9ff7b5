"""OAuth clients: created once, listed without their secret, deleted by name."""

from __future__ import annotations

import itertools
import json
import logging

import pytest
from werkzeug.test import Client

from sandbox import Sandbox, SandboxServer, parse_seed
from sandbox.cli.banner import banner
from sandbox.foundation.settings import setting_specs
from sandbox.platform.keys import SigningKey
from sandbox.web.addresses import Endpoints
from sandbox.web.app import SandboxApp
from tests.conftest import Integration
from tests.web.control.problem import detail

URL = "/connectors/1/oauth-clients"
UUID = "9d3c6f0e-4b7a-4c59-8f21-5e0a1b2c3d4e"


def test_vendors_page_on_credentials_is_walked_step_by_step(integration: Integration) -> None:
    connector = integration.control("POST", "/connectors", {"company": "acme", "name": "Web shop"}).get_json()
    clients = f"/connectors/{connector['id']}/oauth-clients"
    integration.control("POST", f"/connectors/{connector['id']}/entities", {"type": "orders", "name": "orders"})
    service = {"company": "acme", "connector_id": connector["id"], "entity": "orders", "vanity_url": "web-orders"}
    inbound = integration.control("POST", "/services", service).get_json()["url"].removeprefix("http://localhost")

    # the authentication tab shows the token endpoint; an OAuth2 client is created with a name
    token_path = connector["token_endpoint"].removeprefix("http://localhost")
    created = integration.control("POST", clients, {"name": "Order export"})

    # the credentials are displayed, this once
    shown = created.get_json()
    assert created.status_code == 201
    assert created.headers["Cache-Control"] == "no-store"
    assert list(shown) == ["id", "name", "client_id", "client_secret", "token_endpoint", "created_at"]
    assert (shown["name"], shown["token_endpoint"]) == ("Order export", connector["token_endpoint"])
    assert len(shown["client_secret"]) == 40

    # after closing, the set is listed, without its secret
    listed = integration.control("GET", clients).get_json()
    assert listed == [
        {
            "id": shown["id"],
            "client_id": shown["client_id"],
            "connector_id": connector["id"],
            "name": "Order export",
            "revoked": False,
            "secret_last_four": shown["client_secret"][-4:],
            "created_at": shown["created_at"],
            "updated_at": shown["created_at"],
        }
    ]

    # it is used to get a token, and with that a payload is accepted
    credentials = {name: shown[name] for name in ("client_id", "client_secret")}
    token = integration.http.post(token_path, data={"grant_type": "client_credentials", **credentials})
    answer = integration.post({"order": "1001"}, inbound, token.get_json()["access_token"])
    assert (answer.status_code, answer.get_json()) == (200, {"message": "Payload stored successfully."})


def test_secret_is_never_told_again(integration: Integration, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    shown = integration.control("POST", URL, {"name": "Order export"}).get_json()
    secret = shown["client_secret"]
    credentials = {"client_id": shown["client_id"], "client_secret": secret}
    good = {"grant_type": "client_credentials", **credentials}
    token = integration.token(**credentials)
    integration.http.get("/oauth/token", query_string=good)
    integration.http.post("/oauth/token", json=good)
    integration.http.post("/oauth/token", data=json.dumps(good)[:-1], content_type="application/json")
    integration.http.post("/oauth/token", data={"grant_type": "client_credentials"}, auth=(shown["id"], secret))
    integration.http.post("/oauth/token", data={**good, "scope": "bogus"})
    integration.http.post("/oauth/token", data=good, content_type="multipart/form-data")
    integration.http.get("/nowhere", query_string=credentials)
    integration.post({"order": "1001"}, token=token)

    told = [repr(vars(record)) for record in caplog.records] + [repr(list(integration.sandbox.journal.snapshot()))]
    control = Client(SandboxApp(integration.sandbox))
    told += [control.get(path).text for path in _readable_paths(integration)]
    assert len(told) > 20
    assert not [text for text in told if secret in text or token in text]


def _readable_paths(integration: Integration) -> list[str]:
    """Return every address of the control API that answers at once to a GET, with the ids there are filled in."""
    entries = [entry.id for entry in integration.sandbox.journal.snapshot()]
    ids = {"connector_id": [1], "entity_id": [1], "service_id": [1], "entry_id": entries}
    paths: list[str] = []
    for rule in SandboxApp(integration.sandbox).control.url_map.iter_rules():
        if "GET" not in (rule.methods or ()) or rule.arguments - ids.keys() or rule.rule.endswith(("/wait", "/stream")):
            continue
        for values in itertools.product(*(ids[name] for name in rule.arguments)):
            built = rule.build(dict(zip(rule.arguments, values, strict=True)))
            assert built is not None
            paths.append(built[1])
    return paths


def test_each_creation_makes_other_credentials(integration: Integration) -> None:
    first = integration.control("POST", URL, {"name": "Order export"}).get_json()
    second = integration.control("POST", URL, {"name": "Order export"}).get_json()

    assert first["client_id"] != second["client_id"]
    assert first["client_secret"] != second["client_secret"]


def test_deleting_a_client_kills_its_tokens_and_no_others(integration: Integration) -> None:
    other = integration.control("POST", URL, {"name": "Other"}).get_json()
    other_token = integration.token(client_id=other["client_id"], client_secret=other["client_secret"])
    token = integration.token()

    response = integration.control("DELETE", f"{URL}/{UUID}", {"confirmation": "Demo integration"})

    assert (response.status_code, response.data) == (204, b"")
    assert integration.post(token=token).get_json() == {"message": "Unauthenticated."}
    assert integration.post(token=other_token).status_code == 200
    assert [client["id"] for client in integration.control("GET", URL).get_json()] == [other["id"]]


def test_deleting_a_client_needs_its_name(integration: Integration) -> None:
    response = integration.control("DELETE", f"{URL}/{UUID}", {"confirmation": "demo integration"})

    assert detail(response, 422) == (
        "body.confirmation: 'demo integration' is not allowed; use the client's name, 'Demo integration'"
    )
    assert integration.request_token().status_code == 200


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("ab", "'ab' is not allowed; use text of 3 to 255 characters"),
        ("x" * 256, "use text of 3 to 255 characters"),
        (7, "body.name: 7 is not allowed; use text"),
    ],
    ids=["too short", "too long", "number"],
)
def test_bad_client_name_is_refused(integration: Integration, name: object, told: str) -> None:
    assert told in detail(integration.control("POST", URL, {"name": name}), 422)


def test_unknown_field_is_refused_and_its_value_not_repeated(integration: Integration) -> None:
    response = integration.control("POST", URL, {"name": "Order export", "secret": "my own secret"})

    assert detail(response, 422) == (
        "body.secret: unknown; did you mean 'client_secret'? known: client_id, client_secret, name"
    )
    assert "my own" not in response.text


@pytest.mark.parametrize(
    ("method", "url", "body"),
    [
        ("GET", "/connectors/9/oauth-clients", None),
        ("POST", "/connectors/9/oauth-clients", {"name": "Order export"}),
        ("DELETE", f"/connectors/9/oauth-clients/{UUID}", {"confirmation": "Demo integration"}),
        ("DELETE", f"{URL}/nope", {"confirmation": "Demo integration"}),
    ],
    ids=["list", "create", "delete", "unknown client"],
)
def test_unknown_connector_or_client_is_not_found(
    integration: Integration, method: str, url: str, body: object
) -> None:
    assert "there is no " in detail(integration.control(method, url, body), 404)


def test_seed_secret_is_told_by_the_banner_only(sandbox: Sandbox) -> None:
    secret = next(iter(sandbox.credentials.values())).secret
    with SandboxServer(sandbox) as server:
        told = banner(server.endpoints, demo=True)

    assert secret in told
    assert "  scope           access-inbound\n" in told
    assert secret not in repr(sandbox.credentials)
    assert all(spec.secret for spec in setting_specs() if "secret" in spec.name)


@pytest.mark.parametrize(
    ("settings", "hints"),
    [
        ({"host": "0.0.0.0"}, True),
        ({"host": "::"}, True),
        ({"host": "0.0.0.0", "public_url": "http://sandbox:9000"}, False),
        ({}, False),
    ],
)
def test_banner_of_a_container_says_how_to_reach_it(
    settings: dict[str, str], hints: bool, signing_key: SigningKey
) -> None:
    sandbox = Sandbox(settings=settings, signing_key=signing_key)
    address = settings.get("public_url", "http://127.0.0.1:8025")

    told = banner(Endpoints(sandbox, address), demo=True)

    assert ("docker run -p 127.0.0.1:8025:8025\n" in told) is hints
    assert ("PATCHWORKS_SANDBOX_PUBLIC_URL" in told) is hints


def test_secret_that_the_seed_gives_is_not_told_at_all(signing_key: SigningKey) -> None:
    client = {"name": "Integration", "client_secret": "given-" * 7}
    service = {"vanity_url": "orders", "entity": "orders"}
    connector = {"name": "Shop", "oauth_clients": [client], "services": [service]}
    connector["entities"] = [{"type": "orders", "name": "orders"}]
    sandbox = Sandbox(parse_seed({"companies": [{"name": "Acme", "connectors": [connector]}]}), signing_key=signing_key)
    with SandboxServer(sandbox) as server:
        told = banner(server.endpoints, demo=False)

    assert "client secret   the one of your seed" in told
    assert '--data-urlencode "client_secret=$CLIENT_SECRET"' in told
    assert "given-" not in told
