"""What an inbound URL takes: any bytes, kept as they are, held against the entity where it has one (WIRE C)."""

from __future__ import annotations

import json

import pytest

from sandbox.faults.rules import read_rule
from sandbox.foundation.strict_json import parse_json
from tests.web.emulated.sending import JSON, bearer, last_entry, send

SAMPLE = {"serial": "A1", "qty": 1, "price": 1.5, "gift": True, "customer": {"firstName": "Zoë"}, "items": [{"id": 1}]}
STORED = b'{"message":"Payload stored successfully."}'
BLANK_MODERN = b'{"message":"The payload field is required.","errors":{"payload":["The payload field is required."]}}'
BLANK_LEGACY = b'{"message":"The given data was invalid.","errors":{"payload":["The payload field is required."]}}'


@pytest.fixture
def checked(both):
    """An integration whose service ``checked`` expects the sample."""
    return with_entity(both, sample=SAMPLE)


def with_entity(integration, **entity):
    store = integration.sandbox.store
    connector = store.connectors()[0]
    store.add_entity(connector.id, "custom", "checked", **entity)
    store.add_service("acme", connector.id, "checked", "checked")
    return integration


def post(integration, body, content_type="application/json"):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = [bearer(integration.token()), ("Content-Type", content_type)]
    return send(integration, "POST", "/v1/acme/checked", headers, data)


def errors(response):
    assert response.status_code == 422
    return {path: texts[0] for path, texts in response.json["errors"].items() if len(texts) == 1}


def test_accepted_payload_is_answered_as_stored(both):
    response = both.post(b"x")

    headers = [item for item in response.headers.items() if item[0] not in ("Content-Length", "Date")]
    assert (response.status_code, response.data) == (200, STORED)
    assert sorted(headers) == [
        ("Cache-Control", "no-cache, private"),
        ("Content-Type", "application/json"),
        ("X-RateLimit-Limit", "60"),
        ("X-RateLimit-Remaining", "59"),
    ]


@pytest.mark.parametrize(
    ("path", "rules"),
    [("anything", 0), ("checked", 0), ("anything", 3), ("checked", 3)],
    ids=["nobody-asks", "entity", "rules", "both"],
)
@pytest.mark.parametrize("body", [json.dumps(SAMPLE).encode(), b"no JSON"], ids=["json", "none"])
def test_body_is_parsed_when_somebody_needs_it_and_only_once(monkeypatch, checked, body, path, rules):
    for number in range(rules):
        checked.sandbox.platform.faults.add(
            read_rule({"fault": {"kind": "hang"}, "match": {"json_path": f"$.none{number}[*]"}})
        )
    token, parsed = checked.token(), []
    monkeypatch.setattr("sandbox.journal.request.parse_json", lambda given: parsed.append(given) or parse_json(given))

    send(checked, "POST", f"/v1/acme/{path}", [bearer(token)], body)

    is_needed = rules or (path == "checked" and body == b"no JSON")  # a payload that matches is checked as it is read
    assert parsed == ([body] if is_needed else [])


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b'{"a": 1,\n  "a": 2 }\n', "application/json"),
        (b"\xef\xbb\xbf{}", "application/json"),
        (b"\xff\xfe\x00\x01", "application/octet-stream"),
        (b"<?xml version='1.0'?><a b=\"c\"/>\r\n", "application/xml"),
        (b"<!DOCTYPE html><p>&amp;</p>", "text/html"),
        (b"client_secret=abc&access_token=def", "application/x-www-form-urlencoded"),
        (
            b'--b\r\nContent-Disposition: form-data; name="password"\r\n\r\nx\r\n--b--',
            "multipart/form-data; boundary=b",
        ),
        (b"\0", "text/plain"),
        (b"a" * 300_000, "text/plain"),
        (bytes(range(256)), ""),
    ],
    ids=["json", "byte-order-mark", "binary", "xml", "html", "form", "multipart", "nul", "long", "every-byte"],
)
def test_free_form_body_is_kept_byte_for_byte(both, body, content_type):
    headers = [bearer(both.token()), *([("Content-Type", content_type)] if content_type else [])]

    response = send(both, "POST", "/v1/acme/anything", headers, body)

    assert (response.status_code, response.data) == (200, STORED)
    assert last_entry(both).body == body
    assert last_entry(both).body_size == len(body)


