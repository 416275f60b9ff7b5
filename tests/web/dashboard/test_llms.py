"""``llms.txt``: what it says is true, and can be done as it stands."""

from __future__ import annotations

import json
import re

from werkzeug.test import Client

from tests.conftest import Integration


def _text(integration: Integration) -> str:
    answer = integration.http.get("/_sandbox/llms.txt", headers={"Host": "127.0.0.1:9000"})
    assert answer.content_type == "text/plain; charset=utf-8"
    return answer.text


def test_every_path_of_the_text_exists(integration: Integration) -> None:
    named = re.findall(r"(?:`(GET|POST|PUT) |\()http://127\.0\.0\.1:9000(/_sandbox[\w/.-]+)", _text(integration))

    assert len(named) >= 14
    client = Client(integration.http.application)
    for method, path in named:
        assert (method or "GET") in client.options(path).headers["Allow"], path


def test_bodies_of_the_text_are_taken(integration: Integration) -> None:
    found = re.findall(
        r"`(POST|PUT) http://127\.0\.0\.1:9000(/_sandbox[\w/.-]+)` with (\{.*?\}+) ?[^}\"]*$",
        _text(integration),
        re.MULTILINE,
    )
    assert [path for _, path, _ in found][:2] == ["/_sandbox/requests/verify", "/_sandbox/faults"]

    statuses = [
        integration.http.open(path, method=method, json=json.loads(body)).status_code for method, path, body in found
    ]

    assert statuses == [409, 201, 200]
