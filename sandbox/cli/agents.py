"""``mcp``: the tools of a coding agent over a running sandbox, on standard input and output."""

from __future__ import annotations

from functools import partial

import click

from sandbox.cli.base import control_key_option
from sandbox.cli.health import ca_file_option, url_option


@click.command()
@url_option
@control_key_option
@ca_file_option
def mcp(url: str, control_key: str | None, ca_file: str | None) -> None:
    """Serve tools for a coding agent over MCP, on stdio.

    The tools are status, story, why, wait_for, verify, fail, travel, reset and certify. They need the extra:
    pip install 'patchworks-sandbox[mcp]'.
    """
    try:
        from sandbox.testing.agent_tools import AgentTools
    except ImportError as error:
        if (error.name or "").partition(".")[0] not in ("mcp", "mcp_types", "pydantic"):
            raise
        raise click.ClickException(
            "the MCP SDK is not installed; install the extra: pip install 'patchworks-sandbox[mcp]'"
        ) from None
    from sandbox.cli.made_key import find
    from sandbox.foundation.errors import InvalidValueError
    from sandbox.testing.remote.remote_sandbox import RemoteSandbox

    connect = partial(RemoteSandbox, url, control_key=control_key or find(url), ca_file=ca_file)
    try:
        connect().close()
    except InvalidValueError as error:
        raise click.UsageError(str(error)) from None
    AgentTools(connect).server().run()
