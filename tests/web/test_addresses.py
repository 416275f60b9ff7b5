"""Where everything of a running sandbox is."""

from __future__ import annotations

import pytest

from sandbox import Sandbox, SandboxServer, parse_seed
from sandbox.foundation.errors import NotFoundError
from sandbox.platform.keys import SigningKey
from sandbox.web.addresses import Endpoints

BASE = "http://127.0.0.1:8025"


def test_urls_follow_from_the_base_url(sandbox: Sandbox) -> None:
    endpoints = Endpoints(sandbox, BASE)

    assert endpoints.control_url == f"{BASE}/_sandbox"
    assert endpoints.token_url == f"{BASE}/oauth/token"
    assert endpoints.inbound_url("orders") == f"{BASE}/v1/acme/orders"
    assert list(endpoints.inbound_urls()) == ["orders", "products", "anything"]


def test_token_path_may_be_another(signing_key: SigningKey) -> None:
    sandbox = Sandbox(settings={"token_path": "/auth/v2/token"}, signing_key=signing_key)

    assert Endpoints(sandbox, BASE).token_url == f"{BASE}/auth/v2/token"


def test_service_of_another_company_is_found_by_its_slug(sandbox: Sandbox) -> None:
    sandbox.store.add_company("Beta", "beta")
    connector = sandbox.store.add_connector("beta", "Shop")
    sandbox.store.add_entity(connector.id, "orders", "orders")
    sandbox.store.add_service("beta", connector.id, "orders", "returns")

    endpoints = Endpoints(sandbox, BASE)
    assert endpoints.inbound_url("returns", "beta") == f"{BASE}/v1/beta/returns"
    assert "returns" not in endpoints.inbound_urls()


def test_unknown_service_is_refused_naming_those_there_are(sandbox: Sandbox) -> None:
    with pytest.raises(NotFoundError) as caught:
        Endpoints(sandbox, BASE).inbound_url("oders")

    assert str(caught.value) == (
        "there is no service 'acme/oders'; did you mean 'acme/orders'? known: acme/orders, acme/products, acme/anything"
    )


def test_sandbox_that_holds_nothing_has_no_urls_and_no_credentials(signing_key: SigningKey) -> None:
    ready = Endpoints(Sandbox(parse_seed({}), signing_key=signing_key), BASE).ready_document()

    assert [ready[name] for name in ("inbound_urls", "company", "client_id", "client_secret")] == [{}, None, None, None]


@pytest.mark.parametrize(
    ("host", "base_url"),
    [
        ("127.0.0.1", "http://127.0.0.1:9000"),
        ("localhost", "http://localhost:9000"),
        ("0.0.0.0", "http://127.0.0.1:9000"),
        ("::1", "http://[::1]:9000"),
        ("::", "http://[::1]:9000"),
    ],
)
def test_base_url_is_one_that_can_be_reached(sandbox: Sandbox, host: str, base_url: str) -> None:
    assert SandboxServer(sandbox, host, 9000).base_url == base_url


def test_public_url_is_told_instead(signing_key: SigningKey) -> None:
    sandbox = Sandbox(settings={"public_url": "https://sandbox.test"}, signing_key=signing_key)

    assert SandboxServer(sandbox).endpoints.token_url == "https://sandbox.test/oauth/token"


def test_log_has_no_signature_and_no_key_that_the_seed_gives(signing_key: SigningKey) -> None:
    flow = {"name": "F", "webhooks": [{"signature": "given-signature"}, {}]}
    seed = {"companies": [{"name": "Acme", "flows": [flow], "api_keys": [{"name": "CI", "key": "givenKey1"}]}]}
    endpoints = Endpoints(Sandbox(parse_seed(seed), signing_key=signing_key), BASE)

    ready, log = endpoints.ready_document(), endpoints.ready_document(for_log=True)

    assert ready["api_key"] == "givenKey1"
    assert ready["flows"]["F"]["webhooks"][0].endswith("?patchworks_signature=given-signature")
    assert log["api_key"] is None
    assert log["flows"]["F"]["webhooks"][0] == ready["flows"]["F"]["webhooks"][0].partition("?")[0]
    assert log["flows"]["F"]["webhooks"][1] == ready["flows"]["F"]["webhooks"][1]
