"""Six assertions that fail, and the page of their messages.

``python -m tests.journal.assertions.failing_assertions`` writes the page.
"""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable
from typing import Any, Final

from sandbox import Sandbox
from sandbox.faults.kinds.answers import Status
from sandbox.journal.assertions.view import NotReceivedError
from sandbox.platform.keys import SigningKey
from sandbox.testing.handle import Patchworks
from tests import ROOT
from tests.conftest import Integration, handle_at

PAGE: Final = ROOT / "docs" / "failing-assertions.md"
_HEAD: Final = """\
# Read a failing assertion

<!-- Written by `python -m tests.journal.assertions.failing_assertions`; do not edit. -->

The message of a failing test should be enough to repair the test without another run. These assertions fail on
purpose; each has its whole message below it. A message shows the differences of the three nearest requests. Then, on at
most 40 lines, it lists rejected requests, faults that acted, requests refused at other addresses, and entries that the
journal dropped. It ends with the way to see all requests.
"""
ORDER: Final = {"order": "1001", "lines": [{"sku": "TEA-01", "qty": 2}, {"sku": "CUP-07", "qty": 6}]}


class Scene:
    """A sandbox at a fixed time, with an integration that makes mistakes."""

    def __init__(self, **settings: Any) -> None:
        sandbox = Sandbox(settings={"random_seed": 7, **settings}, signing_key=SigningKey.generate())
        sandbox.clock.change(now="2026-11-23T09:00:00Z", frozen=True, rate=None)
        self.integration = Integration(sandbox)
        self.patchworks = handle_at("http://127.0.0.1:8025", sandbox)
        self.url = "/v1/acme/anything"

    def post(self, payload: Any, token: str | None = None, path: str | None = None) -> None:
        self.integration.post(payload, path or self.url, token or self.integration.token())


def _wrong_value() -> tuple[Scene, Callable[[Patchworks], object]]:
    """A quantity went out as text, and a line was added in front."""
    scene = Scene()
    token = scene.integration.token()
    scene.post({**ORDER, "lines": [{"sku": "GIFT", "qty": 1}, {"sku": "TEA-01", "qty": "2"}, ORDER["lines"][1]]}, token)
    scene.post({"order": 1001, "lines": []}, token)

    def assertion(patchworks: Patchworks) -> None:
        lines = [{"sku": "TEA-01", "qty": 2}, {"sku": "CUP-07", "qty": 6}]
        order = {"order": "1001", "lines": lines}
        patchworks.inbound("anything").assert_received(json=order)

    return scene, assertion


def _duplicate() -> tuple[Scene, Callable[[Patchworks], object]]:
    """The answer to the first attempt was lost after the payload had been stored; the integration sent it again."""
    scene = Scene()
    scene.patchworks.faults.add(Status(503), endpoint="inbound", times=1, accept=True, name="answer lost")
    token = scene.integration.token()
    scene.post(ORDER, token)
    scene.post(ORDER, token)

    def assertion(patchworks: Patchworks) -> None:
        patchworks.inbound("anything").assert_received(json_path={"$.order": "1001"}, times=1)

    return scene, assertion


def _expired() -> tuple[Scene, Callable[[Patchworks], object]]:
    """The integration kept its token for too long."""
    scene = Scene()
    token = scene.integration.token()
    scene.patchworks.clock.advance(hours=24, seconds=4)
    scene.post(ORDER, token)

    def assertion(patchworks: Patchworks) -> None:
        patchworks.inbound("anything").wait_for(json_contains={"order": "1001"}, timeout=0.01)

    return scene, assertion


def _elsewhere() -> tuple[Scene, Callable[[Patchworks], object]]:
    """The secret was wrong at first, then the URL."""
    scene = Scene()
    scene.integration.request_token(client_secret="that of the live environment")
    scene.post(ORDER, path="/v1/acme/order")

    def assertion(patchworks: Patchworks) -> None:
        patchworks.inbound("anything").assert_received()

    return scene, assertion


def _order() -> tuple[Scene, Callable[[Patchworks], object]]:
    """The cancellation overtook the order."""
    scene = Scene()
    token = scene.integration.token()
    scene.post({"cancel": "1001"}, token)
    scene.post(ORDER, token)

    def assertion(patchworks: Patchworks) -> None:
        ordered = {"json_path": {"$.order": "1001"}}
        cancelled = {"json_path": {"$.cancel": "1001"}}
        patchworks.inbound("anything").assert_received_in_order([ordered, cancelled])

    return scene, assertion


def _dropped() -> tuple[Scene, Callable[[Patchworks], object]]:
    """The journal was too small, so the result is unknown."""
    scene = Scene(journal_entries=3)
    token = scene.integration.token()
    for number in range(5):
        scene.post({"order": str(number)}, token)

    def assertion(patchworks: Patchworks) -> None:
        patchworks.inbound("anything").assert_received(json={"order": "4"}, times=1)

    return scene, assertion


SCENES: Final = {
    "A value of the wrong type, and a line too many": _wrong_value,
    "A duplicate": _duplicate,
    "An expired token": _expired,
    "Everything went elsewhere": _elsewhere,
    "The wrong order": _order,
    "A journal that is not whole": _dropped,
}


def message(make: Callable[[], tuple[Scene, Callable[[Patchworks], object]]]) -> tuple[str, str]:
    """Return the source of an assertion and the message of its failure."""
    scene, assertion = make()
    source = textwrap.dedent("".join(inspect.getsourcelines(assertion)[0][1:]))
    try:
        assertion(scene.patchworks)
    except NotReceivedError as failure:
        return source, str(failure)
    raise RuntimeError("the assertion holds")


def page() -> str:
    """Return the page."""
    parts = [_HEAD]
    for title, make in SCENES.items():
        source, text = message(make)
        parts.append(f"## {title}\n\n{make.__doc__}\n\n```py\n{source}```\n\n```text\n{text}\n```\n")
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8", newline="\n")
