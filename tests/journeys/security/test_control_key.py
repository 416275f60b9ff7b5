"""Beyond loopback, and wherever one is set, the control API needs a key, and nothing but health answers without it."""

from __future__ import annotations

import base64
import hmac
import logging
from collections.abc import Callable
from typing import Any

import pytest
import requests
from werkzeug.test import Client, TestResponse

from sandbox import RemoteSandbox, Sandbox, SandboxServer
from sandbox.foundation.errors import InvalidValueError, ProblemError, SettingError
from sandbox.foundation.settings import Settings, setting_specs
from sandbox.web.app import SandboxApp
from sandbox.web.control.guard import OPEN_PATHS
from tests.conftest import Integration
from tests.web.control.problem import detail

KEY = "correct-horse-battery-staple"
MakeIntegration = Callable[..., Integration]


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def ask(integration: Integration, authorization: str | None, path: str = "/_sandbox/requests") -> TestResponse:
    headers = {} if authorization is None else {"Authorization": authorization}
    return integration.http.get(path, headers=headers)


@pytest.fixture
def guarded(make_integration: MakeIntegration) -> Integration:
    return make_integration(control_key=KEY)


# --- who is let in ----------------------------------------------------------------------------------------------------

RIGHT = {
    "bearer": f"Bearer {KEY}",
    "bearer, as careless clients write it": f"bearer  {KEY} ",
    "password": basic("anybody", KEY),
    "password without a user": basic("", KEY),
}
WRONG = {
    "nothing": None,
    "no scheme": KEY,
    "another key": f"Bearer {KEY[:-1]}x",
    "its beginning": f"Bearer {KEY[:-1]}",
    "more than it": f"Bearer {KEY}x",
    "in capitals": f"Bearer {KEY.upper()}",
    "an empty token": "Bearer ",
    "an empty header": "",
    "beyond ASCII": "Bearer s\xe9same-ouvre-toi",
    "another scheme": f"Digest {KEY}",
    "as the user": basic(KEY, ""),
    "a password with more": basic("me", f"{KEY}:"),
    "no base64": f"Basic {KEY}!",
    "no base64 beyond ASCII": "Basic \xff\xfe",
    "two at once": f"Bearer {KEY},Bearer {KEY}",
    "none": "None",
}


@pytest.mark.parametrize("authorization", RIGHT.values(), ids=RIGHT)
def test_who_brings_the_key_is_let_in(guarded: Integration, authorization: str) -> None:
    assert ask(guarded, authorization).status_code == 200


@pytest.mark.parametrize("authorization", WRONG.values(), ids=WRONG)
def test_who_does_not_is_told_how_and_where_from(guarded: Integration, authorization: str | None) -> None:
    answer = ask(guarded, authorization)

    told = detail(answer, 401)
    assert "Authorization: Bearer" in told
    assert "ready file" in told
    assert KEY not in answer.text
    assert answer.headers.getlist("WWW-Authenticate") == [
        'Bearer realm="patchworks-sandbox control API"',
        'Basic realm="patchworks-sandbox control API", charset="UTF-8"',
    ]


def test_no_route_but_health_answers_without_the_key(guarded: Integration) -> None:
    http = Client(guarded.http.application)
    rules = [rule for rule in guarded.http.application.control.url_map.iter_rules() if rule.methods]
    calls = [(method, rule.rule) for rule in rules for method in rule.methods or ()]

    statuses = {(method, path): http.open(path, method=method).status_code for method, path in calls}

    assert len(statuses) > 100
    assert {path for (_, path), status in statuses.items() if status != 401} == set(OPEN_PATHS)


@pytest.mark.parametrize(
    "path",
    ["/_sandbox", "/_sandbox/", "/_sandbox/nowhere", "/_sandbox/health/", "/_sandbox//health", "/_sandbox/HEALTH"],
)
def test_what_does_not_exist_needs_the_key_too(guarded: Integration, path: str) -> None:
    assert Client(guarded.http.application).get(path).status_code == 401


def test_key_opens_nothing_at_the_emulated_api(guarded: Integration) -> None:
    assert guarded.post(token=KEY).status_code == 401
    assert guarded.post().status_code == 200


def test_page_of_another_site_is_refused_with_the_key_too(guarded: Integration) -> None:
    """A browser sends the password of its own accord, whoever's page asks."""
    headers = {"Authorization": basic("me", KEY), "Origin": "https://evil.example"}

    answer = guarded.http.post("/_sandbox/reset", headers=headers)

    assert answer.status_code == 403


def test_unknown_host_does_not_learn_that_there_is_a_key(guarded: Integration) -> None:
    answer = guarded.http.get("/_sandbox/requests", headers={"Host": "rebound.example"})

    assert answer.status_code == 403
    assert "WWW-Authenticate" not in answer.headers


def test_key_is_compared_in_constant_time(guarded: Integration, monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[bytes, bytes]] = []

    def compare_digest(ours: bytes, given: bytes) -> bool:
        compared.append((ours, given))
        return ours == given

    monkeypatch.setattr(hmac, "compare_digest", compare_digest)
    for authorization in ("Bearer x", f"Bearer {KEY}", None):
        ask(guarded, authorization)

    assert len(compared) == 3
    assert {len(value) for pair in compared for value in pair} == {32}


# --- when there is one ------------------------------------------------------------------------------------------------

BEYOND = ["0.0.0.0", "::", "192.0.2.1", "example.test", "", "127.1", "localhost.example", "::ffff:192.0.2.1"]
LOOPBACK = ["127.0.0.1", "127.255.0.1", "localhost", "LOCALHOST", "::1", "::ffff:127.0.0.1"]


