"""The control application as it is made when it is first needed."""

from __future__ import annotations

import errno

import pytest

from sandbox import Sandbox
from sandbox.web import spec
from sandbox.web.app import SandboxApp


def test_control_app_that_could_not_be_made_whole_is_made_anew(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none_left(*_: object) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    app = SandboxApp(sandbox)
    with monkeypatch.context() as patch:
        patch.setattr(spec, "serve_documents", none_left)
        with pytest.raises(OSError, match="Too many open files"):
            _ = app.control

    answers = [app.control.test_client().get(path) for path in ("/_sandbox/", "/_sandbox/openapi-control.yaml")]
    assert [answer.status_code for answer in answers] == [200, 200]