@pytest.mark.parametrize("body", [b"", b" ", b"\r\n\t \n"], ids=repr)
@pytest.mark.parametrize("path", ["/v1/acme/anything", "/v1/acme/orders"])
def test_blank_body_is_refused_everywhere(both, profile, path, body):
    response = both.post(body, path=path)

    assert (response.status_code, response.data) == (422, BLANK_MODERN if profile == "modern" else BLANK_LEGACY)
    assert response.headers["Content-Type"] == "application/json"
    assert last_entry(both).reason == "blank_payload: payload required"
    assert last_entry(both).body == body


@pytest.mark.parametrize("body", [b"null", b'""', b"[]", b"{}", b" [ ] "], ids=repr)
def test_empty_json_is_blank_where_a_structure_is_expected(both, profile, body):
    response = both.post(body, path="/v1/acme/orders")

    assert (response.status_code, response.data) == (422, BLANK_MODERN if profile == "modern" else BLANK_LEGACY)


@pytest.mark.parametrize("body", [b"null", b"[]", b"{}", b"0"], ids=repr)
def test_empty_json_is_a_payload_where_none_is_expected(both, body):
    assert both.post(body).status_code == 200


def test_matching_payload_is_accepted_with_extra_keys(checked):
    assert post(checked, {**SAMPLE, "more": 1, "customer": {"firstName": "A", "x": None}}).status_code == 200


@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", ""])
def test_payload_is_checked_whatever_its_content_type(checked, content_type):
    assert post(checked, SAMPLE, content_type).status_code == 200
    assert post(checked, {"qty": 1}, content_type).status_code == 422


@pytest.mark.parametrize(
    ("changes", "path", "texts"),
    [
        ({"serial": 1}, "serial", ("The serial field must be a string.", "The serial must be a string.")),
        ({"qty": "1"}, "qty", ("The qty field must be an integer.", "The qty must be an integer.")),
        ({"price": "1"}, "price", ("The price field must be a number.", "The price must be a number.")),
        ({"gift": 1}, "gift", ("The gift field must be true or false.", "The gift field must be true or false.")),
        ({"items": {}}, "items", ("The items field must be an array.", "The items must be an array.")),
        ({"customer": 5}, "customer", ("The customer field must be an array.", "The customer must be an array.")),
        (
            {"customer": []},
            "customer.firstName",
            ("The customer.first name field is required.", "The customer.first name field is required."),
        ),
        (
            {"customer": {}},
            "customer.firstName",
            ("The customer.first name field is required.", "The customer.first name field is required."),
        ),
        (
            {"items": [{"id": 1}, {"id": "2"}]},
            "items.1.id",
            ("The items.1.id field must be an integer.", "The items.1.id must be an integer."),
        ),
        ({"items": [{}]}, "items.0.id", ("The items.0.id field is required.", "The items.0.id field is required.")),
    ],
    ids=lambda value: value if isinstance(value, str) and " " not in value else None,
)
def test_one_mismatch_is_told_in_the_profiles_words(checked, profile, changes, path, texts):
    response = post(checked, {**SAMPLE, **changes})

    text = texts[profile == "legacy"]
    message = text if profile == "modern" else "The given data was invalid."
    assert (response.status_code, response.data.decode()) == (
        422,
        json.dumps({"message": message, "errors": {path: [text]}}, separators=(",", ":")),
    )
    assert last_entry(checked).outcome == "rejected"
    assert last_entry(checked).reason.startswith("entity_mismatch: ")


@pytest.mark.parametrize(
    ("missing", "more"), [(1, ""), (2, " (and 1 more error)"), (3, " (and 2 more errors)"), (6, " (and 5 more errors)")]
)
def test_modern_message_counts_the_errors_beyond_the_first(modern, missing, more):
    with_entity(modern, sample=SAMPLE)
    names = list(SAMPLE)[:missing]

    response = post(modern, {name: value for name, value in SAMPLE.items() if name not in names} | {"x": 1})

    assert list(response.json["errors"]) == names
    assert response.json["message"] == f"The serial field is required.{more}"


