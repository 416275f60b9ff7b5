"""What a handle adds, changes and deletes by name, here, elsewhere and in a company of its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from sandbox import Patchworks, RemoteSandbox, Sandbox, SandboxServer
from sandbox.errors import ConflictError, InvalidValueError, NotFoundError
from sandbox.faults import hang, status


@pytest.fixture(params=["here", "elsewhere", "isolated here", "isolated elsewhere"])
def handle(request: pytest.FixtureRequest, sandbox: Sandbox) -> Iterator[Patchworks]:
    with SandboxServer(sandbox) as server, RemoteSandbox(server.base_url) as remote:
        handle: Patchworks = remote if request.param.endswith("elsewhere") else server.patchworks
        yield handle.isolated() if request.param.startswith("isolated") else handle


def token(handle: Patchworks, client_id: str, client_secret: str) -> requests.Response:
    form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": client_secret}
    with requests.Session() as session:
        return session.post(handle.token_url, form, timeout=10)


def push(handle: Patchworks, vanity_url: str, payload: Any = None) -> int:
    bearer = token(handle, handle.client_id, handle.client_secret).json()["access_token"]
    headers = {"Authorization": f"Bearer {bearer}"}
    with requests.Session() as session:
        url = handle.inbound(vanity_url).url
        return session.post(url, json=payload or {"id": 1}, headers=headers, timeout=10).status_code


def test_oauth_client_is_added_known_by_name_and_deleted(handle: Patchworks) -> None:
    new = handle.oauth_clients.add("Order export")

    assert handle.oauth_clients.credentials("Order export") == new
    assert handle.oauth_clients.credentials(new.client_id) == new
    assert new.client_secret not in repr(handle.oauth_clients) + repr(new)
    assert token(handle, new.client_id, new.client_secret).status_code == 200
    assert handle.requests[-1].client_id == new.client_id

    handle.oauth_clients.delete("Order export")
    assert token(handle, new.client_id, new.client_secret).status_code == 401
    assert "Order export" not in [client.name for client in handle.oauth_clients]
    with pytest.raises(NotFoundError, match="there is no OAuth client 'Order exprt'"):
        handle.oauth_clients.delete("Order exprt")


def test_credentials_of_the_seed_are_known_by_name(sandbox: Sandbox) -> None:
    with SandboxServer(sandbox) as server, RemoteSandbox(server.base_url) as remote:
        name = next(iter(server.patchworks.oauth_clients)).name

        assert server.patchworks.oauth_clients.credentials(name).client_id == server.patchworks.client_id
        with pytest.raises(NotFoundError, match=r"no secret of OAuth client .* here: .*oauth_clients.add\("):
            remote.oauth_clients.credentials(name)


def test_service_is_added_deactivated_and_deleted(handle: Patchworks) -> None:
    handle.entities.add("Return", {"id": 1})
    handle.services.add("returns", "Return")
    assert push(handle, "returns") == 200
    assert push(handle, "returns", {"id": "one"}) == 422

    handle.entities.set_schema("Return", {"type": "object"})
    assert push(handle, "returns", {"id": "one"}) == 200
    assert handle.services.deactivate("returns").active is False
    assert push(handle, "returns") == 404
    assert handle.services.activate("returns").active is True

    assert repr(handle.services).endswith("returns>")
    handle.services.delete("returns")
    with pytest.raises(NotFoundError, match="there is no service 'returns'"):
        handle.services.activate("returns")


def test_name_that_is_taken_or_unknown_is_refused(handle: Patchworks) -> None:
    with pytest.raises(ConflictError, match="choose another vanity URL"):
        handle.services.add("orders", next(iter(handle.entities)).name)
    with pytest.raises(NotFoundError, match="there is no connector 'Shopp'"):
        handle.oauth_clients.add("Job", connector="Shopp")


def test_clear_empties_the_journal_and_keeps_tokens(handle: Patchworks) -> None:
    bearer = token(handle, handle.client_id, handle.client_secret).json()["access_token"]
    handle.faults.add(status(503))
    handle.clear()

    assert (len(handle.requests), list(handle.requests[-1:]), len(handle.faults)) == (0, [], 0)
    assert handle.story().endswith("no request was received")
    with requests.Session() as session:
        headers = {"Authorization": f"Bearer {bearer}"}
        assert session.post(handle.inbound("anything").url, b"1", headers=headers, timeout=10).status_code == 200
    assert len(handle.requests) == 1


def test_environment_is_set_for_the_rest_of_a_test(handle: Patchworks, monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    with monkeypatch.context() as patch:
        handle.setenv(patch)
        assert {name: os.environ[name] for name in handle.env} == handle.env
    assert "PATCHWORKS_TOKEN_URL" not in os.environ


def test_keys_are_rotated_and_tokens_of_one_client_revoked(sandbox: Sandbox) -> None:
    with SandboxServer(sandbox) as server:
        handle = server.patchworks
        other = handle.oauth_clients.add("Other")
        bearers = [
            token(handle, known.client_id, known.client_secret).json()["access_token"]
            for known in (handle.oauth_clients.credentials(handle.client_id), other)
        ]

        assert handle.revoke_tokens(other.client_id) == 1
        assert [_post(handle, bearer) for bearer in bearers] == [200, 401]
        handle.rotate_keys()
        assert handle.events[-1].text == "signing key rotated"
        assert _post(handle, bearers[0]) == 401


def _post(handle: Patchworks, bearer: str) -> int:
    with requests.Session() as session:
        headers = {"Authorization": f"Bearer {bearer}"}
        return session.post(handle.inbound("anything").url, b"1", headers=headers, timeout=10).status_code


def test_interception_has_the_addresses_of_production(sandbox: Sandbox) -> None:
    with SandboxServer(sandbox) as server, server.patchworks.intercept() as interception:
        assert interception.token_url == "https://inbound.pwks.co/oauth/token"
        orders = interception.inbound("orders")
        assert orders.url == "https://inbound.pwks.co/v1/acme/orders"
        with requests.Session() as session:
            assert session.post(orders.url, b"1", timeout=10).status_code == 401
        assert len(orders) == 1
        with pytest.raises(NotFoundError, match="did you mean 'acme/orders'"):
            interception.inbound("oders")


@pytest.mark.parametrize(
    ("given", "hint"),
    [
        ("two-503s-then-fine", r"call faults.preset\('two-503s-then-fine'\)"),
        ("status", r"status\(…\), called"),
        (status, r"call status\(…\)"),
        (type(status(503)), r"call status\(…\)"),
        (hang, r"call hang\(…\)"),
    ],
    ids=["preset", "kind", "function", "class", "kind without a function"],
)
def test_what_is_no_fault_is_told_with_what_may_be_meant(sandbox: Sandbox, given: Any, hint: str) -> None:
    with SandboxServer(sandbox).on_demand() as server, pytest.raises(InvalidValueError, match=hint):
        server.patchworks.faults.add(given)


def test_faults_that_never_acted_are_told_with_the_reason(handle: Patchworks) -> None:
    handle.faults.assert_all_acted()
    handle.faults.add(status(503), endpoint="inbound", vanity_url="anything", times=1)
    handle.faults.add(status(503), vanity_url="order", headers={"X-Key": "sesame"}, name="typo")
    handle.faults.add(status(503), endpoint="inbound", vanity_url="anything", after=5, name="late")
    assert push(handle, "anything") == 503
    assert push(handle, "anything") == 200

    with pytest.raises(AssertionError) as failure:
        handle.faults.assert_all_acted()

    told = str(failure.value).splitlines()
    assert told[0] == "2 of 3 fault rules never acted:"
    assert "typo (status; vanity_url=order, " in told[1] or "company=" in told[1]
    assert "there is no service 'order': did you mean 'orders'?" in told[1]
    assert told[2].startswith("  late (status; ")
    assert told[2].endswith("; it matched 1 requests, but never acted on one")
    assert "sesame" not in str(failure.value) + repr(handle.faults)
