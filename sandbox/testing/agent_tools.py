"""The tools of a coding agent, served over the Model Context Protocol (MCP).

Each is a call of the handle of a running sandbox. An answer is text without secrets and has up to ``LIMIT`` bytes; a
longer one says how to read the rest. A refusal of the sandbox is an error that says what to do.
"""

from __future__ import annotations

import functools
import shlex
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import ToolAnnotations
from pydantic import Field

from sandbox._version import __version__
from sandbox.foundation.errors import NotFoundError, SandboxError
from sandbox.foundation.instants import format_instant
from sandbox.journal.assertions.failure_message import entry_line
from sandbox.journal.assertions.verify import MAX_TIMES
from sandbox.journal.entry import Entry
from sandbox.journal.filter import EntryFilter
from sandbox.journal.reasons import explain
from sandbox.journal.redaction import redact_body, redact_text
from sandbox.testing import verbs
from sandbox.testing.certify.checks import CHECKS

if TYPE_CHECKING:
    from sandbox.testing.handle import Patchworks

LIMIT: Final = 2_000
"""Bytes of an answer, unless a call asks for more."""

MAX_LIMIT: Final = 50_000
_FOOTER: Final = 120
"""Bytes of the line that says how to read the rest."""

_BODY: Final = 500
"""Bytes of an answer of the platform that are shown."""

_SERVICES: Final = 10
_PLACEHOLDER: Final = "Bearer KEY"
"""The form of the control key in an advice, which is no secret."""

Connect = Callable[[], "AbstractContextManager[Patchworks]"]
"""Opens the handle of the sandbox, for one call: calls may come at the same time."""

Limit = Annotated[int, Field(ge=200, le=MAX_LIMIT, description="Bytes of the answer.")]
Offset = Annotated[int, Field(ge=0, description="Bytes of the answer to skip; an answer that was cut names it.")]
Service = Annotated[str | None, Field(description="Vanity URL of the service. Default: all.")]
Count = Annotated[int | None, Field(ge=0, le=MAX_TIMES)]
Outcome = Literal["accepted", "rejected", "faulted", "any"]

_INSTRUCTIONS: Final = (
    "An emulator of the Patchworks Inbound API that tests an integration. Run the integration, then ask `story` for "
    "its requests and `why` for the reason of a refusal; `fail` and `travel` rehearse failures and expiry; `verify` "
    "asserts; `certify` judges a command in storms of failures. The sandbox is for tests: `reset` loses nothing real."
)


