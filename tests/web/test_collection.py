"""The collection for Postman and Bruno: a tool that fills in its variables has each request accepted."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from werkzeug.test import Client, TestResponse

from sandbox import Sandbox
from sandbox.web.app import SandboxApp

BEYOND = {"REMOTE_ADDR": "203.0.113.7"}


def collection_of(sandbox: Sandbox, **environ: Any) -> Any:
    answer = Client(SandboxApp(sandbox)).get("/_sandbox/collection.json", **environ)
    assert answer.headers["Cache-Control"] == "no-store"
    return answer.get_json()


class Runner:
    """Does what newman does with a collection: fills in variables, sends, keeps the token where a script says so."""

    def __init__(self, sandbox: Sandbox, collection: Any) -> None:
        self._client = Client(SandboxApp(sandbox))
        self._values = {each["key"]: each["value"] for each in collection["variable"]}

    def filled(self, text: str) -> str:
        return re.sub(r"\{\{(\w+)\}\}", lambda found: self._values[found[1]], text)

    def send(self, item: Any) -> TestResponse:
        request = item["request"]
        headers = {each["key"]: self.filled(each["value"]) for each in request["header"]}
        if "auth" not in request:
            headers["Authorization"] = f"Bearer {self._values['token']}"
        body: Any = request["body"].get("raw")
        if body is None:
            body = {field["key"]: self.filled(field["value"]) for field in request["body"]["urlencoded"]}
        answer = self._client.open(self.filled(request["url"]), method=request["method"], headers=headers, data=body)
        if '"token"' in "".join(item["event"][0]["script"]["exec"]):
            self._values["token"] = answer.get_json()["access_token"]
        return answer


def test_each_request_is_accepted_untouched_and_conforms(sandbox: Sandbox) -> None:
    collection = collection_of(sandbox)
    runner = Runner(sandbox, collection)

    answers = {item["name"]: runner.send(item).status_code for item in collection["item"]}

    assert answers == {
        "Get an access token": 200,
        "Send a payload to acme/orders": 200,
        "Send a payload to acme/products": 200,
        "Send a payload to acme/anything": 200,
    }
    violations = Client(SandboxApp(sandbox)).get("/_sandbox/contract-violations").get_json()
    assert violations["requests"] == []


def test_services_that_the_client_cannot_use_are_left_out(sandbox: Sandbox) -> None:
    control = Client(SandboxApp(sandbox))
    till = {"name": "Till", "entities": [{"type": "custom", "name": "other"}], "oauth_clients": [{"name": "Till"}]}
    till["services"] = [{"vanity_url": "other", "entity": "other"}]
    added = control.post("/_sandbox/seed", json={"companies": [{"name": "Beta", "connectors": [till]}]})
    switched_off = control.patch("/_sandbox/services/1", json={"active": False})
    assert (added.status_code, switched_off.status_code) == (200, 200), added.text

    names = [item["name"] for item in collection_of(sandbox)["item"]]

    assert names == ["Get an access token", "Send a payload to acme/products", "Send a payload to acme/anything"]


def test_secret_is_for_an_asker_who_may_know_it(sandbox: Sandbox) -> None:
    (secret,) = [new.secret for new in sandbox.credentials.values()]

    own, beyond = (json.dumps(collection_of(sandbox, **environ)) for environ in ({}, {"environ_base": BEYOND}))

    assert secret in own
    assert secret not in beyond


def test_sandbox_without_a_client_or_a_service_has_a_collection(sandbox: Sandbox) -> None:
    put = Client(SandboxApp(sandbox)).put("/_sandbox/seed", json={"companies": []})
    assert put.status_code == 200, put.text

    collection = collection_of(sandbox)

    assert [item["name"] for item in collection["item"]] == ["Get an access token"]


@pytest.mark.parametrize("path", ["/login", "/token"])
def test_path_of_the_token_endpoint_is_that_of_the_sandbox(path: str) -> None:
    (token, *_) = collection_of(Sandbox(settings={"token_path": path}))["item"]

    assert token["request"]["url"] == "{{base_url}}" + path
