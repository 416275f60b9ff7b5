"""Every recorded request gets the recorded answer: status, each recorded header and the body byte for byte."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import Any

import jwt
import pytest

from tests.web.emulated.sending import send

VECTORS: list[dict[str, Any]] = json.loads(Path(__file__).with_name("vectors.json").read_text(encoding="ascii"))[
    "vectors"
]
JWT = "{jwt}"


def expanded(text: str, values: dict[str, str]) -> str:
    """Put values in place of the placeholders; of ``{basic:…}`` last, since it may hold others."""
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", value)
    return re.sub(r"\{basic:([^}]*)\}", lambda match: base64.b64encode(match[1].encode()).decode(), text)


@pytest.fixture
def requests_of(make_integration):
    """Send the requests of a vector's profile, exactly as they were recorded."""

    def send_recorded(vector):
        integration = make_integration(wire_profile=vector["profile"], scopes=["read", "write"])
        values = {"client_id": integration.client_id, "client_secret": integration.client_secret}
        request = vector["request"]
        headers = [(name, expanded(value, values)) for name, value in request["headers"].items()]
        body = expanded(request["body"], values).encode("latin-1")
        return send(integration, request["method"], request["path"], headers, body)

    return send_recorded


def test_there_are_vectors_of_both_profiles():
    names = {
        profile: {vector["name"] for vector in VECTORS if vector["profile"] == profile}
        for profile in ("modern", "legacy")
    }

    assert names["modern"] == names["legacy"]
    assert len(names["modern"]) * 2 == len(VECTORS)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: f"{vector['profile']}-{vector['name']}")
def test_answer_is_the_recorded_one(requests_of, vector):
    recorded = vector["response"]

    response = requests_of(vector)

    assert response.status_code == recorded["status"]
    assert {name: response.headers.get(name) for name in recorded["headers"]} == recorded["headers"]
    body = response.data.decode("latin-1")
    if JWT in recorded["body"]:
        access_token = response.json["access_token"]
        assert jwt.get_unverified_header(access_token) == {"typ": "JWT", "alg": "RS256"}
        body = body.replace(access_token, JWT)
    assert body == recorded["body"]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: f"{vector['profile']}-{vector['name']}")
def test_recorded_answers_challenge_only_where_recorded(requests_of, vector):
    response = requests_of(vector)

    assert ("WWW-Authenticate" in response.headers) == ("www-authenticate" in vector["response"]["headers"])
