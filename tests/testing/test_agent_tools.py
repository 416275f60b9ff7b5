"""The tools of a coding agent, driven by the client of the SDK in memory, over a sandbox behind a URL."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
import requests
from mcp import Client
from mcp_types import CallToolResult, TextContent, Tool

from sandbox import Sandbox, SandboxServer
from sandbox.testing.agent_tools import LIMIT, AgentTools
from sandbox.testing.remote.remote_sandbox import RemoteSandbox
from tests import ROOT
from tests.conftest import ORDER

Call = Callable[..., str]


@pytest.fixture
def server(sandbox: Sandbox) -> Iterator[SandboxServer]:
    with SandboxServer(sandbox) as server:
        yield server


def tools_of(url: str, **options: Any) -> AgentTools:
    return AgentTools(partial(RemoteSandbox, url, **options))


def called(tools: AgentTools, name: str, **arguments: Any) -> CallToolResult:
    """Call a tool by the client of the SDK."""

    async def call() -> CallToolResult:
        async with Client(tools.server()) as client:
            return await client.call_tool(name, arguments)

    return asyncio.run(call())


def text_of(result: CallToolResult) -> str:
    (content,) = result.content
    assert isinstance(content, TextContent)
    return content.text


@pytest.fixture
def call(server: SandboxServer) -> Call:
    """Call a tool, which must succeed, and return its text; it has no secret of the sandbox."""
    secrets = [new.secret for new in server.sandbox.credentials.values()]

    def call(name: str, **arguments: Any) -> str:
        result = called(tools_of(server.base_url), name, **arguments)
        text = text_of(result)
        assert not result.is_error, text
        assert not [secret for secret in secrets if secret in text]
        assert "eyJ" not in text
        return text

    return call


@pytest.fixture
def refused(server: SandboxServer) -> Call:
    """Call a tool, which must fail, and return its text."""

    def call(name: str, **arguments: Any) -> str:
        result = called(tools_of(server.base_url), name, **arguments)
        assert result.is_error
        return text_of(result)

    return call


def push(server: SandboxServer, body: object = ORDER, service: str = "anything", bearer: str | None = None) -> int:
    handle = server.patchworks
    form = {"grant_type": "client_credentials", "client_id": handle.client_id, "client_secret": handle.client_secret}
    token = bearer or requests.post(handle.token_url, form, timeout=10).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    return requests.post(handle.inbound(service).url, json=body, headers=headers, timeout=10).status_code


def listed(tools: AgentTools) -> list[Tool]:
    async def ask() -> list[Tool]:
        async with Client(tools.server()) as client:
            return (await client.list_tools()).tools

    return asyncio.run(ask())


def test_tools_are_listed_with_a_description_and_what_they_change(server: SandboxServer) -> None:
    tools = {tool.name: tool for tool in listed(tools_of(server.base_url))}

    page = (ROOT / "docs/how-to/coding-agents.md").read_text(encoding="utf-8")
    assert list(tools) == re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)
    assert list(tools) == ["status", "story", "why", "wait_for", "verify", "fail", "travel", "reset", "certify"]
    for name, tool in tools.items():
        assert tool.description
        assert tool.annotations is not None
        assert bool(tool.annotations.read_only_hint) == (name in ("status", "story", "why", "wait_for", "verify"))
        assert bool(tool.annotations.destructive_hint) == (name in ("reset", "certify"))


def test_status_has_the_addresses_and_counts_and_makes_no_client(call: Call, server: SandboxServer) -> None:
    push(server, bearer="none")
    before = len(server.sandbox.store.clients())

    text = call("status")

    assert f"token endpoint {server.base_url}/oauth/token" in text
    assert f"inbound URL {server.base_url}/v1/acme/orders" in text
    assert "requests 1, refused 1" in text
    assert len(server.sandbox.store.clients()) == before


def test_story_shows_the_newest_requests_and_pages_back(call: Call, server: SandboxServer) -> None:
    for number in range(12):
        push(server, {"number": number, "note": "x" * 60})

    text, offset = call("story", count=50), 0
    pages = [text]
    while pages[-1].startswith("(…"):
        offset = int(pages[-1].partition("offset=")[2].partition(",")[0])
        pages.append(call("story", count=50, offset=offset))

    assert all(len(page.encode()) <= LIMIT for page in pages)
    assert "#24 POST /v1/acme/anything -> 200 accepted" in text
    whole = "".join(page.partition("\n")[2] if page.startswith("(…") else page for page in reversed(pages))
    assert whole == call("story", count=50, limit=50_000)
    assert "#1 POST /oauth/token" in whole


def test_why_explains_the_newest_refusal_or_any_request(call: Call, server: SandboxServer) -> None:
    assert call("why") == "No request was refused. `story` shows those that came."
    push(server)
    push(server, bearer="none")
    push(server)

    text = call("why")

    assert text.startswith("#3 POST /v1/acme/anything -> 401 malformed_token")
    assert "Send the value of `access_token`, without quotes and whole." in text
    assert 'answer 401: {"message":"Unauthenticated."}' in text
    assert "The payload was stored." in call("why", request=2)


def test_why_refuses_a_request_that_is_not_there(refused: Call) -> None:
    assert "there is no request 7" in refused("why", request=7)


def test_long_answer_is_cut_and_says_how_to_read_on(call: Call, server: SandboxServer) -> None:
    push(server, {"note": "x" * 3_000}, bearer="none")

    first = call("why")
    offset = int(first.rpartition("offset=")[2].partition(",")[0])

    assert len(first.encode()) <= LIMIT
    assert call("why", offset=offset)
    assert len(call("why", limit=9_000)) > LIMIT


def test_wait_for_returns_what_came_or_says_how_much_of_it(call: Call, server: SandboxServer) -> None:
    push(server, service="anything")

    assert call("wait_for", service="anything").startswith("1 of 1 came\n#2 POST /v1/acme/anything -> 200")
    assert call("wait_for", service="anything", count=2, timeout_s=0).startswith("1 of 2 came within 0 s\n#2")
    assert call("wait_for", service="anything", after=2, timeout_s=0) == "0 of 1 came within 0 s"
    assert call("wait_for", outcome="rejected", timeout_s=0) == "0 of 1 came within 0 s"


def test_verify_tells_the_nearest_request(call: Call, server: SandboxServer) -> None:
    push(server)

    assert call("verify", service="anything", contains={"order": "1001"}, times=1) == "verified"
    text = call("verify", service="anything", contains={"order": "1002"})
    assert text.startswith("NOT verified: ")
    assert '$.order: expected "1002", got "1001"' in text


def test_verify_refuses_an_unknown_service_with_those_that_are_known(refused: Call) -> None:
    text = refused("verify", service="order")

    assert "there is no service 'acme/order'" in text
    assert "acme/orders" in text


def test_next_request_fails_as_asked(call: Call, server: SandboxServer) -> None:
    assert call("fail", kind="status", options={"code": 503}, service="anything").startswith("added ")
    assert "fault rule " in call("status")

    assert [push(server), push(server)] == [503, 200]
    assert "A fault acted on this request" in call("why")


def test_preset_is_added(call: Call, server: SandboxServer) -> None:
    assert "nginx" in call("fail", preset="nginx-504")

    handle = server.patchworks
    form = {"grant_type": "client_credentials", "client_id": handle.client_id, "client_secret": handle.client_secret}
    assert requests.post(handle.token_url, form, timeout=10).status_code == 504


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({}, "Give `kind`"),
        ({"kind": "status", "preset": "nginx-504"}, "one of them"),
        ({"kind": "statuss"}, "status"),
        ({"kind": "status", "options": {"code": 9999}}, "9999 is not allowed"),
        ({"kind": "status", "options": {"codes": 503}}, "codes"),
        ({"preset": "nginx"}, "nginx-504"),
        ({"kind": "status", "endpoint": "everything"}, "endpoint"),
    ],
    ids=str,
)
def test_wrong_fault_is_refused_with_what_is_allowed(refused: Call, arguments: dict[str, Any], words: str) -> None:
    assert words in refused("fail", **arguments)


def test_time_travels(call: Call, refused: Call, server: SandboxServer) -> None:
    server.sandbox.clock.freeze()
    server.sandbox.clock.travel_to("2026-11-27T09:00:00Z")

    assert call("travel", duration="24h") == "it is 2026-11-28T09:00:00.000000Z in the sandbox"
    assert call("travel", instant="2026-12-01T00:00:00Z") == "it is 2026-12-01T00:00:00.000000Z in the sandbox"
    assert "'soon' is not allowed" in refused("travel", duration="soon")
    assert "one of them" in refused("travel")


def test_reset_empties_the_journal(call: Call, server: SandboxServer) -> None:
    push(server)

    assert "as it was at its start" in call("reset")
    assert "requests 0, refused 0" in call("status")


CLIENT = """
import json, os, urllib.parse, urllib.request
form = {"grant_type": "client_credentials", "client_id": os.environ["PATCHWORKS_CLIENT_ID"],
        "client_secret": os.environ["PATCHWORKS_CLIENT_SECRET"]}
