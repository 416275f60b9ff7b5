"""Process flows of a seed, and what becomes of them in a saved state and a reset."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from sandbox import Sandbox
from sandbox.foundation.errors import InvalidValueError, SeedError
from sandbox.state.seed import parse_seed
from sandbox.state.snapshot import read_state, to_document
from tests.platform.flows.sending import ADA, KEY, SEED, Flows

ID = "01hx3v9k2m8e5n7q4r6s0t1w2y"


def test_demo_seed_has_a_flow_with_a_webhook_a_callback_and_a_key(sandbox: Sandbox) -> None:
    (flow,) = sandbox.store.flows.flows()

    assert (flow.name, flow.deployed, len(flow.webhooks), len(flow.callbacks)) == ("Orders in", 1, 1, 1)
    assert [key.name for key in sandbox.store.flows.api_keys()] == ["Demo key"]


def test_reset_restores_flows_with_their_ids_and_signatures(sandbox: Sandbox) -> None:
    store = sandbox.store.flows
    before = store.flows()
    store.delete_flow(1)
    store.delete_api_key(1)

    sandbox.reset()

    assert sandbox.store.flows.flows() == before
    assert [key.id for key in sandbox.store.flows.api_keys()] == [1]


def _seed(**company: Any) -> dict[str, Any]:
    return {"companies": [{"name": "Acme", **company}]}


def _flow(**more: Any) -> dict[str, Any]:
    return {"name": "F", **more}


@pytest.mark.parametrize(("company", "told"), [
    ({"flows": [{}]}, "companies[0].flows[0]: the key 'name' is missing"),
    ({"flows": [_flow(), _flow()]}, "companies[0].flows[1]: is the same as"),
    ({"flows": [_flow(versions=[1, 1])]}, "different whole numbers"),
    ({"flows": [_flow(versions=[1]), {"name": "G", "versions": [1]}]}, "1 is taken by"),
    ({"flows": [_flow(deployed=3)]}, "companies[0].flows[0].deployed: is no version of the flow"),
    ({"flows": [_flow(deployed="x")]}, "use true, false or the id of a version"),
    ({"flows": [_flow(webhooks=[{"id": "X"}])]}, "use a ULID in lower case"),
    ({"flows": [_flow(webhooks=[{"id": ID}], callbacks=[{"id": ID}])]}, f"'{ID}' is taken by"),
    ({"flows": [_flow(webhooks=[{"signature": "geheim"}])]}, "a value of 6 characters is not allowed"),
    ({"flows": [_flow(webhooks=[{"hmac": {"algorithm": "sha256"}}])]}, "the key 'key' is missing"),
    ({"flows": [_flow(webhooks=[{"hmac": {"algorithm": "sha256", "key": "geheim"}}])]}, "a value of 6 characters"),
    ({"flows": [_flow(webhooks=[{"answer": {"status": 99}}])]}, "use a whole number from 200 to 599"),
    ({"flows": [_flow(callbacks=[{"format": "csv"}])]}, "use json, xml or txt"),
    ({"api_keys": [{"name": "k", "key": "geheim"}]}, "a value of 6 characters is not allowed"),
    ({"api_keys": [{"name": "k", "key": KEY}, {"name": "l", "key": KEY}]}, "the value is taken by"),
    ({"users": [{"email": "ada", "password": "long enough"}]}, "use an email address"),
    ({"users": [ADA, {**ADA, "email": "ADA@example.test"}]}, "is the same as"),
])  # fmt: skip
def test_wrong_part_is_refused_with_its_place_and_without_secrets(company: dict[str, Any], told: str) -> None:
    with pytest.raises(SeedError) as raised:
        parse_seed(_seed(**company))

    assert told in str(raised.value)
    assert "geheim" not in str(raised.value)
    assert KEY not in str(raised.value)


def test_other_hash_function_is_refused() -> None:
    hook = {"hmac": {"algorithm": "md5", "key": "long enough"}}

    with pytest.raises(SeedError, match="'md5' is not allowed; use sha256 or ripemd128"):
        parse_seed(_seed(flows=[_flow(webhooks=[hook])]))


def test_seed_comes_back_from_its_data() -> None:
    seed = copy.deepcopy(SEED)
    hook = {"id": ID, "signature": "sig-of-orders", "hmac": {"algorithm": "sha256", "key": "long enough"}}
    seed["companies"][0]["flows"][0] |= {  # type: ignore[index,call-overload]
        "deployed": False,
        "webhooks": [{**hook, "answer": {"status": 202, "body": {"a": None}, "format": "xml"}}],
    }
    read = parse_seed(seed)

    assert parse_seed(read.data()) == read


def test_extension_replaces_a_flow_and_keeps_ids_and_signatures(flows: Flows) -> None:
    flow = {"name": "Orders in", "enabled": False, "webhooks": [{}], "callbacks": []}
    addition = _seed(slug="acme", flows=[flow, {"name": "New", "webhooks": [{}]}], api_keys=[{"name": "CI"}])
    before = flows.webhook

    flows.sandbox.extend_seed(addition)
    changed, new = flows.store.flows()
    flows.sandbox.reset()

    assert (changed.enabled, changed.versions, changed.callbacks) == (False, (11, 12), ())
    assert changed.webhooks == (before,)
    assert flows.store.find_api_key(KEY) is not None
    after = flows.sandbox.store.flows.flows()
    assert [flow.webhooks for flow in after] == [changed.webhooks, new.webhooks]


def test_extension_that_collides_is_refused_and_changes_nothing(flows: Flows) -> None:
    before = flows.store.flows()
    taken = _seed(name="Third", flows=[_flow(webhooks=[{"id": ID}])])
    taken["companies"][0]["name"] = "Third"

    with pytest.raises(SeedError, match="is taken by"):
        flows.sandbox.extend_seed(taken)
    assert flows.store.flows() == before


@pytest.mark.parametrize("secrets", [True, False])
def test_state_holds_flows_keys_and_users(
    flows: Flows, make_flows: Callable[..., Flows], sandbox: Sandbox, secrets: bool
) -> None:
    document = to_document(flows.sandbox.state(secrets=secrets))
    text = str(document)

    again = make_flows()
    again.sandbox.load_state(read_state(document))
    sandbox.load_state(read_state(document))

    assert ("sig-of-orders" in text) == secrets
    assert KEY not in text
    assert ADA["password"] not in text
    assert again.sandbox.store.flows.flows() == flows.store.flows()
    assert Flows(again.sandbox).start().status == 200
    (elsewhere,) = sandbox.store.flows.flows()
    assert (elsewhere == flows.flow) == secrets
    assert (sandbox.store.flows.find_api_key(KEY) is not None) == secrets


def test_seed_without_flows_makes_no_store(make_sandbox: Callable[..., Sandbox]) -> None:
    made = Sandbox({"companies": [{"name": "Acme"}]})

    assert made.store.known_flows is None
    assert to_document(made.state())["platform"]["flows"] is None


@pytest.mark.parametrize(("path", "value", "told"), [
    (("flows", 0, "company"), "none", "platform.flows.flows[0].company"),
    (("flows", 0, "deployed"), 99, "platform.flows.flows[0].deployed"),
    (("flows", 0, "versions"), [], "platform.flows"),
    (("flows", 0, "versions"), [11, 11], "platform.flows.flows.versions[1].id"),
    (("flows", 0, "webhooks", 0, "id"), "x", "platform.flows"),
    (("flows", 0, "callbacks", 0, "id"), ID, "platform.flows.flows.webhooks[1].id"),
    (("flows", 0, "webhooks", 0, "id"), None, "platform.flows.flows[0].webhooks[0].id"),
    (("flows", 0, "callbacks", 0, "id"), None, "platform.flows.flows[0].callbacks[0].id"),
    (("api_keys", 1, "id"), 1, "platform.flows.api_keys[1].id"),
    (("users", 0, "company"), "none", "platform.flows.users[0].company"),
    (("last_ids", "version"), 3, "platform.flows.last_ids.version"),
    (("flows", 0, "webhooks", 0, "signature"), "geheim", "platform.flows"),
])  # fmt: skip
def test_state_that_contradicts_itself_is_refused_and_changes_nothing(
    flows: Flows, path: tuple[Any, ...], value: Any, told: str
) -> None:
    document = to_document(flows.sandbox.state(secrets=True))
    place: Any = document["platform"]["flows"]
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    before = flows.store.flows()

    with pytest.raises(InvalidValueError) as raised:
        flows.sandbox.load_state(read_state(document))

    assert raised.value.field == told
    assert "geheim" not in str(raised.value)
    assert flows.sandbox.store.flows.flows() == before
