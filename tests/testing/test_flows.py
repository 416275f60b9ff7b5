"""Process flows by a handle: here, elsewhere, in a company of its own and through an interception."""

from __future__ import annotations

import hmac
from collections.abc import Iterator

import pytest
import requests

from sandbox import Patchworks, RemoteSandbox, Sandbox, SandboxServer
from sandbox.errors import NotFoundError
from sandbox.faults import status


@pytest.fixture(params=["here", "elsewhere", "isolated here", "isolated elsewhere"])
def handle(request: pytest.FixtureRequest, sandbox: Sandbox) -> Iterator[Patchworks]:
    with SandboxServer(sandbox) as server, RemoteSandbox(server.base_url) as remote:
        handle: Patchworks = remote if request.param.endswith("elsewhere") else server.patchworks
        yield handle.isolated() if request.param.startswith("isolated") else handle


def post(url: str, **options: object) -> requests.Response:
    with requests.Session() as session:
        return session.post(url, timeout=10, **options)  # type: ignore[arg-type]


def test_webhook_has_its_url_requests_and_runs(handle: Patchworks) -> None:
    webhook = handle.webhook("Orders in")

    assert post(webhook.url, json={"order": "1001"}).json() == {"message": "Flow initialised."}
    post(webhook.url.replace("=", "=x"), json={"order": "1002"})

    webhook.assert_received(json={"order": "1001"}, times=1)
    webhook.assert_received(json={"order": "1002"}, times=0)
    assert [entry.outcome for entry in handle.requests] == ["accepted", "rejected"]
    assert [run.trigger for run in webhook.runs] == ["Webhook"]
    assert webhook.runs[0].entry == webhook[0].id


def test_callback_and_flow_have_their_requests(handle: Patchworks) -> None:
    key = handle.api_keys.add("CI")
    flow, callback = handle.flow("Orders in"), handle.callback("Orders in")

    assert post(callback.url, data=b"x").json() == [{"sku": "TEA-01", "stock": 12}]
    assert post(f"{flow.url}/raw", json={"order": "1001"}, headers={"Authorization": key}).status_code == 200

    callback.assert_received(times=1)
    flow.assert_received(times=2)
    flow.assert_received(json={"order": "1001"}, times=1)
    handle.api_keys.revoke("CI")
    assert post(flow.url, headers={"Authorization": key}).status_code == 401


def test_flow_is_configured_added_and_deleted(handle: Patchworks) -> None:
    handle.webhook("Orders in").configure(enabled=False)
    assert post(handle.webhook("Orders in").url).status_code == 422

    handle.flows.add("Stock", webhooks=[{"answer": {"status": 202, "body": {"ok": True}}}])
    assert post(handle.webhook("Stock").url).status_code == 202
    assert [flow.name for flow in handle.flows] == ["Orders in", "Stock"]
    handle.flows.delete("Stock")
    with pytest.raises(NotFoundError, match="there is no flow"):
        handle.webhook("Stock")
    with pytest.raises(NotFoundError, match="there is no webhook of flow 'Orders in' 'x'"):
        handle.webhook("Orders in", id="x")


def test_copy_of_a_company_signs_its_webhooks_with_the_same_key(handle: Patchworks) -> None:
    key = "a key of the sender"
    handle.flows.add("Signed", webhooks=[{"hmac": {"algorithm": "sha256", "key": key}}], callbacks=[{"returns": 1}])
    mine = handle.isolated()
    digest = hmac.new(key.encode(), b"{}", "sha256").hexdigest()

    answers = [
        post(each.webhook("Signed").url, data=b"{}", headers={"X-HMAC-HASH": digest}).status_code
        for each in (handle, mine)
    ]

    assert answers == [200, 200]
    assert mine.webhook("Signed").url != handle.webhook("Signed").url
    assert [flow.name for flow in mine.flows] == [flow.name for flow in handle.flows]
    assert post(mine.callback("Signed").url).json() == [1]


def test_faults_and_duplicates_of_a_flow(handle: Patchworks) -> None:
    url = handle.webhook("Orders in").url
    handle.faults.add(status(503), endpoint="webhook", flow="Orders in", times=1, accept=True)

    assert [post(url, json={"order": "1001"}).status_code for _ in range(2)] == [503, 200]

    (found,) = handle.duplicates()
    assert len(found.entries) == 2
    assert len(handle.attempts()) == 1
    assert handle.duplicates(flow="Another") == []


def test_environment_has_the_urls_of_flows(handle: Patchworks) -> None:
    assert handle.env["PATCHWORKS_WEBHOOK_URL_ORDERS_IN"] == handle.webhook("Orders in").url
    assert handle.env["PATCHWORKS_CALLBACK_URL_ORDERS_IN"] == handle.callback("Orders in").url
    assert handle.env["PATCHWORKS_START_URL_ORDERS_IN"] == handle.flow("Orders in").url


def test_interception_has_the_urls_of_the_platform(sandbox: Sandbox) -> None:
    with SandboxServer(sandbox) as server, server.patchworks.intercept() as stand_in:
        webhook, flow = stand_in.webhook("Orders in"), stand_in.flow("Orders in")

        assert webhook.url.startswith("https://webhooks.wearepatchworks.com/api/v1/acme/")
        assert flow.url == "https://start.wearepatchworks.com/api/v1/flows/1/start"
        assert stand_in.callback("Orders in").url.startswith("https://callbacks.wearepatchworks.com/api/v1/acme/")
        assert post(webhook.url, json={"order": "1001"}).status_code == 200
        webhook.assert_received(json={"order": "1001"})
