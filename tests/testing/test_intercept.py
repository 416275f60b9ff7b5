"""An integration that is configured for production reaches the sandbox, whatever library it calls with."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import ssl
import sys
import threading
import types
import urllib.request
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import aiohttp
import aiohttp.resolver
import httpx
import pytest
import requests
import urllib3

from sandbox import Sandbox, SandboxServer
from sandbox.foundation.errors import ConflictError, InvalidValueError, RefusedHostError
from sandbox.testing.handle import Patchworks
from sandbox.web.addresses import PRODUCTION_HOSTS

URL = "https://inbound.pwks.co/v1/acme/anything"
ELSEWHERE = "https://api.shop.example/orders"
BODY = b'{"order": "1001"}'
Post = Callable[[str, dict[str, str]], int]

# Made before any interception, as a module of an integration would.
EARLY_SESSION = requests.Session()
EARLY_CONTEXT = ssl.create_default_context()


@pytest.fixture
def patchworks(sandbox: Sandbox) -> Iterator[Patchworks]:
    with SandboxServer(sandbox) as server:
        yield server.patchworks
        assert server.errors == []


@pytest.fixture
def bearer(patchworks: Patchworks) -> dict[str, str]:
    form = {
        "grant_type": "client_credentials",
        "client_id": patchworks.client_id,
        "client_secret": patchworks.client_secret,
    }
    token = requests.post(patchworks.token_url, form, timeout=10).json()["access_token"]
    return {"Authorization": f"Bearer {token}"}


def by_requests(url: str, headers: dict[str, str]) -> int:
    return requests.post(url, data=BODY, headers=headers, timeout=10).status_code


def run(posted: Coroutine[Any, Any, int]) -> int:
    """Run a coroutine in a thread of its own: this one may have a loop, as with Playwright in the same session."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, posted).result()


def by_requests_early(url: str, headers: dict[str, str]) -> int:
    return EARLY_SESSION.post(url, data=BODY, headers={**headers, "Connection": "close"}, timeout=10).status_code


def by_httpx(url: str, headers: dict[str, str]) -> int:
    return httpx.post(url, content=BODY, headers=headers, timeout=10).status_code


def by_httpx_async(url: str, headers: dict[str, str]) -> int:
    async def post() -> int:
        async with httpx.AsyncClient() as client:
            return (await client.post(url, content=BODY, headers=headers, timeout=10)).status_code

    return run(post())


def by_urllib3(url: str, headers: dict[str, str]) -> int:
    with urllib3.PoolManager() as pool:
        status: int = pool.request("POST", url, body=BODY, headers=headers, timeout=10, retries=False).status
        return status


def by_aiohttp(url: str, headers: dict[str, str]) -> int:
    async def post() -> int:
        async with aiohttp.ClientSession() as session, session.post(url, data=BODY, headers=headers) as answer:
            return answer.status

    return run(post())


def by_urllib(url: str, headers: dict[str, str]) -> int:
    with urllib.request.urlopen(urllib.request.Request(url, BODY, headers), timeout=10) as answer:
        status: int = answer.status
        return status


def by_urllib_early(url: str, headers: dict[str, str]) -> int:
    request = urllib.request.Request(url, BODY, headers)
    with urllib.request.urlopen(request, timeout=10, context=EARLY_CONTEXT) as answer:
        status: int = answer.status
        return status


CLIENTS = [
    by_requests,
    by_requests_early,
    by_httpx,
    by_httpx_async,
    by_urllib3,
    by_aiohttp,
    by_urllib,
    by_urllib_early,
]
every_client = pytest.mark.parametrize("post", CLIENTS, ids=lambda post: post.__name__)


@every_client
def test_client_reaches_the_sandbox_by_the_name_of_the_platform(
    post: Post, patchworks: Patchworks, bearer: dict[str, str]
) -> None:
    with patchworks.intercept() as interception:
        assert post(URL, bearer) == 200

    assert interception.base_url == "https://inbound.pwks.co"
    (entry,) = patchworks.inbound("anything")
    assert entry.body == BODY
    assert ("Host", "inbound.pwks.co") in [(name.title(), value) for name, value in entry.headers]


