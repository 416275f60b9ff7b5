"""Webhooks and callbacks."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from sandbox.journal.known_secrets import KnownSecrets
from sandbox.platform.flows.model import Algorithm, Callback, CustomAnswer, Format, Hmac, Webhook
from sandbox.platform.flows.ripemd128 import Ripemd128
from tests.platform.flows.sending import CALLBACK, SIGNED, WEBHOOK, Flows

OF_CALLBACK = "patchworks_signature=sig-of-callback"


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(("path", "environment"), [(WEBHOOK, None), (f"{WEBHOOK}/2", "2")])
def test_webhook_starts_its_flow(flows: Flows, method: str, path: str, environment: str | None) -> None:
    sent = flows.send(method, path, b'{"order":"1001"}' if method == "POST" else b"", SIGNED)
    (run,) = flows.sandbox.platform.runs.runs()

    assert (sent.status, sent.body) == (200, b'{"message":"Flow initialised."}')
    assert sent.entry.kind == "webhook"
    hook = "01hx3v9k2m8e5n7q4r6s0t1w2y"
    assert sent.entry.subject == {"company": "acme", "flow": "Orders in", "hook": hook, "run": run.id}
    assert (run.trigger, run.version, run.environment) == ("Webhook", 12, environment)


def test_body_wins_over_the_query(flows: Flows) -> None:
    flows.send("GET", WEBHOOK, b"", f"order=1001&{SIGNED}&a[b]=2")
    flows.hook(b"text", f"order=1001&{SIGNED}")
    payloads = [flows.sandbox.platform.runs.payload(run) for run in flows.sandbox.platform.runs.runs()]

    assert payloads == [b'{"order":"1001","a":{"b":"2"}}', b"text"]


@pytest.mark.parametrize(("answer", "status", "content_type", "body"), [
    (CustomAnswer(), 200, "application/json", b""),
    (CustomAnswer(202, {"ok": True}), 202, "application/json", b'{"ok":true}'),
    (CustomAnswer(200, "<ok/>", "xml"), 200, "application/xml", b"<ok/>"),
    (CustomAnswer(204, "text"), 204, "application/json", b""),
    (CustomAnswer(304, {"a": 1}), 304, "application/json", b""),
    (CustomAnswer(418, "no", "txt"), 418, "text/plain; charset=UTF-8", b"no"),
])  # fmt: skip
def test_custom_answer_of_a_webhook(
    flows: Flows, answer: CustomAnswer, status: int, content_type: str, body: bytes
) -> None:
    added = flows.store.add_hook(1, Webhook(answer=answer))
    sent = flows.send("POST", f"/api/v1/acme/{added.id}", b"x", f"patchworks_signature={added.signature}")

    assert (sent.status, sent.headers["Content-Type"], sent.body) == (status, content_type, body)
    assert sent.entry.accepted


def test_answer_without_a_body_has_no_length_to_head(flows: Flows) -> None:
    added = flows.store.add_hook(1, Webhook(answer=CustomAnswer(204, "text")))
    sent = flows.send("HEAD", f"/api/v1/acme/{added.id}", b"", f"patchworks_signature={added.signature}")

    assert (sent.status, sent.headers.get("Content-Length"), sent.body) == (204, None, b"")


@pytest.mark.parametrize("query", [
    "", "patchworks_signature=", "patchworks_signature=sig-of-order", "patchworks_signature=sig-of-ordert",
    "patchworks_signature[]=sig-of-orders", "patchworks-signature=sig-of-orders", OF_CALLBACK, "%00", "\udcff",
])  # fmt: skip
@pytest.mark.parametrize(("setting", "status"), [("forbidden", 403), ("unauthenticated", 401), ("not_found", 404)])
def test_wrong_signature_answers_as_set(
    make_flows: Callable[..., Flows], query: str, setting: str, status: int
) -> None:
    flows = make_flows(flow_signature=setting)

    sent = flows.hook(b"x", query)

    assert sent.status == status
    assert (sent.entry.reason or "").partition(":")[0] in ("no_signature", "wrong_signature")
    assert flows.sandbox.platform.runs.runs() == []


@pytest.mark.parametrize("path", [
    "/api/v1/acme/01hx3v9k2m8e5n7q4r6s0t1w20", "/api/v1/other/01hx3v9k2m8e5n7q4r6s0t1w2y", "/api/v1/acme/x",
    "/api/v1/acme/\0", "/api/v1/\udcff/x", f"/api/v1/acme/{'x' * 5000}",
])  # fmt: skip
def test_unknown_webhook_is_not_found(flows: Flows, path: str) -> None:
    sent = flows.send("POST", path, b"x", SIGNED)

    assert (sent.status, (sent.entry.reason or "").partition(":")[0]) == (404, "unknown_webhook")


@pytest.mark.parametrize("state", ["disabled", "not deployed"])
@pytest.mark.parametrize(
    ("setting", "status"), [("unprocessable", 422), ("not_found", 404), ("forbidden", 403), ("accept", 200)]
)
@pytest.mark.parametrize("target", [(WEBHOOK, SIGNED), (CALLBACK, OF_CALLBACK)], ids=["webhook", "callback"])
def test_inactive_flow_answers_as_set(
    make_flows: Callable[..., Flows], state: str, setting: str, status: int, target: tuple[str, str]
) -> None:
    flows = make_flows(inactive_flow=setting)
    if state == "disabled":
        flows.store.change_flow(1, enabled=False)
    else:
        flows.store.change_flow(1, deployed=None)

    assert flows.send("POST", target[0], b"x", target[1]).status == status


@pytest.mark.parametrize(("algorithm", "function"), [("sha256", hashlib.sha256), ("ripemd128", Ripemd128)])
@pytest.mark.parametrize(("encoding", "written"), [
    ("hex", lambda digest: digest.hex()),
    ("hex", lambda digest: digest.hex().upper()),
    ("base64", lambda digest: base64.b64encode(digest).decode()),
])  # fmt: skip
def test_hmac_of_the_body_is_checked(
    make_flows: Callable[..., Flows],
    encoding: str,
    written: Callable[[bytes], str],
    algorithm: Algorithm,
    function: Callable[..., Any],
) -> None:
    flows = make_flows(hmac_encoding=encoding)
    added = flows.store.add_hook(1, Webhook(hmac=Hmac(algorithm, "a key of the sender")))
    digest = hmac.new(b"a key of the sender", b"body", function).digest()
    path, query = f"/api/v1/acme/{added.id}", f"patchworks_signature={added.signature}"

    good = flows.send("POST", path, b"body", query, X_HMAC_HASH=written(digest))
    other = flows.send("POST", path, b"bodY", query, X_HMAC_HASH=written(digest))
    missing = flows.send("POST", path, b"body", query)
    strange = flows.send("POST", path, b"body", query, X_HMAC_HASH="\udcff")

    assert [good.status, other.status, missing.status, strange.status] == [200, 403, 403, 403]
    assert f"is not the HMAC of the body by {algorithm}" in (other.entry.reason or "")
    assert "there is no X-HMAC-HASH" in (missing.entry.reason or "")


@pytest.mark.parametrize(("encoding", "written", "form"), [
    ("hex", lambda digest: base64.b64encode(digest).decode(), "base64"),
    ("base64", lambda digest: digest.hex().upper(), "hex"),
    ("base64", lambda digest: base64.b64encode(digest).decode().rstrip("="), "base64 for URLs or without padding"),
    ("base64", lambda digest: base64.urlsafe_b64encode(digest).decode(), "base64 for URLs or without padding"),
])  # fmt: skip
def test_hmac_in_another_form_is_refused_with_its_form(
    make_flows: Callable[..., Flows], encoding: str, written: Callable[[bytes], str], form: str
) -> None:
    flows = make_flows(hmac_encoding=encoding)
    added = flows.store.add_hook(1, Webhook(hmac=Hmac("sha256", "a key of the sender")))
    digest = hmac.new(b"a key of the sender", b"body1", hashlib.sha256).digest()  # in base64 with + and /
    path, query = f"/api/v1/acme/{added.id}", f"patchworks_signature={added.signature}"

    sent = flows.send("POST", path, b"body1", query, X_HMAC_HASH=written(digest))

    assert {*"+/"} & {*base64.b64encode(digest).decode()}
    assert sent.status == 403
    assert (sent.entry.reason or "").endswith(f"in {encoding}; it is that in {form}")


@pytest.mark.parametrize(("format", "content_type"), [
    ("json", "application/json"), ("xml", "application/xml"), ("txt", "text/plain; charset=UTF-8"),
])  # fmt: skip
@pytest.mark.parametrize(("returns", "body"), [
    ([{"sku": "TEA-01"}], b'[{"sku":"TEA-01"}]'), ({"sku": "TEA-01"}, b'[{"sku":"TEA-01"}]'), ("x", b'["x"]'),
    (None, b'[{"order":1}]'),
])  # fmt: skip
def test_callback_returns_its_data_in_an_array(
    flows: Flows, format: Format, content_type: str, returns: Any, body: bytes
) -> None:
    added = flows.store.add_hook(1, replace(flows.callback, id=None, returns=returns, format=format))
    sent = flows.send("POST", f"/api/v1/acme/{added.id}", b'{"order":1}', OF_CALLBACK)

    assert (sent.status, sent.headers["Content-Type"], sent.body) == (200, content_type, body)
    assert flows.sandbox.platform.runs.runs()[0].trigger == "Callback"


def test_signature_of_a_callback_may_be_in_a_header(flows: Flows) -> None:
    by_header = flows.send("GET", CALLBACK, patchworks_signature="sig-of-callback")
    wrong = flows.send("GET", CALLBACK, patchworks_signature="sig-of-callbac")
    webhook = flows.send("GET", WEBHOOK, patchworks_signature="sig-of-orders")

    assert [by_header.status, wrong.status, webhook.status] == [200, 403, 403]
    assert by_header.entry.kind == wrong.entry.kind == "callback"


@pytest.mark.parametrize(("on", "last"), [(False, 200), (True, 429)])
def test_limits_are_off_unless_switched_on(make_flows: Callable[..., Flows], on: bool, last: int) -> None:
    flows = make_flows(flow_limits=on)

    statuses = [flows.hook(b"x").status for _ in range(121)]

    assert statuses == [*[200] * 120, last]
    assert flows.send("POST", CALLBACK, b"x", OF_CALLBACK).status == 200  # another counter


def test_payload_is_kept_byte_for_byte_and_the_signature_is_not(flows: Flows) -> None:
    body = b"\xff\0 sig-of-orders " * 1000
    sent = flows.hook(body)

    assert sent.entry.body == body
    assert "sig-of-orders" not in sent.entry.query
    assert "sha256:" in sent.entry.query


def test_large_and_deep_bodies_are_taken(flows: Flows) -> None:
    assert flows.hook(b"[" * 100_000).status == 200
    assert flows.hook(b"x" * 8_388_608).status == 200


def test_request_during_a_change_of_its_flow_finds_the_callback(flows: Flows, monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[object] = []
    address = Callback, "acme", CALLBACK[-26:]
    monkeypatch.setattr(KnownSecrets, "note", lambda *_: found.append(flows.store.find_hook(*address)))

    flows.store.change_flow(1, enabled=False)

    assert len(found) == 2
    assert None not in found