data = urllib.parse.urlencode(form).encode()
token = json.load(urllib.request.urlopen(os.environ["PATCHWORKS_TOKEN_URL"], data))["access_token"]
headers = {"Authorization": "Bearer " + token, "Content-Type": "application/json"}
urllib.request.urlopen(urllib.request.Request(os.environ["PATCHWORKS_INBOUND_URL_ANYTHING"], b'{"n": 1}', headers))
"""


def test_command_is_certified(call: Call, tmp_path: Any) -> None:
    script = tmp_path / "push.py"
    script.write_text(CLIENT, encoding="utf-8")

    text = call("certify", command=f"{sys.executable} {script}", storms=["rate-limited"])

    assert "FAIL" in text
    assert "honours_retry_after" in text
    assert "rate-limited: exit 1" in text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"command": "'"}, "command: "),
        ({"command": " "}, "command: empty"),
        ({"command": "no-such-program-here"}, "no-such-program-here"),
        ({"command": "true", "storms": ["rain"]}, "rain"),
    ],
    ids=str,
)
def test_wrong_command_or_storm_is_refused(refused: Call, arguments: dict[str, Any], words: str) -> None:
    assert words in refused("certify", **arguments)


def test_secret_that_a_client_sends_anywhere_is_in_no_answer(call: Call, server: SandboxServer) -> None:
    secret = server.patchworks.client_secret
    push(server, {"note": secret}, bearer=secret)
    headers = {"X-Note": secret, "Authorization": f"Bearer {secret}"}
    requests.post(f"{server.base_url}/v1/acme/{secret}", data=secret, headers=headers, timeout=10)

    for name in ("status", "story", "why"):
        call(name)
    call("why", request=1, limit=50_000)
    call("wait_for", outcome="any", count=2, limit=50_000)
    call("verify", contains={"order": "1"}, limit=50_000)


def test_unreachable_sandbox_is_an_error_that_says_what_to_do() -> None:
    result = called(tools_of("http://127.0.0.1:9"), "status")

    assert result.is_error
    assert text_of(result).count("patchworks-sandbox serve") == 1


def test_control_key_is_asked_for_and_used(make_sandbox: Callable[..., Sandbox]) -> None:
    key = "a-control-key-of-a-test"
    with SandboxServer(make_sandbox(control_key=key)) as server:
        without = called(tools_of(server.base_url), "status")
        with_key = called(tools_of(server.base_url, control_key=key), "status")

    assert without.is_error
    assert "the control API needs its key" in text_of(without)
    assert "Bearer KEY" in text_of(without)
    assert not with_key.is_error
    assert key not in text_of(with_key)
