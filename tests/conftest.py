"""What all tests share: a fresh sandbox for each, a client that checks the contract, and no network but loopback."""

from __future__ import annotations

import gc
import socket
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import Phase, settings
from werkzeug.test import TestResponse

from sandbox import Sandbox
from sandbox.platform.keys import SigningKey
from sandbox.web.app import SandboxApp
from tests.browser import _loop_of_the_browser, browser
from tests.contract import ContractClient

if TYPE_CHECKING:
    from sandbox.testing.handle import Patchworks

__all__ = ["_loop_of_the_browser", "browser"]

ORDER = {"order": "1001", "lines": [{"sku": "TEA-01", "qty": 2}]}

# The same cases every time, and few. `--hypothesis-profile=long` searches at random, and at length.
TELLING = (Phase.explicit, Phase.reuse, Phase.generate)  # to shrink a long story takes minutes: that is for `long`
settings.register_profile("bounded", deadline=None, derandomize=True, database=None, print_blob=True, phases=TELLING)
settings.register_profile("long", deadline=None, derandomize=False, print_blob=True, max_examples=5_000)
settings.load_profile("bounded")


@pytest.fixture(scope="session", autouse=True)
def _loopback_only() -> Iterator[None]:
    """Refuse connections that leave the machine."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in ("127.0.0.1", "::1", "localhost"):
            raise AssertionError(f"a test tried to reach {address!r}; tests stay on loopback")
        connect(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", guarded)
        yield


@pytest.fixture(scope="session")
def signing_key() -> SigningKey:
    """One key for all sandboxes of a worker: making one takes longer than most tests."""
    return SigningKey.generate()


@pytest.fixture
def make_sandbox(signing_key: SigningKey) -> Callable[..., Sandbox]:
    """Make sandboxes with the demo seed and the given settings."""

    def make(**settings: Any) -> Sandbox:
        return Sandbox(settings=settings, signing_key=signing_key)

    return make


@pytest.fixture
def sandbox(make_sandbox: Callable[..., Sandbox]) -> Sandbox:
    """A fresh sandbox with the demo seed."""
    return make_sandbox()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests outside of the slow lane that need a browser: `make slow` leaves them to `make test`."""
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()) and "tests/slow/" not in item.nodeid:
            item.add_marker("browser")


def pytest_collection_finish() -> None:
    """Take the tests themselves, which last as long as the session, out of the collector's sight."""
    gc.collect()
    gc.freeze()


class Integration:
    """What most tests do: get a token, post a payload, look at the control API; every response is checked."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.http = ContractClient(SandboxApp(sandbox))
        new = next(iter(sandbox.credentials.values()))
        self.client_id, self.client_secret = new.client.id, new.secret

    def credentials(self, **changes: str | None) -> dict[str, str]:
        """Return the parameters of a good token request, changed; ``None`` leaves one out."""
        parameters: dict[str, str | None] = {
            "grant_type": "client_credentials",
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            **changes,
        }
        return {name: value for name, value in parameters.items() if value is not None}

    def request_token(self, **changes: str | None) -> TestResponse:
        """POST a token request as a form."""
        return self.http.post("/oauth/token", data=self.credentials(**changes))

    def token(self, **changes: str | None) -> str:
        """Return a new access token."""
        response = self.request_token(**changes)
        assert response.status_code == 200, response.text
        access_token: str = response.json["access_token"]  # type: ignore[index]
        return access_token

    def post(
        self, body: Any = b"payload", path: str = "/v1/acme/anything", token: str | None = None, **headers: str
    ) -> TestResponse:
        """POST a payload with a token, a new one unless given; a body that is not bytes or text goes as JSON."""
        as_json = {"json": body} if isinstance(body, (dict, list)) else {"data": body}
        authorization = {"Authorization": f"Bearer {token or self.token()}"}
        return self.http.post(path, headers={**authorization, **headers}, **as_json)

    def control(self, method: str, path: str, json: Any = None, **query: Any) -> TestResponse:
        """Call the control API."""
        body = {} if json is None else {"json": json}
        return self.http.open(f"/_sandbox{path}", method=method, query_string=query or None, **body)


def handle_at(url: str, sandbox: Sandbox) -> Patchworks:
    """Return the handle of a sandbox at a URL at which nothing listens."""
    from sandbox import SandboxServer

    class Unserved(SandboxServer):
        base_url = known_url = url  # type: ignore[assignment]

    return Unserved(sandbox).patchworks


@pytest.fixture
def integration(sandbox: Sandbox) -> Integration:
    """An integration with the fresh sandbox."""
    return Integration(sandbox)


@pytest.fixture
def make_integration(make_sandbox: Callable[..., Sandbox]) -> Callable[..., Integration]:
    """Make integrations with sandboxes of the given settings."""
    return lambda **settings: Integration(make_sandbox(**settings))
