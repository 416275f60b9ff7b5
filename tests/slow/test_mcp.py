"""``patchworks-sandbox mcp`` as an agent starts it: a process, on its standard input and output."""

from __future__ import annotations

import asyncio
import sys

from mcp import Client, StdioServerParameters
from mcp_types import TextContent

from sandbox import Sandbox, SandboxServer

KEY = "a-control-key-of-a-test"


def test_process_serves_the_tools_over_stdio() -> None:
    async def status(url: str) -> tuple[list[str], str]:
        process = StdioServerParameters(
            command=sys.executable,
            args=["-m", "sandbox.cli", "mcp", "--url", url],
            env={"PATCHWORKS_SANDBOX_CONTROL_KEY": KEY},
        )
        async with Client(process) as client:
            tools = await client.list_tools()
            result = await client.call_tool("status", {})
            (content,) = result.content
            assert isinstance(content, TextContent)
            return [tool.name for tool in tools.tools], content.text

    with SandboxServer(Sandbox(settings={"control_key": KEY})) as server:
        names, text = asyncio.run(status(server.base_url))

    assert len(names) == 9
    assert f"sandbox {server.base_url}" in text
    assert KEY not in text