class AgentTools:
    """The tools over the handle that ``connect`` opens."""

    def __init__(self, connect: Connect) -> None:
        self._connect = connect

    def server(self) -> MCPServer[Any]:
        """Return an MCP server with the tools; ``run()`` serves it on standard input and output."""
        server: MCPServer[Any] = MCPServer(
            "patchworks-sandbox", instructions=_INSTRUCTIONS, version=__version__, log_level="WARNING"
        )
        reading = ToolAnnotations(read_only_hint=True)
        acting, destructive = (ToolAnnotations(destructive_hint=hint) for hint in (False, True))
        for hints, tools in (
            (reading, (self.status, self.story, self.why, self.wait_for, self.verify)),
            (acting, (self.fail, self.travel)),
            (destructive, (self.reset, self.certify)),
        ):
            for tool in tools:
                server.add_tool(_guarded(tool), annotations=hints, structured_output=False)
        return server

    def status(self, limit: Limit = LIMIT, offset: Offset = 0) -> str:
        """Return the URLs, the time, the numbers of requests and the fault rules of the sandbox."""
        with self._connect() as sandbox:
            do, clock = sandbox.backend.do, sandbox.clock
            services = do(verbs.services())
            connectors = do(verbs.connectors())
            clients = [client.id for connector in connectors for client in do(verbs.clients(connector.id))]
            lines = [
                f"sandbox {sandbox.base_url}, version {__version__}",
                f"time {format_instant(clock.now())}{', frozen' if clock.frozen else ''}",
                f"token endpoint {sandbox.token_url}; client ids {', '.join(clients[:_SERVICES]) or 'none'}",
                f"secret of a client: the banner of `serve`, or `GET {sandbox.control_url}/endpoints`",
                *[f"inbound URL {sandbox.base_url}{service.path}" for service in services[:_SERVICES]],
                *([f"… and {len(services) - _SERVICES} more services"] if len(services) > _SERVICES else []),
                f"requests {len(sandbox.requests)}, refused {len(sandbox.rejected)}",
                *[f"fault rule {state.describe()}" for state in sandbox.faults.list()],
            ]
            return _answer(sandbox, "\n".join(lines), limit, offset)

    def story(
        self,
        *,
        count: Annotated[int, Field(ge=1, le=500, description="Newest requests to show.")] = 20,
        after: Annotated[int, Field(ge=0, description="Only requests with a higher number.")] = 0,
        limit: Limit = LIMIT,
        offset: Offset = 0,
    ) -> str:
        """Return the newest requests, one or two lines each, with events such as moves of the clock between them."""
        with self._connect() as sandbox:
            text = sandbox.story(count, contract=True, after=after)
            return _answer(sandbox, text, limit, offset, from_the_end=True)

    def why(
        self,
        *,
        request: Annotated[
            int | None, Field(ge=1, description="Number of the request. Default: the newest refused.")
        ] = None,
        limit: Limit = LIMIT,
        offset: Offset = 0,
    ) -> str:
        """Explain why a request was refused or faulted, and what to do; with the request and the answer."""
        with self._connect() as sandbox:
            entry = _entry(sandbox, request)
            if entry is None:
                return "No request was refused. `story` shows those that came."
            secrets = sandbox.backend.journal.secrets
            lines = [
                entry_line(entry),
                explain(entry),
                f"reason in the journal: {entry.reason}" if entry.reason else "",
                f"answer {entry.status}: {_text(redact_body(entry.response_body, secrets))}",
                *[f"{name}: {value}" for name, value in entry.headers],
                redact_body(entry.body[:MAX_LIMIT], secrets).decode("utf-8", "replace"),
            ]
            return _answer(sandbox, "\n".join(filter(None, lines)), limit, offset)

    def wait_for(
        self,
        *,
        service: Service = None,
        outcome: Outcome = "accepted",
        count: Annotated[int, Field(ge=1, le=1_000)] = 1,
        timeout_s: Annotated[float, Field(ge=0, le=55, description="Real seconds to wait at most.")] = 10.0,
        after: Annotated[int, Field(ge=0, description="Only requests with a higher number.")] = 0,
        limit: Limit = LIMIT,
        offset: Offset = 0,
    ) -> str:
        """Wait until matching requests came, and return them; those of the past count too."""
        with self._connect() as sandbox:
            wanted = EntryFilter(
                kind="inbound" if service else None, vanity_url=service, outcome=None if outcome == "any" else outcome
            )
            found = sandbox.backend.journal.wait(wanted, count, timeout_s, after=after)
            head = f"{len(found)} of {count} came" + ("" if len(found) >= count else f" within {timeout_s:g} s")
            return _answer(sandbox, "\n".join([head, *map(entry_line, found)]), limit, offset)

    def verify(
        self,
        *,
        service: Service = None,
        contains: Annotated[Any, Field(description="JSON that the body of the request holds.")] = None,
        times: Count = None,
        at_least: Count = None,
        at_most: Count = None,
        limit: Limit = LIMIT,
        offset: Offset = 0,
    ) -> str:
        """Verify that accepted payloads came so often, at least once by default; or return the nearest requests."""
        with self._connect() as sandbox:
            received = sandbox.requests if service is None else sandbox.inbound(service)
            counts = {"times": times, "at_least": at_least, "at_most": at_most}
            given: dict[str, Any] = {name: value for name, value in counts.items() if value is not None}
            if contains is not None:
                given["json_contains"] = contains
            try:
                received.assert_received(**given)
            except AssertionError as error:
                return _answer(sandbox, f"NOT verified: {error}", limit, offset)
            return "verified"

    def fail(
        self,
        *,
        kind: Annotated[str | None, Field(description="status, latency, connection_reset, …: a kind of fault.")] = None,
        options: Annotated[dict[str, Any] | None, Field(description='Of the kind: {"code": 503}.')] = None,
        preset: Annotated[
            str | None, Field(description="A fault preset, such as nginx-504, in place of a kind.")
        ] = None,
        endpoint: Literal["inbound", "token", "any"] = "inbound",
        service: Service = None,
        times: Annotated[int | None, Field(ge=1, description="Requests to fail; null: until a reset.")] = 1,
        accept: Annotated[bool, Field(description="Store the payload before the failure.")] = False,
    ) -> str:
        """Make the next requests fail: by a kind of fault with its options, or by a preset."""
        with self._connect() as sandbox:
            if (kind is None) == (preset is None):
                raise ToolError("Give `kind` (with `options`), or `preset`; one of them.")
            match: dict[str, Any] = {} if service is None else {"vanity_url": service}
            if preset is not None:
                states = sandbox.faults.preset(preset, **match)
            else:
                rule: dict[str, Any] = {**match, "endpoint": endpoint, "times": times, "accept": accept}
                states = [sandbox.faults.add({**(options or {}), "kind": kind}, **rule)]
            return _answer(sandbox, "\n".join(f"added {state.describe()}" for state in states), LIMIT, 0)

    def travel(
        self,
        *,
        duration: Annotated[str | None, Field(description="24h, 90s, -5m: how far to move the clock.")] = None,
        instant: Annotated[str | None, Field(description="Time with a zone to set the clock to.")] = None,
    ) -> str:
        """Move the sandbox clock, on which tokens expire; return the new time."""
        with self._connect() as sandbox:
            if (duration is None) == (instant is None):
                raise ToolError(
                    "Give `duration`, such as 24h, or `instant`, such as 2026-11-27T09:00:00Z; one of them."
                )
            verb = verbs.advance(duration) if duration is not None else verbs.change_clock(now=instant)
            return f"it is {format_instant(sandbox.backend.do(verb))} in the sandbox"

    def reset(self) -> str:
        """Return to the seed: an empty journal, no tokens, no added faults, real time."""
        with self._connect() as sandbox:
            sandbox.reset()
            return "the sandbox is as it was at its start; get a new token"

    def certify(
        self,
        *,
        command: Annotated[str, Field(description="Command line that pushes a few payloads and ends.")],
        storms: Annotated[list[str], Field(description="Names of storms after the calm one. Default: all.")] = [],  # noqa: B006
        json_path: Annotated[str | None, Field(description="Key of a payload, such as $.order.")] = None,
        timeout_s: Annotated[float | None, Field(gt=0, le=3_600, description="Of each run.")] = None,
        limit: Limit = LIMIT,
        offset: Offset = 0,
    ) -> str:
        """Run a command of this machine in storms of failures and judge its requests. Resets the sandbox."""
        with self._connect() as sandbox:
            report = sandbox.certify(_words(command), storms, json_path=json_path, timeout=timeout_s)
            advice = [f"{verdict.check}: {CHECKS[verdict.check].advice}" for verdict in report.failed]
            ended = [
                f"{run.storm.name}: exit {run.outcome.exit_code}" for run in report.runs if run.outcome.exit_code != 0
            ]
            return _answer(sandbox, "\n".join([str(report), *advice, *ended]), limit, offset)