def test_every_host_of_the_platform_is_intercepted(patchworks: Patchworks, bearer: dict[str, str]) -> None:
    with patchworks.intercept() as interception:
        answers = {host: by_requests(f"https://{host}/v1/acme/anything", bearer) for host in PRODUCTION_HOSTS}

    assert interception.hosts == PRODUCTION_HOSTS
    assert set(answers.values()) == {200}
    assert [entry.header("Host") for entry in patchworks.inbound("anything")] == list(PRODUCTION_HOSTS)


@every_client
def test_strict_interception_refuses_any_other_host(post: Post, patchworks: Patchworks) -> None:
    with patchworks.intercept(strict=True), pytest.raises(Exception) as failure:  # noqa: PT011 - each its own
        post(ELSEWHERE, {})

    refusals = [error for error in chain(failure.value) if isinstance(error, RefusedHostError)]
    assert {error.host for error in refusals} == {"api.shop.example"}


def chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and all that it is made of: libraries wrap them in ways of their own."""
    rest, seen = [error], set()
    while rest:
        found = rest.pop()
        if id(found) not in seen:
            seen.add(id(found))
            yield found
            inside = (found.__cause__, found.__context__, getattr(found, "reason", None), *found.args)
            rest += [inner for inner in inside if isinstance(inner, BaseException)]


@every_client
def test_any_other_host_is_looked_for_where_it_was(
    post: Post, patchworks: Patchworks, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: set[str] = set()
    resolve = socket.getaddrinfo

    def noting(host: Any, *args: Any, **kwargs: Any) -> Any:
        if host == "127.0.0.1":
            return resolve(host, *args, **kwargs)
        asked.add(host.decode() if isinstance(host, bytes) else host)
        raise socket.gaierror(socket.EAI_NONAME, "there is no network in tests")

    monkeypatch.setattr(socket, "getaddrinfo", noting)
    with patchworks.intercept(), pytest.raises(Exception):  # noqa: B017, PT011 - each its own
        post(ELSEWHERE, {})

    assert asked == {"api.shop.example"}


def test_everything_is_as_it_was_afterwards(patchworks: Patchworks) -> None:
    def state() -> list[Any]:
        patched = (socket.getaddrinfo, socket.socket.connect, socket.socket.connect_ex)
        return [*patched, ssl.SSLContext.wrap_socket, ssl.SSLContext.wrap_bio, dict(os.environ)]

    before = state()
    with patchworks.intercept(strict=True):
        assert all(now != then for now, then in zip(state(), before, strict=True))
    with pytest.raises(RuntimeError), patchworks.intercept(strict=True):
        raise RuntimeError

    assert state() == before


def test_certificate_is_still_verified(patchworks: Patchworks) -> None:
    with patchworks.intercept() as interception:
        address = socket.getaddrinfo("inbound.pwks.co", 443)[0][4]
        with socket.create_connection(address[:2]) as sock, pytest.raises(ssl.SSLCertVerificationError):
            ssl.create_default_context().wrap_socket(sock, server_hostname="other.example")
        context = ssl.create_default_context(cadata=interception.ca_pem.decode())
        with socket.create_connection(address[:2]) as sock:
            context.wrap_socket(sock, server_hostname="inbound.pwks.co").close()


def test_authority_of_an_interception_is_trusted_for_its_hosts_only(patchworks: Patchworks) -> None:
    context = ssl.create_default_context()
    known = len(context.get_ca_certs())
    with patchworks.intercept():
        context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname="api.shop.example")
        assert len(context.get_ca_certs()) == known
        context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname="inbound.pwks.co")
        assert len(context.get_ca_certs()) == known + 1


def test_other_hosts_can_be_stood_in_for(patchworks: Patchworks, bearer: dict[str, str]) -> None:
    with patchworks.intercept("Orders.Example", "tokens.example") as interception:
        assert by_requests("https://orders.example/v1/acme/anything", bearer) == 200
        assert by_requests("https://tokens.example/v1/acme/anything", bearer) == 200

    assert interception.hosts == ("orders.example", "tokens.example")


def test_proxy_is_not_asked_for_the_host(
    patchworks: Patchworks, bearer: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(urllib.request, "_opener", None)  # which keeps the proxies it was made with
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "intranet.example")
    with patchworks.intercept():
        assert (by_requests(URL, bearer), by_httpx(URL, bearer), by_urllib(URL, bearer)) == (200, 200, 200)
        assert os.environ["NO_PROXY"] == ",".join(["intranet.example", *PRODUCTION_HOSTS])


@pytest.mark.parametrize("name", ["NO_PROXY", "no_proxy"])
@pytest.mark.parametrize("value", ["intranet.example", "*"])
def test_hosts_that_the_environment_reaches_without_a_proxy_stay_so(
    patchworks: Patchworks, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    for each in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(each, raising=False)
    monkeypatch.setenv(name, value)
    with patchworks.intercept():
        for host in ("intranet.example", *PRODUCTION_HOSTS):
            assert requests.utils.should_bypass_proxies(f"https://{host}/", None)
            assert urllib.request.proxy_bypass_environment(host)  # type: ignore[attr-defined]


def test_aiohttp_with_a_resolver_of_its_own_is_routed_too(patchworks: Patchworks, bearer: dict[str, str]) -> None:
    class OwnResolver(aiohttp.resolver.AsyncResolver):
        def __init__(self) -> None:
            """Do without aiodns, which need not be installed."""

        async def close(self) -> None:
            pass

    async def post() -> int:
        session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(resolver=OwnResolver()))
        async with session, session.post(URL, data=BODY, headers=bearer) as answer:
            return answer.status

    with patchworks.intercept():
        assert run(post()) == 200


def test_interception_needs_no_aiohttp(
    patchworks: Patchworks, bearer: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "aiohttp.resolver")
    with patchworks.intercept():
        assert by_requests(URL, bearer) == 200


def test_strict_interception_refuses_addresses_and_lets_loopback_through(patchworks: Patchworks) -> None:
    with patchworks.intercept(strict=True):
        by_name = patchworks.control_url.replace("127.0.0.1", "localhost")
        assert requests.get(f"{patchworks.control_url}/health", timeout=10).status_code == 200
        assert requests.get(f"{by_name}/health", timeout=10).status_code == 200
        with socket.socket() as sock:
            with pytest.raises(RefusedHostError, match=r"refuses 192\.0\.2\.1; allowed: inbound.+ and this"):
                sock.connect(("192.0.2.1", 443))
            with pytest.raises(RefusedHostError):
                sock.connect_ex(("192.0.2.1", 443))
        with pytest.raises(RefusedHostError):
            socket.create_connection(("192.0.2.1", 443), 1)


def test_faults_are_real_over_tls_too(patchworks: Patchworks, bearer: dict[str, str]) -> None:
    patchworks.faults.add({"kind": "empty_response"}, times=1)
    with patchworks.intercept(), pytest.raises(requests.ConnectionError):
        by_requests(URL, bearer)

    assert patchworks.requests[-1].status == 0


def test_other_threads_are_intercepted(patchworks: Patchworks, bearer: dict[str, str]) -> None:
    statuses: list[int] = []
    with patchworks.intercept():
        threads = [threading.Thread(target=lambda: statuses.append(by_requests(URL, bearer))) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert statuses == [200] * 4


def test_one_interception_at_a_time(patchworks: Patchworks) -> None:
    with (
        patchworks.intercept(),
        pytest.raises(ConflictError, match=r"an interception of inbound\.pwks\.co, .+ lasts already"),
        patchworks.intercept("other.example"),
    ):
        pass


def test_control_api_is_not_there_under_the_name_of_the_platform(patchworks: Patchworks) -> None:
    with patchworks.intercept():
        answer = requests.post("https://inbound.pwks.co/_sandbox/reset", timeout=10)

    assert answer.status_code == 403


def test_isolated_company_is_intercepted_for(patchworks: Patchworks) -> None:
    isolated = patchworks.isolated()
    with isolated.intercept():
        answer = requests.post(f"https://inbound.pwks.co/v1/{isolated.company}/anything", timeout=10)

    assert json.loads(answer.text) == {"message": "Unauthenticated."}
    assert len(isolated.rejected) == 1


def test_sandbox_that_is_not_served_cannot_intercept(sandbox: Sandbox) -> None:
    unserved = SandboxServer(sandbox).patchworks

    with pytest.raises(ConflictError, match="does not run; start it first"), unserved.intercept():
        pass


# --- event loops that leave Python's sockets ---


class ForeignLoop:
    """As far as interception is concerned a loop of uvloop."""

    __module__ = "uvloop"

    async def create_connection(self, factory: object, host: str | None = None, port: int = 0) -> str:
        return f"connected to {host}"

    async def getaddrinfo(self, host: str, port: int) -> str:
        return f"looked {host} up"

    async def sock_connect(self, sock: object, address: object) -> str:
        return f"connected to {address!r}"


@pytest.fixture
def foreign_loop(monkeypatch: pytest.MonkeyPatch) -> ForeignLoop:
    module = types.ModuleType("uvloop")
    vars(module).update(Loop=ForeignLoop)
    monkeypatch.setitem(sys.modules, "uvloop", module)
    return ForeignLoop()


@pytest.mark.parametrize("host", ["inbound.pwks.co", "api.shop.example", "192.0.2.1"])
def test_strict_interception_refuses_every_host_to_a_loop_that_it_cannot_intercept(
    patchworks: Patchworks, foreign_loop: ForeignLoop, host: str
) -> None:
    asks: list[Callable[[], Coroutine[Any, Any, str]]] = [
        lambda: foreign_loop.create_connection(None, host, 443),
        lambda: foreign_loop.create_connection(None, host=host),
        lambda: foreign_loop.getaddrinfo(host, 443),
        lambda: foreign_loop.sock_connect(None, (host, 443)),
    ]
    with patchworks.intercept(strict=True):
        for ask in asks:
            with pytest.raises(RefusedHostError, match=f"refuses {host}; an event loop of uvloop cannot"):
                asyncio.run(ask())
        assert asyncio.run(foreign_loop.create_connection(None, "127.0.0.1")) == "connected to 127.0.0.1"
        assert asyncio.run(foreign_loop.sock_connect(None, "/tmp/socket")) == "connected to '/tmp/socket'"

    assert asyncio.run(asks[0]()) == f"connected to {host}"


def test_strict_interception_does_not_begin_in_a_loop_that_it_cannot_intercept(
    patchworks: Patchworks, foreign_loop: ForeignLoop
) -> None:
    asyncio._set_running_loop(foreign_loop)  # type: ignore[arg-type]
    try:
        with (
            pytest.raises(ConflictError, match="an event loop of uvloop runs in this thread"),
            patchworks.intercept(strict=True),
        ):
            pass
        with patchworks.intercept():
            pass
    finally:
        asyncio._set_running_loop(None)


def test_strict_interception_begins_in_a_loop_of_asyncio(patchworks: Patchworks) -> None:
    async def call() -> int:
        with patchworks.intercept(strict=True):
            async with httpx.AsyncClient() as client:
                return (await client.post(URL)).status_code

    assert asyncio.run(call()) == 401


# --- hosts ---


@pytest.mark.parametrize(
    ("host", "meant"),
    [
        ("https://inbound.pwks.co", "inbound.pwks.co"),
        ("inbound.pwks.co:443", "inbound.pwks.co"),
        ("inbound.pwks.co/v1", "inbound.pwks.co"),
        ("*.pwks.co", "pwks.co"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("", "inbound.pwks.co"),
        ("-a.example", "inbound.pwks.co"),
        ("a b.example", "inbound.pwks.co"),
        ("_", "inbound.pwks.co"),
        ("tokens_1.example", "inbound.pwks.co"),
        ("192.0.2.1", "inbound.pwks.co"),
        ("[::1]", "inbound.pwks.co"),
        ("a" * 64 + ".example", "inbound.pwks.co"),
        (None, "inbound.pwks.co"),
        (443, "inbound.pwks.co"),
        (["inbound.pwks.co"], "inbound.pwks.co"),
    ],
)
def test_host_that_is_none_is_refused_with_what_is_allowed(patchworks: Patchworks, host: Any, meant: str) -> None:
    with pytest.raises(InvalidValueError, match=rf"host: .* such as {meant}$"), patchworks.intercept(host):
        pass


@pytest.mark.parametrize("host", ["Inbound.PWKS.co", "inbound.pwks.co.", "tokens-1.example", "localhost"])
def test_name_of_a_host_is_taken_as_it_is_written(patchworks: Patchworks, host: str) -> None:
    with patchworks.intercept(host) as interception:
        assert interception.hosts == (host.lower().rstrip("."),)
