"""Process flows, API keys and users by the control API."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import Integration
from tests.web.control.problem import detail

ID = "01hx3v9k2m8e5n7q4r6s0t1w3a"


def test_flow_is_added_changed_and_deleted(integration: Integration) -> None:
    given = {
        "name": "Stock out",
        "versions": [7, 8],
        "deployed": 7,
        "webhooks": [{"id": ID, "answer": {"status": 202}}],
    }
    added = integration.control("POST", "/companies/acme/flows", given)
    flow = added.get_json()
    path = f"/flows/{flow['id']}"

    assert (added.status_code, added.headers["Cache-Control"]) == (201, "no-store")
    assert (flow["versions"], flow["deployed"], flow["enabled"]) == ([7, 8], 7, True)
    (hook,) = flow["webhooks"]
    assert hook["url"] == f"http://localhost/api/v1/acme/{ID}?patchworks_signature={hook['signature']}"
    changed = integration.control("PATCH", path, {"enabled": False, "deployed": None}).get_json()
    assert (changed["enabled"], changed["deployed"]) == (False, None)
    assert integration.control("POST", f"{path}/versions").get_json()["versions"] == [7, 8, 9]
    assert [each["name"] for each in integration.control("GET", "/flows").get_json()] == ["Orders in", "Stock out"]
    assert integration.control("GET", path).status_code == 200
    assert integration.control("DELETE", path).status_code == 204
    assert integration.control("GET", path).status_code == 404


def test_webhooks_and_callbacks_are_added_and_deleted(integration: Integration) -> None:
    hmac = {"algorithm": "sha256", "key": "a key of the sender"}
    webhook = integration.control("POST", "/flows/1/webhooks", {"hmac": hmac}).get_json()
    callback = integration.control("POST", "/flows/1/callbacks", {"returns": [1], "format": "xml"}).get_json()

    answered = integration.http.get(callback["url"].removeprefix("http://localhost"))
    assert (answered.status_code, answered.data, answered.mimetype) == (200, b"[1]", "application/xml")
    assert webhook["hmac"] == {"algorithm": "sha256"}
    listed = integration.control("GET", "/flows").text
    assert "a key of the sender" not in listed
    for hook in (webhook, callback):
        assert integration.control("DELETE", f"/flows/1/hooks/{hook['id']}").status_code == 204
    assert integration.http.get(callback["url"].removeprefix("http://localhost")).status_code == 404


def test_signatures_are_shown_on_this_machine_only(integration: Integration) -> None:
    (flow,) = integration.control("GET", "/flows").get_json()
    far = integration.http.get("/_sandbox/flows", environ_base={"REMOTE_ADDR": "192.0.2.1"}).get_json()[0]
    ready = integration.http.get("/_sandbox/endpoints", environ_base={"REMOTE_ADDR": "192.0.2.1"}).get_json()

    assert flow["webhooks"][0]["signature"] in flow["webhooks"][0]["url"]
    assert far["webhooks"][0]["signature"] is None
    assert "patchworks_signature" not in f"{far}{ready}"
    assert ready["api_key"] is None


def test_endpoints_have_the_addresses_of_flows_and_a_key(integration: Integration) -> None:
    ready = integration.control("GET", "/endpoints").get_json()
    flow = ready["flows"]["Orders in"]

    assert (flow["id"], flow["start_url"]) == (1, "http://localhost/api/v1/flows/1/start")
    assert [ready[name] for name in ("login_url", "start_url", "core_url")] == [
        "http://localhost/api/v1/login",
        "http://localhost/api/v1",
        "http://localhost/api/v1",
    ]
    paths = [url.removeprefix("http://localhost") for url in (*flow["webhooks"], *flow["callbacks"])]
    assert [integration.http.post(path, data=b"x").status_code for path in paths] == [200, 200]
    started = integration.http.post("/api/v1/flows/1/start", headers={"Authorization": ready["api_key"]})
    assert started.status_code == 200


def test_flow_is_copied_with_new_ids_and_the_same_answers(integration: Integration) -> None:
    webhook = {"id": ID, "hmac": {"algorithm": "sha256", "key": "a key of the sender"}, "answer": {"status": 202}}
    given = {"name": "Stock", "versions": [21, 22], "deployed": 21, "enabled": False, "webhooks": [webhook]}
    flow = integration.control("POST", "/companies/acme/flows", given).get_json()
    integration.control("POST", "/companies", {"name": "Other"})

    added = integration.control("POST", f"/companies/other/flows/{flow['id']}/copy")
    copied = added.get_json()

    assert added.status_code == 201
    assert (copied["company"], copied["name"], copied["enabled"]) == ("other", "Stock", False)
    assert copied["versions"].index(copied["deployed"]) == 0
    (hook,) = copied["webhooks"]
    assert hook["id"] != ID
    assert (hook["hmac"], hook["answer"]["status"]) == ({"algorithm": "sha256"}, 202)
    assert "a key of the sender" not in added.text
    assert integration.control("POST", f"/companies/other/flows/{flow['id']}/copy").status_code == 409
    assert integration.control("POST", "/companies/other/flows/99/copy").status_code == 404
    assert integration.control("POST", f"/companies/none/flows/{flow['id']}/copy").status_code == 404


def test_api_key_is_shown_once_listed_revoked_and_deleted(integration: Integration) -> None:
    added = integration.control("POST", "/companies/acme/api-keys", {"name": "CI"})
    key = added.get_json()
    path = f"/api-keys/{key['id']}"

    assert (added.status_code, added.headers["Cache-Control"], len(key["key"])) == (201, "no-store", 40)
    listed = integration.control("GET", "/api-keys")
    assert key["key"] not in listed.text
    assert [each["name"] for each in listed.get_json()] == ["Demo key", "CI"]
    assert listed.get_json()[1]["last_four"] == key["key"][-4:]
    assert integration.control("POST", f"{path}/revoke").get_json()["revoked"]
    assert integration.http.post("/api/v1/flows/1/start", headers={"Authorization": key["key"]}).status_code == 401
    assert integration.control("DELETE", path).status_code == 204
    assert integration.control("DELETE", path).status_code == 404


def test_user_is_added_listed_and_deleted(integration: Integration) -> None:
    ada = {"email": "ada@example.test", "password": "correct-horse"}
    user = integration.control("POST", "/companies/acme/users", ada).get_json()

    token = integration.http.post("/api/v1/login", json=ada).get_json()["token"]
    headers = {"Authorization": f"Bearer {token}"}
    assert integration.http.post("/api/v1/flows/1/start", headers=headers).status_code == 200
    assert "correct-horse" not in integration.control("GET", "/users").text
    assert integration.control("DELETE", f"/users/{user['id']}").status_code == 204
    assert integration.http.post("/api/v1/flows/1/start", headers=headers).status_code == 401
    integration.control("POST", "/companies/acme/users", ada)  # another user, who did not log in
    assert integration.http.post("/api/v1/flows/1/start", headers=headers).status_code == 401
    entry = next(integration.sandbox.journal.newest_first())
    assert entry.reason == "user_deleted: the user of the token was deleted"


def test_runs_of_a_flow_are_listed(integration: Integration) -> None:
    url = integration.control("GET", "/flows/1").get_json()["webhooks"][0]["url"]
    integration.http.post(url.removeprefix("http://localhost"), data=b"x")
    answer = integration.control("GET", "/flows/1/runs").get_json()
    (run,) = answer["runs"]

    assert (answer["next_after"], answer["dropped"]) == (None, 0)
    assert (run["trigger"], run["status"], run["flow"], run["version"]) == ("Webhook", 2, "Orders in", 1)
    (entry,) = integration.control("GET", "/requests?flow=Orders in").get_json()["entries"]
    assert (entry["id"], entry["run"], entry["hook"]) == (run["entry"], run["id"], "01hx3v9k2m8e5n7q4r6s0t1w2y")


def test_runs_of_a_flow_are_listed_a_page_at_a_time(integration: Integration) -> None:
    url = integration.control("GET", "/flows/1").get_json()["webhooks"][0]["url"]
    for _ in range(3):
        integration.http.post(url.removeprefix("http://localhost"), data=b"x")
    pages = [integration.control("GET", f"/flows/1/runs?limit=2&after={after}").get_json() for after in (0, 2)]

    ids = [run.id for run in integration.sandbox.platform.runs.runs()]
    assert [[run["id"] for run in page["runs"]] for page in pages] == [ids[:2], ids[2:]]
    assert [page["next_after"] for page in pages] == [2, None]
    assert integration.control("GET", "/flows/1/runs?limit=1001").status_code == 422
    assert integration.control("GET", "/flows/9/runs").status_code == 404


@pytest.mark.parametrize(("path", "body", "status", "told"), [
    ("/companies/acme/flows", {}, 422, "body: the key 'name' is missing"),
    ("/companies/acme/flows", [], 422, "a list is not allowed"),
    ("/companies/acme/flows", {"name": "x", "colour": 1}, 422, "body.colour: is unknown"),
    ("/companies/acme/flows", {"name": "x", "webhooks": [{"id": "X"}]}, 422, "body.webhooks[0].id: 'X' is not allowed"),
    ("/companies/acme/flows", {"name": "x", "deployed": 3}, 422, "body.deployed: is no version"),
    ("/companies/acme/flows", {"name": "Orders in"}, 409, "has a flow 'Orders in' already"),
    ("/companies/acme/flows", {"name": "x", "versions": [1]}, 409, "version 1 belongs to another flow"),
    ("/companies/none/flows", {"name": "x"}, 404, "there is no company 'none'"),
    ("/flows/9/webhooks", {}, 404, "there is no flow 9"),
    ("/flows/1/webhooks", {"id": "01hx3v9k2m8e5n7q4r6s0t1w2z"}, 409, "there is a webhook or callback"),
    ("/flows/1/webhooks", {"hmac": {"algorithm": "md5", "key": "long enough"}}, 422, "body.hmac.algorithm"),
    ("/flows/1/callbacks", {"format": "csv"}, 422, "body.format: 'csv' is not allowed"),
    ("/companies/acme/api-keys", {"name": "Demo key"}, 409, "has an API key 'Demo key' already"),
    ("/companies/acme/api-keys", {"name": "x", "key": "geheim!"}, 422, "a value of 7 characters"),
    ("/companies/acme/users", {"email": "ada", "password": "geheim"}, 422, "body.email"),
])  # fmt: skip
def test_wrong_addition_is_refused_with_its_field(
    integration: Integration, path: str, body: Any, status: int, told: str
) -> None:
    text = detail(integration.control("POST", path, body), status)

    assert told in text
    assert "geheim" not in text


def test_each_wrong_field_of_an_addition_is_an_error_of_its_own(integration: Integration) -> None:
    webhook = {"id": "X", "answer": {"status": 1}}

    for path, body, below in (
        ("/flows/1/webhooks", webhook, ""),
        ("/companies/acme/flows", {"name": "x", "webhooks": [webhook]}, "webhooks[0]."),
    ):
        errors = integration.control("POST", path, body).json["errors"]  # type: ignore[index]
        assert sorted(error["field"] for error in errors) == [f"body.{below}answer.status", f"body.{below}id"]
        assert "seed: " not in "".join(error["message"] for error in errors)


@pytest.mark.parametrize("body", [{}, {"deployed": 99}, {"enabled": "yes"}, {"deployed": True}])
def test_wrong_change_is_refused(integration: Integration, body: Any) -> None:
    assert integration.control("PATCH", "/flows/1", body).status_code == 422


def test_number_that_is_whole_may_be_written_with_a_point(integration: Integration) -> None:
    webhook = {"answer": {"status": 202.0}}

    added = integration.control(
        "POST", "/companies/acme/flows", {"name": "x", "versions": [7.0], "webhooks": [webhook]}
    )

    assert added.status_code == 201, added.text
    assert added.json["versions"] == [7]  # type: ignore[index]