def _guarded(tool: Callable[..., str]) -> Callable[..., str]:
    """Return a tool whose failures are errors for the agent to read, without secrets."""

    @functools.wraps(tool)
    def call(*arguments: Any, **options: Any) -> str:
        try:
            return tool(*arguments, **options)
        except SandboxError as error:
            clean = _PLACEHOLDER.join(map(redact_text, str(error).split(_PLACEHOLDER)))
            raise ToolError(_cut(clean, LIMIT, 0)) from None

    return call


def _answer(sandbox: Patchworks, text: str, limit: int, offset: int, *, from_the_end: bool = False) -> str:
    """Return a part of a text, without secrets; with the offset of the next part where there is one."""
    clean = sandbox.backend.journal.secrets.redact(redact_text(text))
    return _cut(clean, limit, offset, from_the_end=from_the_end)


def _cut(text: str, limit: int, offset: int, *, from_the_end: bool = False) -> str:
    data = text.encode("utf-8", "replace")
    if len(data) <= limit and not offset:
        return text
    size = limit - _FOOTER
    left = max(0, len(data) - offset - size)
    start = left if from_the_end else offset
    part = data[start : max(0, len(data) - offset) if from_the_end else offset + size].decode("utf-8", "ignore")
    if not left:
        return part
    note = f"(… {left} bytes {'before' if from_the_end else 'after'} this: offset={offset + size}, or a larger limit)"
    return f"{note}\n{part}" if from_the_end else f"{part}\n{note}"


def _entry(sandbox: Patchworks, number: int | None) -> Entry | None:
    journal = sandbox.backend.journal
    if number is None:
        return next((entry for entry in journal.newest_first() if entry.outcome != "accepted"), None)
    entry = next(iter(journal.entries(EntryFilter(), number - 1)), None)
    if entry is None or entry.seq != number:
        raise NotFoundError("request", number)
    return entry


def _text(body: bytes) -> str:
    text = body[:_BODY].decode("utf-8", "replace")
    return f"{text}… ({len(body)} bytes)" if len(body) > _BODY else text


def _words(command: str) -> list[str]:
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise ToolError(f"command: {error}; give a command line such as `python push.py`") from None
    if not words:
        raise ToolError("command: empty; give a command line such as `python push.py`")
    return words
