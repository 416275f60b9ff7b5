"""The control application as it is made when it is first needed."""

from __future__ import annotations

import errno
from collections.abc import Callable

import pytest
from werkzeug.test import Client, TestResponse

from sandbox import Sandbox
from sandbox.web.app import SandboxApp
from sandbox.web.control.app import control_app


def test_control_app_that_could_not_be_made_whole_is_made_anew(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none_left(*_: object) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    control_app.cache_clear()
    app = SandboxApp(sandbox)
    with monkeypatch.context() as patch:
        patch.setattr("sandbox.web.control.app.serve_documents", none_left)
        with pytest.raises(OSError, match="Too many open files"):
            _ = app.control

    answers = [Client(app).get(path) for path in ("/_sandbox/", "/_sandbox/openapi-control.yaml")]
    assert [answer.status_code for answer in answers] == [200, 200]


def test_sandboxes_of_a_process_share_an_application_and_nothing_else(make_sandbox: Callable[..., Sandbox]) -> None:
    one = SandboxApp(make_sandbox(token_path="/token"), control_key="first", ca_pem=b"authority")
    two = SandboxApp(make_sandbox(), control_key="second")
    assert one.control is two.control

    def answers(app: SandboxApp, key: str) -> list[TestResponse]:
        client, bearer = Client(app), {"Authorization": f"Bearer {key}"}
        paths = ("companies", "ca.pem", "openapi.yaml")
        return [client.get(f"/_sandbox/{path}", headers=bearer) for path in paths]

    one.sandbox.store.add_company("Beta")

    assert [answer.status_code for answer in answers(one, "first") + answers(two, "second")] == [
        200,
        200,
        200,
        200,
        404,
        200,
    ]
    assert [answer.status_code for answer in answers(two, "first")] == [401, 404, 401]
    assert [len(answers(app, key)[0].get_json()) for app, key in ((one, "first"), (two, "second"))] == [2, 1]
    assert ["\n  /token:" in answers(app, key)[2].text for app, key in ((one, "first"), (two, "second"))] == [
        True,
        False,
    ]


def test_document_is_made_when_it_is_asked_for(sandbox: Sandbox) -> None:
    control_app.cache_clear()
    app = SandboxApp(sandbox)
    client = Client(app)

    assert client.get("/_sandbox/clock").status_code == 200
    api = app.control.extensions["openapi"].__self__
    assert len(api.undocumented) > 1
    first, second = (client.get("/_sandbox/openapi-control.yaml").text for _ in range(2))
    assert api.undocumented == []
    assert first == second
    assert "operationId: getClock" in first
