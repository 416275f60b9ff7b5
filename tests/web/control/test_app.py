"""The control application as it is made when it is first needed."""

from __future__ import annotations

import errno
import os
import re
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from werkzeug.test import Client, TestResponse

from sandbox import Sandbox
from sandbox.web.app import SandboxApp
from sandbox.web.control.app import ControlApi, control_app, part_of
from sandbox.web.control.base import Blueprint

_INSTANT = re.compile(r"[0-9-]{10}T[0-9:.]+Z")


def test_control_app_that_could_not_be_made_whole_is_made_anew(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none_left(*_: object) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    control_app.cache_clear()
    app = SandboxApp(sandbox)
    with monkeypatch.context() as patch:
        patch.setattr("sandbox.web.spec.serve_documents", none_left)
        with pytest.raises(OSError, match="Too many open files"):
            _ = app.control

    answers = [Client(app).get(path) for path in ("/_sandbox/", "/_sandbox/openapi-control.yaml")]
    assert [answer.status_code for answer in answers] == [200, 200]


@pytest.mark.parametrize("path", ["/_sandbox/clock", "/_sandbox/"])
def test_first_requests_at_a_time_make_one_application(
    make_sandbox: Callable[..., Sandbox], monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    together = threading.Barrier(6)
    apps = [SandboxApp(make_sandbox()) for _ in range(3)]
    made: list[Flask] = []
    init = ControlApi.__init__
    monkeypatch.setattr(ControlApi, "__init__", lambda api, app: (made.append(app), init(api, app))[1])

    def ask(app: SandboxApp) -> int:
        together.wait()
        return Client(app).get(path).status_code

    control_app.cache_clear()
    with ThreadPoolExecutor(6) as pool:
        statuses = list(pool.map(ask, apps * 2))
    assert (statuses, len(made)) == ([200] * 6, 1)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_process_that_is_forked_while_the_application_is_made_has_one_too(
    make_sandbox: Callable[..., Sandbox], monkeypatch: pytest.MonkeyPatch
) -> None:
    app, begun, forking = SandboxApp(make_sandbox()), threading.Event(), threading.Event()
    init = ControlApi.__init__
    monkeypatch.setattr(ControlApi, "__init__", lambda api, app: (begun.set(), forking.wait(10), init(api, app))[2])
    os.register_at_fork(before=forking.set)  # called before those that were registered earlier

    control_app.cache_clear()
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(Client(app).get, "/_sandbox/clock")
        begun.wait(10)
        child = os.fork()
        if not child:
            signal.alarm(10)
            os._exit(Client(app).get("/_sandbox/clock").status_code != 200)
        status = os.waitpid(child, 0)[1]

    assert (status, answer.result().status_code) == (0, 200)


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


def test_a_part_has_the_views_of_the_whole(sandbox: Sandbox) -> None:
    def rules(app: Flask, part: str) -> set[tuple[str, str, str]]:
        found = [rule for rule in app.url_map.iter_rules() if part_of(rule.rule) == part]
        return {(rule.rule, rule.endpoint, ",".join(sorted(rule.methods or ()))) for rule in found}

    whole = SandboxApp(sandbox).control
    parts = {part_of(rule.rule) for rule in whole.url_map.iter_rules()}
    views = {rule.endpoint for rule in whole.url_map.iter_rules() if part_of(rule.rule)}

    assert views == {name for name in whole.view_functions if isinstance(_blueprint_of(whole, name), Blueprint)}
    assert len(parts) > 20
    for part in parts - {""}:
        assert rules(control_app(part), part) == rules(whole, part), part


def _blueprint_of(app: Flask, endpoint: str) -> object:
    return app.blueprints.get(endpoint.rpartition(".")[0])


@pytest.mark.parametrize("path", ["clock", "clock/nothing", "services/0", "requests?limit=x", "nothing", "clock//", ""])
@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_a_part_answers_as_the_whole(sandbox: Sandbox, method: str, path: str) -> None:
    def answered(app: SandboxApp) -> tuple[int, str, list[tuple[str, str]]]:
        answer = Client(app).open(f"/_sandbox/{path}", method=method, headers={"X-Request-Id": "same"})
        return answer.status_code, _INSTANT.sub("", answer.text), [*answer.headers]

    sandbox.clock.freeze()
    whole, part = SandboxApp(sandbox), SandboxApp(sandbox)
    assert whole.control is control_app()

    assert answered(part) == answered(whole)


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
