"""Exports, saved states, seeds and the reset, by forms that work without JavaScript."""

from __future__ import annotations

import io
import json
from collections.abc import Callable

import pytest
from werkzeug.test import TestResponse

from tests.conftest import Integration
from tests.web.dashboard.forms import Forms

STATE = "/_sandbox/dashboard/state"
SEED = "companies:\n  - name: Beta Ltd\n    connectors:\n      - name: Shop\n        oauth_clients: [{name: One}]\n"


def test_page_links_every_export(integration: Integration) -> None:
    integration.post()
    html = integration.http.get(STATE).text

    for name in ("ndjson", "har", "curl"):
        address = f"/_sandbox/requests/export?format={name}"
        assert f'href="{address}"' in html
        assert integration.http.get(address).status_code == 200
    assert 'href="/_sandbox/state"' in html


def test_reset_is_confirmed_on_a_page(integration: Integration) -> None:
    integration.post()

    asked = integration.http.get(f"{STATE}/reset").text
    assert "<b>2</b> requests and <b>1</b> tokens" in asked
    assert len(integration.sandbox.journal) == 2
    answer = integration.http.post(f"{STATE}/reset", data=Forms(asked).forms[f"{STATE}/reset"])

    assert (answer.status_code, answer.headers["Location"]) == (303, "/_sandbox/")
    assert len(integration.sandbox.journal) == 0


def test_journal_is_cleared_and_the_rest_stays(integration: Integration) -> None:
    token = integration.token()
    integration.post(token=token)

    assert "<b>2</b> requests." in integration.http.get(f"{STATE}/clear").text
    assert integration.http.post(f"{STATE}/clear").headers["Location"] == "/_sandbox/"

    assert len(integration.sandbox.journal) == 0
    assert integration.post(token=token).status_code == 200


def _load(integration: Integration, what: str, document: bytes, **form: str) -> TestResponse:
    return integration.http.post(f"{STATE}/{what}", data={"file": (io.BytesIO(document), "x"), **form})


@pytest.mark.parametrize(
    ("query", "client_id", "said"),
    [
        ({}, None, "as before"),
        ({"secrets": "true"}, None, "as saved"),
        ({}, "3f0e8d5c-6c5b-4d0e-9a53-0c6f5b0a7d11", ""),
    ],
    ids=["kept", "saved", "new"],
)
def test_saved_state_is_loaded(
    integration: Integration,
    make_integration: Callable[..., Integration],
    query: dict[str, str],
    client_id: str | None,
    said: str,
) -> None:
    integration.post({"order": "1001"})
    saved = integration.http.get("/_sandbox/state", query_string=query).data
    other = make_integration(**({"client_id": client_id} if client_id else {}))

    answer = _load(other, "load", saved)

    assert answer.status_code == 200
    assert [entry.seq for entry in other.sandbox.journal.snapshot()] == [1, 2]
    shown = [each.secret for each in other.sandbox.credentials.values() if each.secret in answer.text]
    assert (said in answer.text, len(shown)) == (True, 0 if said else 1)


@pytest.mark.parametrize(
    ("what", "document", "status", "said"),
    [
        ("load", b"", 400, "not JSON"),
        ("load", b"{", 400, "not JSON"),
        ("load", b'{"version": 1}', 422, ""),
        ("load", b"[]", 422, "object"),
        ("load", "\u2603\x00".encode(), 400, "not JSON"),
        ("seed", b"", 422, "missing; send a seed"),
        ("seed", b"companies: 3", 422, "companies"),
        ("seed", b"a: [", 400, "not JSON"),
        ("seed", b"just text", 422, "a JSON object"),
        ("seed", b"!!python/object:os.system {}", 400, "not JSON"),
        ("seed", b"settings: {client_secret: '${HOME}'}", 422, ""),
    ],
)
def test_refused_document_changes_nothing(
    integration: Integration, what: str, document: bytes, status: int, said: str
) -> None:
    integration.post()

    answers = [_load(integration, what, document), integration.http.post(f"{STATE}/{what}", data={"text": document})]

    assert [answer.status_code for answer in answers] == [status, status]
    assert all('role="alert"' in answer.text and said in answer.text for answer in answers)
    assert len(integration.sandbox.journal) == 2


def test_text_that_was_refused_stays_in_the_form(integration: Integration) -> None:
    answer = integration.http.post(f"{STATE}/seed", data={"text": "companies: </textarea>"})

    assert "companies: &lt;/textarea&gt;" in answer.text


def test_seed_of_yaml_replaces_and_shows_new_secrets(integration: Integration) -> None:
    answer = _load(integration, "seed", SEED.encode())

    assert answer.status_code == 200
    assert [company.name for company in integration.sandbox.store.companies()] == ["Beta Ltd"]
    (new,) = integration.sandbox.credentials.values()
    assert new.secret in answer.text
    assert integration.http.get("/_sandbox/dashboard/connectors").headers["Cache-Control"] == "no-store"
    assert answer.headers["Cache-Control"] == "no-store"


def test_seed_is_put_on_top(integration: Integration) -> None:
    answer = integration.http.post(f"{STATE}/seed", data={"text": json.dumps({"companies": []}), "how": "add"})
    more = integration.http.post(f"{STATE}/seed", data={"text": SEED, "how": "add"})

    assert (answer.status_code, more.status_code) == (200, 200)
    assert "Beta Ltd" in [company.name for company in integration.sandbox.store.companies()]
    assert len(integration.sandbox.store.companies()) > 1


def test_seed_reads_no_file_and_no_variable(integration: Integration, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_SECRET", "from-the-environment")
    named = _load(integration, "seed", b"companies: [{name: '${A_SECRET}'}]")
    entity = "{type: a, name: b, sample_file: /etc/hostname}"
    filed = _load(
        integration, "seed", f"companies: [{{name: A, connectors: [{{name: B, entities: [{entity}]}}]}}]".encode()
    )

    assert "from-the-environment" not in str(integration.sandbox.store.companies())
    assert "from-the-environment" not in named.text
    assert filed.status_code == 422


def test_seed_beyond_half_a_megabyte_is_read_from_the_text_field(integration: Integration) -> None:
    text = SEED + "# " + "x" * 600_000

    assert integration.http.post(f"{STATE}/seed", data={"text": text}).status_code == 200


def test_state_beyond_its_limit_is_refused(make_integration: Callable[..., Integration]) -> None:
    integration = make_integration(state_limit=1_000)

    assert _load(integration, "load", b"x" * 200_000).status_code == 413


def test_page_that_does_not_exist(integration: Integration) -> None:
    assert integration.http.get(f"{STATE}/nothing").status_code == 404
