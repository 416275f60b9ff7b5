"""The control API's answers as the values that the core has for them.

The command line imports this module, so a function imports what is slow to import.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from msgspec import convert

from sandbox.foundation.fields import fields_of
from sandbox.foundation.instants import parse_instant
from sandbox.platform.model import Entity, KeptSecret, OAuthClient, Service, ServiceOptions

if TYPE_CHECKING:
    from sandbox.faults.book import RuleState
    from sandbox.journal.attempts import Attempts
    from sandbox.platform.flows.access import NewApiKey
    from sandbox.platform.flows.model import ApiKey, Flow, FlowRun
    from sandbox.platform.oauth_clients import NewOAuthClient
    from sandbox.platform.processing.sync_report import LogLine, Report, Resynced, Row
    from sandbox.platform.processing.values import Run
    from sandbox.platform.tokens import IssuedToken
    from sandbox.state.restore import LoadedClient
    from sandbox.testing.contract import ContractViolations

Document = Mapping[str, Any]
T = TypeVar("T")


def to(kind: type[T]) -> Callable[[object], T]:
    """Return the reading of a type whose fields the control API shows under their own names."""
    return lambda answer: convert(answer, kind)


def each(read: Callable[[Document], T], name: str | None = None) -> Callable[[Any], list[T]]:
    """Return the reading of a list, which the answer is, or has under a name."""
    return lambda answer: [*map(read, answer if name is None else answer[name])]


def now(clock: Document) -> datetime:
    """Return the time of a clock."""
    return parse_instant(clock["now"])


def duplicates(answer: Document) -> list[Attempts]:
    """Return the groups of alike payloads, with their entries."""
    from sandbox.journal.attempts import Attempts
    from sandbox.journal.form import read_entry

    return [Attempts(group["key"], tuple(map(read_entry, group["entries"]))) for group in answer["duplicates"]]


def contract_violations(pages: list[Document]) -> ContractViolations:
    """Return every violation of every request."""
    from sandbox.journal.contract_rules import ContractViolation
    from sandbox.testing.contract import ContractViolations

    found = [
        ContractViolation(report["request"], report["method"], report["path"], **violation)
        for page in pages
        for report in page["requests"]
        for violation in report["violations"]
    ]
    return ContractViolations(found, received=pages[0]["received"], lost=pages[0]["lost"])


def tokens(pages: list[Document]) -> list[IssuedToken]:
    """Return the tokens of pages that were read from the newest back; those issued meanwhile move the rest on."""
    from sandbox.platform.tokens import IssuedToken

    newest_first = {given["jti"]: given for page in pages for given in reversed(page["tokens"])}
    documents = reversed(newest_first.values())
    return [convert(_in_seconds(given, "issued_at", "expires_at"), IssuedToken) for given in documents]


def flow(answer: Document) -> Flow:
    """Return a process flow; the keys of its HMACs are not shown."""
    from sandbox.platform.flows.model import Flow

    return convert(answer, Flow)


def flow_run(run: Document) -> FlowRun:
    """Return a run of a process flow."""
    from sandbox.platform.flows.model import FlowRun

    return convert(_in_seconds(run, "started_at", "ends_at"), FlowRun)


def flow_runs(pages: list[Document]) -> list[FlowRun]:
    """Return the runs of a process flow."""
    return [flow_run(given) for page in pages for given in page["runs"]]


def _in_seconds(document: Document, *names: str) -> Document:
    """Return a document with Unix seconds in place of instants."""
    return {**document, **{name: document[name] and parse_instant(document[name]).timestamp() for name in names}}


def api_key(answer: Document) -> ApiKey:
    """Return an API key; of its text only the last four characters are known."""
    from sandbox.platform.flows.model import ApiKey

    return convert({**answer, "secret": KeptSecret(b"", b"", answer["last_four"])}, ApiKey)


def new_api_key(answer: Document) -> NewApiKey:
    """Return an API key that was just made, with its text."""
    from sandbox.platform.flows.access import NewApiKey

    return NewApiKey(api_key(answer), answer["key"])


def resynced(answer: Document) -> Resynced:
    """Return the answer to a resync."""
    from sandbox.platform.processing.sync_report import Resynced

    return Resynced(each(row, "items")(answer), answer["total"])


def row(given: Document) -> Row:
    """Return a row of the sync report."""
    from sandbox.platform.processing.sync_report import Row, RowAttempt

    history = tuple(RowAttempt(**{**tried, "at": parse_instant(tried["at"])}) for tried in given.get("history", ()))
    times = {name: parse_instant(given[name]) for name in ("created_at", "updated_at")}
    return Row(**{**given, **times, "history": history})


def report(pages: list[Document]) -> Report:
    """Return the sync report."""
    from sandbox.platform.processing.sync_report import Report

    rows = [row(given) for page in pages for given in page["items"]]
    return Report(rows, pages[-1]["waiting"], pages[-1]["dropped"])


def run(given: Document) -> Run:
    """Return a run of a service."""
    from sandbox.platform.processing.values import Run

    number = int(given["id"].rpartition("-")[2])
    return convert({**_in_seconds(given, "due_at"), "number": number}, Run)


def runs(pages: list[Document]) -> list[Run]:
    """Return the runs of services."""
    return [run(given) for page in pages for given in page["runs"]]


def log_line(given: Document) -> LogLine:
    """Return a line of the log of a run."""
    from sandbox.platform.processing.sync_report import LogLine

    return LogLine(**given)


def next_run(given: Document) -> datetime | None:
    """Return when a service runs next."""
    return None if given["next_run"] is None else parse_instant(given["next_run"])


def rule(given: Document) -> RuleState:
    """Return a fault rule with its present state."""
    from sandbox.faults.book import RuleState
    from sandbox.faults.rules import read_rule

    created_at = parse_instant(given["created_at"])
    return RuleState(given["id"], read_rule(given["rule"]), created_at, given["seen"], given["hits"], given["used_up"])


def rules(answer: Document) -> list[RuleState]:
    """Return fault rules as they stand."""
    return [*map(rule, answer["faults"])]


def entity(given: Document) -> Entity:
    """Return an entity."""
    values = {field.name: given[field.name] for field in fields(Entity)}
    return Entity(**{**values, "created_at": parse_instant(given["created_at"])})


def service(given: Document) -> Service:
    """Return a service; the API shows its options side by side with the rest."""
    options = {option.name: given[option.name] for option in fields_of(ServiceOptions)}
    return replace(convert(given, Service), options=ServiceOptions(**options))


def client(connector_id: int, given: Document) -> OAuthClient:
    """Return an OAuth client; the hash of its secret stays in the sandbox."""
    last_four = given["client_secret"][-4:] if "client_secret" in given else given["secret_last_four"]
    values = {"id": given["client_id"], "connector_id": connector_id, "secret": KeptSecret(b"", b"", last_four)}
    return convert({"revoked": False, "updated_at": given["created_at"], **given, **values}, OAuthClient)


def new_client(connector_id: int, given: Document) -> NewOAuthClient:
    """Return an OAuth client just made."""
    from sandbox.platform.oauth_clients import NewOAuthClient

    return NewOAuthClient(client(connector_id, given), given["client_secret"])


def loaded_clients(answer: Document) -> list[LoadedClient]:
    """Return the OAuth clients of a loaded state."""
    from sandbox.state.restore import LoadedClient

    return convert(answer["clients"], list[LoadedClient])
