"""The pages on process flows without a browser."""

from __future__ import annotations

import re
from html import unescape

import pytest

from sandbox import faults
from sandbox.faults import make_rule
from sandbox.platform.flows.model import ApiKeySeed, Flow, FlowSeed, UserSeed
from tests.conftest import Integration


@pytest.fixture
def flow(integration: Integration) -> Flow:
    """The demo flow, beside a disabled one; an API key and a user."""
    flows = integration.sandbox.store.flows
    flows.add_flow("acme", FlowSeed("<b>Products", enabled=False, deployed=False))
    flows.add_api_key("acme", ApiKeySeed("Build <server>", "key0key1key2"))
    flows.put_user("acme", UserSeed("ada@example.test", "correct-horse"))
    return flows.flows("acme")[0]


def page(integration: Integration, path: str = "/flows", status: int = 200, address: str = "127.0.0.1") -> str:
    answer = integration.http.get(f"/_sandbox/dashboard{path}", environ_overrides={"REMOTE_ADDR": address})
    assert answer.status_code == status
    return answer.text


def call(integration: Integration, flow: Flow, body: str = '{"order": "1001"}') -> None:
    hook = flow.webhooks[0]
    url = f"/api/v1/acme/{hook.id}?patchworks_signature={hook.signature}"
    assert integration.http.post(url, data=body, content_type="application/json").status_code == 200


def test_page_has_the_urls_of_each_flow_to_copy(integration: Integration, flow: Flow) -> None:
    text = page(integration)

    copied = re.findall(r'data-copy="(http[^"]*)"', text)
    hooks = [
        f"http://localhost/api/v1/acme/{hook.id}?patchworks_signature={hook.signature}"
        for hook in (*flow.webhooks, *flow.callbacks)
    ]
    assert copied == ["http://localhost/api/v1/flows/1/start", *hooks, "http://localhost/api/v1/flows/2/start"]


def test_signatures_are_for_an_asker_who_may_know_secrets(integration: Integration, flow: Flow) -> None:
    text = page(integration, address="10.1.2.3")

    assert "patchworks_signature" not in text
    assert [hook.signature for hook in (*flow.webhooks, *flow.callbacks) if (hook.signature or "") in text] == []
    assert "without their signature" in text


def test_page_names_keys_and_users_without_their_secrets(integration: Integration, flow: Flow) -> None:
    text = page(integration)

    assert re.findall(r'<th scope="row">([^<]*)</th><td>(API key|User)</td>', text)[-2:] == [
        ("Build &lt;server&gt;", "API key"),
        ("ada@example.test", "User"),
    ]
    assert [secret for secret in ("key0key1key2", "correct-horse") if secret in text] == []
    assert "&lt;b&gt;Products" in text
    assert "none deployed" in text


def test_runs_are_listed_newest_first_with_a_page_for_each(integration: Integration, flow: Flow) -> None:
    call(integration, flow)
    rule = make_rule(faults.failed("<no stock>"), endpoint="processing", times=1)
    integration.sandbox.platform.faults.add(rule)
    call(integration, flow)
    good, failed = integration.sandbox.platform.runs.runs()

    assert re.findall(r'<th scope="row"><a [^>]*>(\w+)</a>', page(integration)) == [failed.id, good.id]
    text = page(integration, f"/flow-runs/{failed.id}")
    assert re.findall(r"<td>(INFO|ERROR)</td><td>([^<]*)</td>", text) == [
        ("INFO", "Flow run started by Webhook."),
        ("ERROR", "&lt;no stock&gt;"),
    ]
    assert f"?open={failed.entry}" in text
    assert "17 B" in text


def test_flow_is_disabled_and_a_key_revoked_by_a_button(integration: Integration, flow: Flow) -> None:
    text = page(integration)
    acts = re.findall(
        r'(?:name="body" value="([^"]*)">)?<button name="act" value="([A-Z]+ /(?:flows/1|api-keys)\b[^"]*)"', text
    )

    assert len(acts) == 1 + len(integration.sandbox.store.flows.api_keys("acme"))
    for body, act in acts:
        form = {"back": "/_sandbox/dashboard/flows", "act": act, **({"body": unescape(body)} if body else {})}
        assert integration.http.post("/_sandbox/dashboard/act", data=form).status_code == 303

    flows = integration.sandbox.store.flows
    assert not flows.flow(1).enabled
    assert {key.revoked for key in flows.api_keys("acme")} == {True}


def test_unknown_run_has_a_page_that_says_so(integration: Integration) -> None:
    assert "no flow run" in page(integration, "/flow-runs/nothing", 404)


def test_sandbox_without_flows_says_so(integration: Integration) -> None:
    integration.control("PUT", "/seed", {})

    assert "No flow yet" in page(integration)
