"""Where the sandbox is, and its seed, over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sandbox import Sandbox, SandboxServer
from sandbox.state.seed import demo_seed, parse_seed
from sandbox.web.app import SandboxApp
from tests.conftest import Integration
from tests.contract import ContractClient
from tests.web.control.problem import detail

KEY = "correct-horse-battery-staple"
CLIENT_ID = "3f0e8d5c-6c5b-4d0e-9a53-0c6f5b0a7d11"
DEMO_ID = "9d3c6f0e-4b7a-4c59-8f21-5e0a1b2c3d4e"

MakeIntegration = Callable[..., Integration]


def seed(company: str = "Shop", vanity_url: str = "returns", client: dict[str, Any] | None = None) -> dict[str, Any]:
    connector = {
        "name": "Web shop",
        "entities": [{"type": "custom", "name": "anything"}],
        "oauth_clients": [{"name": "CI job", **(client or {})}],
        "services": [{"vanity_url": vanity_url, "entity": "anything"}],
    }
    return {"companies": [{"name": company, "connectors": [connector]}]}


def sent(integration: Integration, method: str, document: dict[str, Any]) -> dict[str, Any]:
    response = integration.control(method, "/seed", document)
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.get_json()
    return found


def token(integration: Integration, client: dict[str, Any]) -> str:
    return integration.token(client_id=client["client_id"], client_secret=client["client_secret"])


def works(integration: Integration, client: dict[str, Any], path: str) -> bool:
    return integration.post({"any": "thing"}, path=path, token=token(integration, client)).status_code == 200


# --- endpoints --------------------------------------------------------------------------------------------------------


def test_endpoints_are_what_the_ready_file_holds(integration: Integration) -> None:
    answer = integration.control("GET", "/endpoints")

    with SandboxServer(integration.sandbox) as server:
        ready = server.endpoints.ready_document()
    told = {name: str(value).replace("http://localhost", server.base_url) for name, value in answer.get_json().items()}
    assert told == {name: str(value) for name, value in ready.items()}
    assert answer.headers["Cache-Control"] == "no-store"


def test_endpoints_have_the_name_by_which_they_were_asked_for(make_integration: MakeIntegration) -> None:
    integration = make_integration(control_key=KEY)
    headers = {"Host": "sandbox:8025", "Authorization": f"Bearer {KEY}"}

    answer = integration.http.get("/_sandbox/endpoints", headers=headers).get_json()

    assert answer["token_url"] == "http://sandbox:8025/oauth/token"
    assert answer["inbound_urls"]["orders"] == "http://sandbox:8025/v1/acme/orders"
    assert answer["control_key"] == KEY


@pytest.mark.parametrize(
    ("host", "public_url", "expected"),
    [
        ("sandbox:8025", "", "https://sandbox:{port}"),
        ("[::1]:8025", "", "https://[::1]:{port}"),
        ("sandbox:8025", "https://public.example", "https://127.0.0.1:{port}"),
    ],
)
def test_address_over_tls_has_that_name_too(
    make_sandbox: Callable[..., Sandbox], host: str, public_url: str, expected: str
) -> None:
    with SandboxServer(make_sandbox(tls=True, control_key=KEY, public_url=public_url)) as server:
        headers = {"Host": host, "Authorization": f"Bearer {KEY}"}
        answer = ContractClient(server.app).get("/_sandbox/endpoints", headers=headers).get_json()
        port = str(server.tls_base_url).rpartition(":")[2]

    assert answer["tls_base_url"] == expected.format(port=port)


@pytest.mark.parametrize(
    ("address", "key", "shown"),
    [("127.0.0.1", None, True), ("10.1.2.3", None, False), ("", None, True), ("10.1.2.3", KEY, True)],
    ids=["this machine", "another machine", "no network", "another machine with the key"],
)
@pytest.mark.parametrize("method", ["GET", "PUT", "POST"])
def test_secrets_are_for_this_machine_and_for_the_holder_of_the_key(
    make_integration: MakeIntegration, method: str, address: str, key: str | None, shown: bool
) -> None:
    integration = make_integration(control_key=key)
    headers = {} if key is None else {"Authorization": f"Bearer {key}"}
    path, body = ("endpoints", {}) if method == "GET" else ("seed", {"json": seed()})

    answer = integration.http.open(
        f"/_sandbox/{path}", method=method, headers=headers, environ_base={"REMOTE_ADDR": address}, **body
    ).get_json()

    endpoints = answer if method == "GET" else answer["endpoints"]
    secrets = [endpoints["client_secret"], *(client["client_secret"] for client in answer.get("clients", ()))]
    assert [secret is not None for secret in secrets] == [shown] * len(secrets)


def test_endpoints_of_a_sandbox_without_clients_are_null(integration: Integration) -> None:
    answer = sent(integration, "PUT", {})

    assert answer["clients"] == []
    assert [answer["endpoints"][name] for name in ("company", "client_id", "client_secret")] == [None] * 3


# --- a client of one's own --------------------------------------------------------------------------------------------


def test_client_may_have_an_id_and_a_secret_of_ones_own(integration: Integration) -> None:
    given = {"client_id": CLIENT_ID.upper(), "client_secret": "a secret of the pipeline"}

    answer = integration.control("POST", "/connectors/1/oauth-clients", {"name": "CI job", **given}).get_json()

    assert (answer["client_id"], answer["client_secret"]) == (CLIENT_ID, given["client_secret"])
    assert works(integration, answer, "/v1/acme/anything")


@pytest.mark.parametrize(
    ("given", "status", "told"),
    [
        ({"client_id": "no-uuid"}, 422, "body.client_id: 'no-uuid' is not allowed; use a UUID in lower case"),
        ({"client_secret": "short"}, 422, "use 8 to 255 printable ASCII characters"),
        ({"client_id": DEMO_ID}, 409, f"OAuth client {DEMO_ID} exists already"),
        ({"client_id": None}, 422, "body.client_id"),
        ({"client_secret": 12345678}, 422, "body.client_secret"),
    ],
)
def test_credentials_that_cannot_be_are_refused(
    integration: Integration, given: dict[str, Any], status: int, told: str
) -> None:
    response = integration.control("POST", "/connectors/1/oauth-clients", {"name": "CI job", **given})

    assert told in detail(response, status)
    assert "short" not in response.text


# --- another seed -----------------------------------------------------------------------------------------------------


def test_seed_is_replaced(integration: Integration) -> None:
    integration.post()
    integration.control("POST", "/clock/advance", {"seconds": 60})
    given = {"client_id": CLIENT_ID, "client_secret": "a-secret-of-the-seed"}

    answer = sent(integration, "PUT", {**seed(client=given), "settings": {"success_status": 201}})

    (client,) = answer["clients"]
    assert client == {"connector_id": 1, "name": "CI job", "token_endpoint": "http://localhost/oauth/token", **given}
    assert answer["endpoints"]["inbound_urls"] == {"returns": "http://localhost/v1/shop/returns"}
    assert {name: answer["endpoints"][name] for name in given} == given
    assert integration.control("GET", "/companies").get_json()[0]["name"] == "Shop"
    assert integration.control("GET", "/requests").get_json()["entries"] == []
    response = integration.post({"any": "thing"}, path="/v1/shop/returns", token=token(integration, client))
    assert response.status_code == 201
    assert integration.request_token().status_code == 401


@pytest.mark.parametrize("method", ["PUT", "POST"])
def test_reset_returns_to_the_seed_that_was_sent(integration: Integration, method: str) -> None:
    document = {**seed(), "settings": {"success_status": 201}, "faults": [{"fault": {"kind": "status", "code": 503}}]}
    (client,) = sent(integration, method, document)["clients"]
    integration.control("DELETE", "/faults")
    integration.control("PATCH", "/settings", {"success_status": 200})

    integration.control("POST", "/reset")

    assert integration.control("GET", "/settings").get_json()["success_status"] == 201
    assert [state["rule"]["fault"]["code"] for state in integration.control("GET", "/faults").get_json()["faults"]] == [
        503
    ]
    integration.control("DELETE", "/faults")
    response = integration.post({"any": "thing"}, path="/v1/shop/returns", token=token(integration, client))
    assert response.status_code == 201


def test_seeded_sandbox_repeats_itself_after_each_replacement(make_integration: MakeIntegration) -> None:
    integration = make_integration(random_seed=7)

    ids = [sent(integration, "PUT", seed())["clients"][0]["client_id"] for _ in range(2)]

    assert ids[0] == ids[1]


# --- a seed on top ----------------------------------------------------------------------------------------------------


def test_seed_is_put_on_top_of_what_there_is(integration: Integration) -> None:
    integration.post()

    answer = sent(integration, "POST", seed())

    assert answer["endpoints"]["company"] == "acme"
    assert len(integration.control("GET", "/requests").get_json()["entries"]) == 2
    assert works(integration, answer["clients"][0], "/v1/shop/returns")
    assert integration.post().status_code == 200


def test_seed_that_is_sent_again_changes_nothing(integration: Integration) -> None:
    first, second = (sent(integration, "POST", seed()) for _ in range(2))

    assert first == second
    assert len(integration.control("GET", "/companies").get_json()) == 2
    assert len(integration.control("GET", "/services").get_json()) == 4


def test_addition_changes_what_exists_under_the_same_names(integration: Integration) -> None:
    connector = {
        "name": "Acme web shop",
        "environment": "live",
        "entities": [{"type": "orders", "name": "orders", "sample": {"id": 1}}],
        "oauth_clients": [{"name": "Demo integration", "client_secret": "a-secret-of-the-seed"}],
        "services": [
            {"vanity_url": "Orders", "entity": "orders"},
            {"vanity_url": "products", "entity": "orders", "active": False},
        ],
    }
    old = {service["vanity_url"]: service for service in integration.control("GET", "/services").get_json()}

    answer = sent(integration, "POST", {"companies": [{"name": "Acme Ltd", "connectors": [connector]}]})

    assert answer["clients"][0]["client_id"] == DEMO_ID
    integration.client_secret = "a-secret-of-the-seed"
    for _ in range(2):
        services = {service["vanity_url"]: service for service in integration.control("GET", "/services").get_json()}
        assert services["orders"] == old["orders"]
        assert services["products"] == {**old["products"], "entity": "orders", "active": False}
        assert integration.control("GET", "/connectors/1").get_json()["environment"] == "live"
        assert integration.post({"id": 2}, path="/v1/acme/orders").status_code == 200
        integration.control("POST", "/reset")


def test_client_with_another_id_takes_the_place_of_the_one_with_its_name(integration: Integration) -> None:
    bearer = integration.token()
    client = {"name": "Demo integration", "client_id": CLIENT_ID, "client_secret": "a-secret-of-the-seed"}
    connector = {"name": "Acme web shop", "oauth_clients": [client]}

    answer = sent(integration, "POST", {"companies": [{"name": "Acme Ltd", "connectors": [connector]}]})

    assert answer["endpoints"]["client_id"] == CLIENT_ID
    assert integration.post(token=bearer).status_code == 401
    (listed,) = integration.control("GET", "/connectors/1/oauth-clients").get_json()
    assert listed["client_id"] == CLIENT_ID


def test_addition_adds_to_what_was_made_since_the_start(integration: Integration) -> None:
    made = integration.control("POST", "/companies", {"name": "Shop"}).get_json()

    sent(integration, "POST", seed())

    assert [company["slug"] for company in integration.control("GET", "/companies").get_json()] == [
        "acme",
        made["slug"],
    ]


def test_settings_of_the_start_are_stronger_than_those_of_a_seed(make_integration: MakeIntegration) -> None:
    integration = make_integration(success_status=200)

    for method in ("POST", "PUT"):
        sent(integration, method, {"settings": {"success_status": 201, "token_lifetime": 5}})
        settings = integration.control("GET", "/settings").get_json()
        assert (settings["success_status"], settings["token_lifetime"]) == (200, 5)


def test_whole_demo_may_be_sent_as_data(integration: Integration) -> None:
    sent(integration, "PUT", demo_seed().data())

    assert list(sent(integration, "POST", {})["endpoints"]["inbound_urls"]) == ["orders", "products", "anything"]
    assert parse_seed(demo_seed().data()) == demo_seed()


def one_connector(**parts: Any) -> dict[str, Any]:
    return {"companies": [{"name": "A1", "connectors": [{"name": "C", **parts}]}]}


BAD: dict[str, tuple[Any, int, str]] = {
    "a list": ([], 422, "use a JSON object"),
    "unknown key": ({"companys": []}, 422, "body: companys: is unknown; did you mean 'companies'?"),
    "sample in a file": (
        one_connector(entities=[{"type": "t", "name": "n", "sample_file": "x"}]),
        422,
        "sample_file: works in a seed file only",
    ),
    "unknown entity": (
        one_connector(services=[{"vanity_url": "abc", "entity": "n"}]),
        422,
        "'C' has no entity 'n'",
    ),
    "unknown setting": ({"settings": {"successstatus": 1}}, 422, "settings.successstatus: there is no such"),
    "bad setting": ({"settings": {"success_status": 7}}, 422, "body.settings.success_status: 7 is not allowed"),
    "setting of the start": (
        {"settings": {"port": 9}},
        422,
        "body.settings.port: 9 is not allowed; use it at the start only",
    ),
    "secret setting": ({"settings": {"control_key": "k" * 20}}, 422, "(it is not shown) is not allowed"),
    "bad fault": ({"faults": [{"fault": {"kind": "x"}}]}, 422, "faults[0]"),
    "preset with a null match": ({"faults": [{"preset": "two-503s-then-fine", "match": None}]}, 422, "faults[0].match"),
    "preset with a false match": ({"faults": [{"preset": "two-503s-then-fine", "match": []}]}, 422, "faults[0].match"),
    "unknown preset": ({"faults": [{"preset": "x"}]}, 422, "faults[0]"),
}


@pytest.mark.parametrize(("document", "status", "told"), BAD.values(), ids=BAD)
@pytest.mark.parametrize("method", ["PUT", "POST"])
def test_bad_seed_is_refused_with_its_place_and_changes_nothing(
    integration: Integration, method: str, document: Any, status: int, told: str
) -> None:
    integration.post()
    before = integration.control("GET", "/state").get_json()

    response = integration.control(method, "/seed", document)

    assert told in detail(response, status)
    assert "kkkk" not in response.text
    after = integration.control("GET", "/state").get_json()
    assert {**before, "clock": None} == {**after, "clock": None}
    integration.control("POST", "/reset")
    assert integration.control("GET", "/companies").get_json()[0]["slug"] == "acme"


def test_conflict_with_what_was_made_since_the_start_changes_nothing(integration: Integration) -> None:
    made = {"name": "Made by hand", "client_id": CLIENT_ID}
    integration.control("POST", "/connectors/1/oauth-clients", made)
    before = integration.control("GET", "/state").get_json()["platform"]["store"]

    response = integration.control("POST", "/seed", seed(client={"client_id": CLIENT_ID}))

    assert "exists already" in detail(response, 409)
    assert integration.control("GET", "/state").get_json()["platform"]["store"] == before
    integration.control("POST", "/reset")
    assert len(integration.control("GET", "/companies").get_json()) == 1


@pytest.mark.parametrize("method", ["PUT", "POST"])
def test_request_without_a_seed_is_refused_and_changes_nothing(integration: Integration, method: str) -> None:
    before = integration.control("GET", "/state").get_json()["platform"]["store"]

    response = integration.http.open("/_sandbox/seed", method=method)

    assert "missing; send a seed" in detail(response, 422)
    assert integration.control("GET", "/state").get_json()["platform"]["store"] == before


def test_seed_is_refused_under_the_same_rules_as_any_body(integration: Integration) -> None:
    assert integration.http.put("/_sandbox/seed", data="companies: []").status_code == 415
    assert integration.http.put("/_sandbox/seed?x=1", json={}).status_code == 422


def test_two_sandboxes_do_not_share_a_seed(make_sandbox: Callable[..., Sandbox]) -> None:
    one, other = (ContractClient(SandboxApp(make_sandbox())) for _ in range(2))

    one.put("/_sandbox/seed", json=seed())

    assert other.get("/_sandbox/endpoints").get_json()["company"] == "acme"