@pytest.mark.parametrize("host", BEYOND)
def test_server_beyond_loopback_makes_itself_a_key(sandbox: Sandbox, host: str) -> None:
    keys = {SandboxServer(sandbox, host).control_key for _ in range(2)}

    assert len(keys) == 2
    assert all(key is not None and len(key) == 40 and key.isalnum() for key in keys)


@pytest.mark.parametrize("host", LOOPBACK)
def test_server_on_loopback_needs_none(sandbox: Sandbox, host: str) -> None:
    assert SandboxServer(sandbox, host).control_key is None


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
def test_key_that_is_given_is_asked_for_wherever_it_listens(make_sandbox: Callable[..., Sandbox], host: str) -> None:
    assert SandboxServer(make_sandbox(control_key=KEY), host).control_key == KEY


def test_no_key_is_made_where_none_is_wanted(make_sandbox: Callable[..., Sandbox]) -> None:
    assert SandboxServer(make_sandbox(no_control_key=True), "0.0.0.0").control_key is None


def test_application_without_a_server_asks_for_a_key_that_is_set_only(make_sandbox: Callable[..., Sandbox]) -> None:
    assert SandboxApp(make_sandbox(host="0.0.0.0")).control_key is None
    assert SandboxApp(make_sandbox(control_key=KEY)).control_key == KEY


def test_seeded_sandbox_makes_another_key_each_time(make_sandbox: Callable[..., Sandbox]) -> None:
    keys = {SandboxServer(make_sandbox(random_seed=1), "0.0.0.0").control_key for _ in range(2)}

    assert len(keys) == 2


# --- the settings -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["", None])
def test_empty_key_is_none(key: str | None) -> None:
    assert Settings(control_key=key).control_key is None


@pytest.mark.parametrize(
    "key", ["x" * 15, "x" * 257, "with a space in it", "sésame-ouvre-toi-donc", "a:colon-in-the-key"]
)
def test_key_that_could_not_be_sent_or_be_guessed_is_refused_unseen(key: str) -> None:
    with pytest.raises(SettingError, match="16 to 256 letters") as caught:
        Settings(control_key=key)

    assert key not in str(caught.value)
    assert caught.value.given != key


def test_key_and_no_key_exclude_each_other() -> None:
    with pytest.raises(SettingError, match="false where control_key names a key"):
        Settings(control_key=KEY, no_control_key=True)


def test_key_is_shown_nowhere(guarded: Integration, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    headers = {"Authorization": f"Bearer {KEY}"}
    http = guarded.http

    shown = [
        repr(guarded.sandbox.settings),
        repr(SandboxServer(guarded.sandbox, port=9000).endpoints),
        http.get("/_sandbox/settings", headers=headers).text,
        http.patch("/_sandbox/settings", json={"control_key": KEY}, headers=headers).text,
        http.get("/_sandbox/openapi-control.yaml", headers=headers).text,
        http.get("/_sandbox/nowhere", headers=headers).text,
        caplog.text,
    ]

    assert [text for text in shown if KEY in text] == []
    assert [spec.name for spec in setting_specs() if spec.secret] == ["control_key", "client_secret"]


# --- over the wire ----------------------------------------------------------------------------------------------------


@pytest.fixture
def server(make_sandbox: Callable[..., Sandbox]) -> Any:
    with SandboxServer(make_sandbox(control_key=KEY)) as server:
        yield server
    assert server.errors == []


def test_remote_sandbox_brings_the_key(server: SandboxServer) -> None:
    with RemoteSandbox(server.base_url, control_key=KEY) as remote:
        assert remote.company == "acme"
        assert len(remote.requests) == 0


def test_remote_sandbox_finds_the_key_in_the_environment(
    server: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATCHWORKS_SANDBOX_CONTROL_KEY", KEY)

    with RemoteSandbox(server.base_url) as remote:
        assert remote.company == "acme"


def test_remote_sandbox_without_the_key_says_what_to_do(server: SandboxServer) -> None:
    with RemoteSandbox(server.base_url) as remote, pytest.raises(ProblemError, match="PATCHWORKS_SANDBOX_CONTROL_KEY"):
        remote.reset()


def test_key_that_no_sandbox_can_have_is_refused_before_it_is_sent(server: SandboxServer) -> None:
    with pytest.raises(InvalidValueError, match="16 to 256") as caught:
        RemoteSandbox(server.base_url, control_key="short\r\nX: y")

    assert "short" not in str(caught.value)


def test_netrc_does_not_take_the_place_of_the_key(
    server: SandboxServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    (tmp_path / "netrc").write_text("default login me password other\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))

    with RemoteSandbox(server.base_url, control_key=KEY, session=requests.Session()) as remote:
        assert remote.company == "acme"


def test_stream_needs_the_key(server: SandboxServer) -> None:
    url = f"{server.base_url}/_sandbox/requests/stream"

    with requests.get(url, timeout=5) as refused:
        assert refused.status_code == 401
    with requests.get(url, auth=("any", KEY), stream=True, timeout=5) as stream:
        assert (stream.status_code, stream.headers["Content-Type"]) == (200, "text/event-stream; charset=utf-8")


def test_server_that_refuses_a_request_keeps_the_key_out_of_the_journal(server: SandboxServer) -> None:
    """A path so written that the server does not know it for the control API's."""
    with requests.Session() as session:
        request = requests.Request("GET", server.base_url, headers={"Authorization": f"Bearer {KEY}"}).prepare()
        request.url = f"{server.base_url}/%5fsandbox/requests"
        request.headers["Expect"] = "the impossible"
        answer = session.send(request, timeout=5)

    assert answer.status_code == 417
    assert KEY not in repr(server.sandbox.journal.snapshot())