@pytest.mark.parametrize("missing", [1, 3])
def test_legacy_message_is_always_the_same(legacy, missing):
    with_entity(legacy, sample=SAMPLE)

    response = post(legacy, dict(list(SAMPLE.items())[missing:]))

    assert response.json["message"] == "The given data was invalid."
    assert len(response.json["errors"]) == missing


@pytest.mark.parametrize(
    ("key", "shown"),
    [
        ("line_1", "line 1"),
        ("firstName", "first name"),
        ("order_ID", "order  i d"),
        ("Order No", "order no"),
        ("first name", "first name"),
        ("größe", "größe"),
    ],
)
def test_field_is_shown_as_the_framework_shows_it(modern, key, shown):
    """Snake case with blanks for underscores, as ``Str::snake`` makes it, odd results included."""
    with_entity(modern, sample={key: "x", "other": 1})

    assert errors(post(modern, {"other": 1})) == {key: f"The {shown} field is required."}


@pytest.mark.parametrize(
    "body", [b"{", b"<order/>", b"\xff", b"\xef\xbb\xbf{}", b"NaN", b'{"a": NaN}', b"[" * 100_000, b'"\\ud800"']
)
def test_body_that_is_not_json_does_not_match(checked, profile, body):
    field = " field" if profile == "modern" else ""

    response = post(checked, body)

    assert errors(response) == {"payload": f"The payload{field} must be a valid JSON string."}
    assert last_entry(checked).body == body
    assert last_entry(checked).reason.startswith("entity_mismatch: payload not JSON: ")


@pytest.mark.parametrize("body", [1, "text", True, 1.5])
def test_scalar_does_not_match_a_structure(checked, profile, body):
    field = " field" if profile == "modern" else ""

    assert errors(post(checked, body)) == {"payload": f"The payload{field} must be an array."}


def test_batch_is_checked_item_by_item(checked):
    good = post(checked, [SAMPLE, SAMPLE])
    bad = post(checked, [SAMPLE, {**SAMPLE, "qty": "1"}, {**SAMPLE, "items": [{"id": "x"}]}])

    assert good.status_code == 200
    assert bad.status_code == 422
    assert list(bad.json["errors"]) == ["1.qty", "2.items.0.id"]
    assert last_entry(checked).reason == "entity_mismatch: [1].qty integer (and 1 more)"


def test_scalar_in_a_batch_is_told_by_its_place(checked):
    assert list(post(checked, [SAMPLE, 5]).json["errors"]) == ["1"]


def test_rule_of_a_schema_by_hand_is_told_in_its_own_words(modern):
    with_entity(
        modern,
        json_schema={"type": "object", "properties": {"qty": {"minimum": 1}, "note": {"type": "null"}}},
    )

    response = post(modern, {"qty": 0, "note": "x"})

    assert set(errors(response).values()) == {
        "The qty field is invalid: 0 is less than the minimum of 1.",
        'The note field is invalid: "x" is not of type "null".',
    }


def test_integer_with_a_fraction_of_zero_is_an_integer(checked):
    body = json.dumps(SAMPLE).replace('"qty": 1', '"qty": 1.0').encode()

    assert post(checked, body).status_code == 200


@pytest.mark.parametrize("value", ["9" * 5000, "1" * 400 + ".5", "1e999"], ids=["5000-digits", "400-digits", "1e999"])
def test_huge_number_is_no_failure_of_ours(checked, value):
    body = json.dumps(SAMPLE).replace('"price": 1.5', f'"price": {value}').encode()

    assert post(checked, body).status_code in (200, 422)


def test_payload_reason_is_told_for_a_body_with_json_type_and_blank(both):
    response = send(both, "POST", "/v1/acme/orders", [bearer(both.token()), JSON])

    assert response.status_code == 422
    assert last_entry(both).reason == "blank_payload: payload required"
