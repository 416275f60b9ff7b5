"""The table of verbs: each act upon a sandbox, once, for the handle, remote sandboxes, isolated companies and the CLI.

A row returns a ``Verb``. A sandbox of this process performs it by a call, one behind a URL by a request of the control
API, an isolated company by verbs of its parent; the command line prints the answer to the request. To add a verb: its
view in ``sandbox.web.control``, a row here, a method of the handle, a command. A verb about one thing raises
``NotFoundError`` where there is none.

The command line imports this module when it starts, so a row imports most of the core only when it is performed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from functools import partial
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import quote, urlsplit

from sandbox.foundation.errors import NotFoundError
from sandbox.foundation.instants import EARLIEST, format_instant
from sandbox.foundation.real_time import move_frozen_time
from sandbox.platform.model import Company, Connector, Entity, OAuthClient, Service, ServiceOptions
from sandbox.testing.backend import Backend, T, Verb
from sandbox.testing.remote import reading

if TYPE_CHECKING:
    from sandbox.faults.book import RuleState
    from sandbox.faults.rules import FaultRule
    from sandbox.foundation.json_value import JsonValue
    from sandbox.journal.attempts import Attempts, Likeness
    from sandbox.platform.flows.access import NewApiKey
    from sandbox.platform.flows.model import ApiKey, Flow, FlowRun
    from sandbox.platform.oauth_clients import NewOAuthClient
    from sandbox.platform.processing.sync_report import LogLine, Report, Resynced, Row
    from sandbox.platform.processing.values import Run
    from sandbox.platform.tokens import IssuedToken
    from sandbox.state.restore import LoadedClient
    from sandbox.state.sandbox import Sandbox
    from sandbox.testing.contract import ContractViolations
    from sandbox.testing.tenant.ownership import Ownership

PAGE: Final = 1_000
"""Items of a page of the control API."""
STATE_S: Final = 300.0
"""Seconds more than usual that a state may take: it holds the whole journal."""
_MOVING: Final = "moving the clock"
_quoted: Final = partial(quote, safe="")


# --- the clock --------------------------------------------------------------------------------------------------------


class ClockState(NamedTuple):
    """The state of the sandbox clock."""

    now: datetime
    frozen: bool
    rate: float
    moved: bool | None = None
    """Whether it shows another time than the machine's; unknown of a sandbox behind a URL."""


def clock() -> Verb[ClockState]:
    return Verb(
        "GET /clock",
        lambda it: ClockState(it.clock.now(), it.clock.frozen, it.clock.rate, it.clock.moved),
        lambda answer: ClockState(reading.now(answer), answer["frozen"], answer["rate"]),
    )


def advance(step: timedelta | str) -> Verb[datetime]:
    body = {"duration": step} if isinstance(step, str) else {"seconds": step.total_seconds()}
    return Verb("POST /clock/advance", lambda it: it.clock.advance(step), reading.now, body, isolated=_MOVING)


def travel(step: timedelta) -> Verb[datetime]:
    """Move the time of freezegun or time-machine in this process, if there is one, and the clock as far."""

    def read(answer: Any) -> datetime:
        move_frozen_time(step)
        return reading.now(answer)

    body = {"seconds": step.total_seconds()}
    return Verb("POST /clock/advance", lambda it: it.clock.travel(step), read, body, isolated=_MOVING)


def change_clock(now: datetime | str | None = None, frozen: bool | None = None, rate: object = None) -> Verb[datetime]:
    """Travel to an instant with a zone, freeze or unfreeze, change the rate; return the time."""
    change = {"now": format_instant(now) if isinstance(now, datetime) else now, "frozen": frozen, "rate": rate}
    body = {name: value for name, value in change.items() if value is not None}
    why = "changing the clock"
    return Verb(
        "PUT /clock", lambda it: it.clock.change(now=now, frozen=frozen, rate=rate), reading.now, body, isolated=why
    )


def reset_clock() -> Verb[datetime]:
    return Verb("DELETE /clock", lambda it: it.clock.reset(), reading.now, isolated=_MOVING)


def follow() -> Verb[datetime]:
    """Let the clock run beside the time of freezegun or time-machine in this process."""
    why = "a clock behind a URL cannot follow the time of freezegun or time-machine here; move both with travel()"
    return Verb("", lambda it: it.clock.follow(), reading.now, isolated=_MOVING, only_here=why)


# --- fault rules ------------------------------------------------------------------------------------------------------


def rules() -> Verb[list[RuleState]]:
    return Verb("GET /faults", lambda it: it.platform.faults.rules(), reading.rules, isolated=_own_rules)


def _own_rules(parent: Backend, own: Ownership) -> list[RuleState]:
    return [state for state in parent.do(rules()) if own.has(state.rule.match)]


def rule(rule_id: str) -> Verb[RuleState]:
    route, owned = f"GET /faults/{_quoted(rule_id)}", _own_rule(rule_id)
    return Verb(route, lambda it: it.platform.faults.get(rule_id), reading.rule, owned=owned)


def _own_rule(rule_id: str) -> Callable[[Backend, Ownership], object]:
    return lambda parent, own: own.rule(parent.do(rules()), rule_id)


def add_rule(given: FaultRule | Mapping[str, Any]) -> Verb[RuleState]:
    return Verb(
        "POST /faults",
        lambda it: it.platform.faults.add(_as_rule(given)),
        reading.rule,
        given.document() if hasattr(given, "document") else given,
        isolated=lambda parent, own: parent.do(add_rule(own.narrowed(_as_rule(given)))),
    )


def replace_rule(rule_id: str, given: FaultRule | Mapping[str, Any]) -> Verb[RuleState]:
    return Verb(
        f"PUT /faults/{_quoted(rule_id)}",
        lambda it: it.platform.faults.replace(rule_id, _as_rule(given)),
        reading.rule,
        given.document() if hasattr(given, "document") else given,
        owned=_own_rule(rule_id),
        isolated=lambda parent, own: parent.do(replace_rule(rule_id, own.narrowed(_as_rule(given)))),
    )


def _as_rule(given: FaultRule | Mapping[str, Any]) -> FaultRule:
    from sandbox.faults.rules import FaultRule, read_rule

    return given if isinstance(given, FaultRule) else read_rule(given)


def remove_rule(rule_id: str) -> Verb[RuleState]:
    route, owned = f"DELETE /faults/{_quoted(rule_id)}", _own_rule(rule_id)
    return Verb(route, lambda it: it.platform.faults.remove(rule_id), reading.rule, owned=owned)


def clear_rules() -> Verb[int]:
    return Verb(
        "DELETE /faults",
        lambda it: it.platform.faults.clear(),
        lambda answer: answer["deleted"],
        isolated=lambda parent, own: len([parent.do(remove_rule(state.id)) for state in _own_rules(parent, own)]),
    )


def presets() -> Verb[dict[str, str]]:
    """Return the stories of the presets by name."""

    def here(sandbox: Sandbox) -> dict[str, str]:
        from sandbox.faults.presets import load_presets

        return {preset.name: preset.story for preset in load_presets(sandbox.settings.presets_dir).values()}

    return Verb("GET /fault-presets", here, lambda answer: {each["name"]: each["story"] for each in answer["presets"]})


def add_preset(name: str, match: Mapping[str, object]) -> Verb[list[RuleState]]:
    """Put the rules of a preset behind those there are, for requests that match; raise ``NotFoundError``."""

    def here(sandbox: Sandbox) -> list[RuleState]:
        from sandbox.faults.presets import find_preset

        return sandbox.platform.faults.add_all(find_preset(name, sandbox.settings.presets_dir).narrowed(match))

    return Verb(
        f"POST /fault-presets/{_quoted(name)}",
        here,
        reading.rules,
        {"match": dict(match)},
        isolated=lambda parent, own: parent.do(add_preset(name, {"client_id": own.first_client(), **match})),
    )


# --- companies, connectors, entities, OAuth clients, services; each list begins with the oldest -----------------------


def companies() -> Verb[list[Company]]:
    return Verb("GET /companies", lambda it: it.store.companies(), reading.to(list[Company]))


def add_company(name: str, slug: str | None = None) -> Verb[Company]:
    """Add a company; its slug is made from the name unless given."""
    body = {"name": name} if slug is None else {"name": name, "slug": slug}
    return Verb("POST /companies", lambda it: it.store.add_company(name, slug), reading.to(Company), body)


def connectors() -> Verb[list[Connector]]:
    return Verb("GET /connectors", lambda it: it.store.connectors(), reading.to(list[Connector]))


def token_path() -> Verb[str]:
    """Return the path of the token endpoint; the address is that by which the sandbox is reached from here."""

    def read(connectors: Any) -> str:
        for connector in connectors:
            return str(urlsplit(connector["token_endpoint"]).path)
        raise NotFoundError("connector whose token endpoint to use; the sandbox has none")

    return Verb("GET /connectors", lambda it: it.initial_settings.token_path, read)


def add_connector(company: str, name: str, environment: str = "test") -> Verb[Connector]:
    body: dict[str, Any] = {"company": company, "name": name, "environment": environment}
    return Verb("POST /connectors", lambda it: it.store.add_connector(**body), reading.to(Connector), body)


def entities(connector_id: int) -> Verb[list[Entity]]:
    route = f"GET /connectors/{connector_id}/entities"
    return Verb(route, lambda it: it.store.entities(connector_id), reading.each(reading.entity))


def add_entity(
    connector_id: int, type: str, name: str, sample: JsonValue = None, json_schema: dict[str, Any] | None = None
) -> Verb[Entity]:
    body: dict[str, Any] = {"type": type, "name": name, "sample": sample, "json_schema": json_schema}
    route = f"POST /connectors/{connector_id}/entities"
    return Verb(route, lambda it: it.store.add_entity(connector_id, **body), reading.entity, body)


def clients(connector_id: int) -> Verb[list[OAuthClient]]:
    route, read = f"GET /connectors/{connector_id}/oauth-clients", partial(reading.client, connector_id)
    return Verb(route, lambda it: it.store.clients(connector_id), reading.each(read))


def add_client(connector_id: int, name: str) -> Verb[NewOAuthClient]:
    """Add an OAuth client to a connector; the sandbox makes its id and its secret."""
    route, read = f"POST /connectors/{connector_id}/oauth-clients", partial(reading.new_client, connector_id)
    return Verb(route, lambda it: it.store.add_client(connector_id, name), read, {"name": name})


def delete_client(connector_id: int, client_id: str, name: str) -> Verb[object]:
    """Delete an OAuth client; its name is the confirmation. Its tokens stop working."""
    route, body = f"DELETE /connectors/{connector_id}/oauth-clients/{_quoted(client_id)}", {"confirmation": name}
    return Verb(route, lambda it: it.delete_client(connector_id, client_id, name), lambda _: None, body)


def change_entity(connector_id: int, entity_id: int, json_schema: dict[str, Any] | None) -> Verb[Entity]:
    """Replace the JSON Schema of an entity; ``None`` returns to the one that follows from its sample."""
    route, body = f"PATCH /connectors/{connector_id}/entities/{entity_id}", {"json_schema": json_schema}
    return Verb(
        route, lambda it: it.store.set_entity_schema(connector_id, entity_id, json_schema), reading.entity, body
    )


def services() -> Verb[list[Service]]:
    return Verb("GET /services", lambda it: it.store.services(), reading.each(reading.service))


def add_service(
    company: str,
    connector_id: int,
    entity: str,
    vanity_url: str,
    *,
    active: bool = True,
    options: ServiceOptions | None = None,
) -> Verb[Service]:
    body: dict[str, Any] = {"company": company, "connector_id": connector_id, "entity": entity}
    body |= {"vanity_url": vanity_url, "active": active}
    return Verb(
        "POST /services",
        lambda it: it.store.add_service(**body, options=options),
        reading.service,
        {**body, **(options.document() if options is not None else {})},
    )


def change_service(service_id: int, changes: Mapping[str, object]) -> Verb[Service]:
    """Activate or deactivate a service, and change its options; raise ``InvalidValueError``."""
    return Verb(
        f"PATCH /services/{service_id}",
        lambda it: it.store.change_service(service_id, **changes),  # type: ignore[arg-type]
        reading.service,
        dict(changes),
        owned=_own("service", services, service_id),
    )


def _own(kind: str, listed: Callable[[], Verb[list[Any]]], key: int | str) -> Callable[[Backend, Ownership], object]:
    """Return the check that a thing in a list is of a company that shares a sandbox."""
    return lambda parent, own: own.check(
        next((thing.company for thing in parent.do(listed()) if thing.id == key), None), kind, key
    )


# --- what becomes of payloads -----------------------------------------------------------------------------------------


def report(**where: str | None) -> Verb[Report]:
    """Return the rows of the sync report, oldest first; ``where`` are conditions of ``ReportFilter``."""

    def here(sandbox: Sandbox) -> Report:
        from sandbox.platform.processing.sync_report import ReportFilter, report_of

        processing = sandbox.platform.processing
        return report_of(processing.items(), ReportFilter(**where), processing.dropped)  # type: ignore[arg-type]

    query = {"limit": PAGE, "since": format_instant(EARLIEST), **where}
    own_ones = partial(_own_report, where=where)
    return Verb("GET /sync-report", here, reading.report, query=query, more=_next_page, isolated=own_ones)


def _own_report(parent: Backend, own: Ownership, where: Mapping[str, str | None]) -> Report:
    from sandbox.platform.processing.sync_report import Report

    found = _each_own(report, parent, own, where)
    rows = sorted((row for each in found for row in each.rows), key=lambda row: row.id)
    return Report(rows, sum(each.waiting for each in found), max((each.dropped for each in found), default=0))


def _each_own(
    verb: Callable[..., Verb[T]], parent: Backend, own: Ownership, where: Mapping[str, str | None]
) -> list[T]:
    """Return the answers to a verb about each owned company that is meant."""
    meant = where.get("company")
    return [parent.do(verb(**{**where, "company": known})) for known in own.companies if meant in (None, known)]


def _next_page(pages: list[Any]) -> Mapping[str, object] | None:
    after = pages[-1]["next_after"]
    return None if after is None else {"after": after}


def report_row(row_id: int) -> Verb[Row]:
    def here(sandbox: Sandbox) -> Row:
        from sandbox.platform.processing.sync_report import row_of

        return row_of(sandbox.platform.processing.item(row_id), whole=True)

    return Verb(f"GET /sync-report/{row_id}", here, reading.row, isolated=partial(_own_row, row_id=row_id))


def _own_row(parent: Backend, own: Ownership, row_id: int) -> Row:
    row = parent.do(report_row(row_id))
    own.check(row.company, "row of the sync report", row_id)
    return row


def resync(row_ids: Sequence[int] = (), **where: str | None) -> Verb[Resynced]:
    """Sync failed items again: those given, or without any all that meet conditions of ``ReportFilter``.

    Raise ``ConflictError`` or ``NotFoundError`` and resync none.
    """
    given = {name: value for name, value in where.items() if value is not None}

    def here(sandbox: Sandbox) -> Resynced:
        from sandbox.platform.processing.sync_report import ReportFilter, resynced

        processing = sandbox.platform.processing
        meant = ReportFilter(status="Failed", **given)  # type: ignore[arg-type]
        ids = row_ids or [item.id for item in processing.items() if meant.matches(item)]
        return resynced(processing.resync(ids))

    def own_ones(parent: Backend, own: Ownership) -> Resynced:
        from sandbox.platform.processing.sync_report import MAX_RESYNCED, Resynced

        for row_id in row_ids:
            _own_row(parent, own, row_id)
        if row_ids:
            return parent.do(resync(row_ids))
        found = _each_own(partial(resync, ()), parent, own, given)
        return Resynced(islice(chain(*found), MAX_RESYNCED), sum(each.total for each in found))

    body = {"ids": list(row_ids)} if row_ids else given
    return Verb("POST /sync-report/resync", here, reading.resynced, body, isolated=own_ones)


def runs(**where: str) -> Verb[list[Run]]:
    """Return the runs of services, oldest first; ``where``: ``company``, ``vanity_url``."""

    def here(sandbox: Sandbox) -> list[Run]:
        found = sandbox.platform.processing.runs()
        return [run for run in found if all(getattr(run, name) == value for name, value in where.items())]

    def own_ones(parent: Backend, own: Ownership) -> list[Run]:
        return sorted(chain(*_each_own(runs, parent, own, where)), key=lambda run: run.number)

    query = {"limit": PAGE, **where}
    return Verb("GET /runs", here, reading.runs, query=query, more=_next_page, isolated=own_ones)


def run_log(run_id: str) -> Verb[list[LogLine]]:
    def here(sandbox: Sandbox) -> list[LogLine]:
        from sandbox.platform.processing.sync_report import log_of

        processing = sandbox.platform.processing
        return log_of(processing.find_run(run_id), processing.items())

    route, read = f"GET /runs/{_quoted(run_id)}/log", reading.each(reading.log_line, "lines")
    return Verb(route, here, read, owned=_own("run", runs, run_id))


def run_service(service_id: int) -> Verb[Run]:
    route, owned = f"POST /services/{service_id}/run", _own("service", services, service_id)
    return Verb(route, lambda it: it.platform.processing.run(service_id), reading.run, owned=owned)


def next_run(service_id: int) -> Verb[datetime | None]:
    """Return when a service runs next by its schedule; ``None`` where it does not."""

    def here(sandbox: Sandbox) -> datetime | None:
        found = sandbox.platform.processing.next_run(sandbox.store.service(service_id))
        return None if found is None else datetime.fromtimestamp(found, timezone.utc)

    return Verb(f"GET /services/{service_id}", here, reading.next_run)


def delete_service(service_id: int) -> Verb[object]:
    """Delete a service; its inbound URL is free again."""
    return Verb(f"DELETE /services/{service_id}", lambda it: it.store.delete_service(service_id), lambda _: None)


# --- process flows ----------------------------------------------------------------------------------------------------


def flows() -> Verb[list[Flow]]:
    """Return all process flows; behind a URL without the keys of their HMACs."""
    return Verb("GET /flows", lambda it: it.store.flows.flows(), reading.each(reading.flow))


def add_flow(company: str, document: Mapping[str, object]) -> Verb[Flow]:
    """Add a process flow, as a seed has it, to a company; raise ``SeedError`` or ``ConflictError``."""

    def here(sandbox: Sandbox) -> Flow:
        from sandbox.state.seed import parse_part

        return sandbox.store.flows.add_flow(sandbox.store.company(company).slug, parse_part("flows", document))

    return Verb(f"POST /companies/{_quoted(company)}/flows", here, reading.flow, dict(document))


def copy_flow(flow_id: int, company: str) -> Verb[Flow]:
    """Copy a process flow into a company, with new ids and signatures, and the same keys of HMACs."""
    route = f"POST /companies/{_quoted(company)}/flows/{flow_id}/copy"
    return Verb(route, lambda it: it.store.flows.copy_flow(flow_id, it.store.company(company).slug), reading.flow)


def change_flow(flow_id: int, changes: Mapping[str, Any]) -> Verb[Flow]:
    """Enable or disable a flow, and deploy a version of it; raise ``InvalidValueError``."""
    route, body, owned = f"PATCH /flows/{flow_id}", dict(changes), _own("flow", flows, flow_id)
    return Verb(route, lambda it: it.store.flows.change_flow(flow_id, **body), reading.flow, body, owned=owned)


def delete_flow(flow_id: int) -> Verb[None]:
    route, owned = f"DELETE /flows/{flow_id}", _own("flow", flows, flow_id)
    return Verb(route, lambda it: it.store.flows.delete_flow(flow_id), lambda _: None, owned=owned)


def flow_runs(flow_id: int) -> Verb[list[FlowRun]]:
    def here(sandbox: Sandbox) -> list[FlowRun]:
        flow = sandbox.store.flows.flow(flow_id)
        return [run for run in sandbox.platform.runs.runs() if run.flow_id == flow.id]

    return Verb(f"GET /flows/{flow_id}/runs", here, reading.flow_runs, query={"limit": PAGE}, more=_next_page)


def api_keys() -> Verb[list[ApiKey]]:
    return Verb("GET /api-keys", lambda it: it.store.flows.api_keys(), reading.each(reading.api_key))


def add_api_key(company: str, name: str) -> Verb[NewApiKey]:
    """Add an API key to a company; the value has the only copy of its text."""

    def here(sandbox: Sandbox) -> NewApiKey:
        from sandbox.platform.flows.model import ApiKeySeed

        return sandbox.store.flows.add_api_key(sandbox.store.company(company).slug, ApiKeySeed(name))

    return Verb(f"POST /companies/{_quoted(company)}/api-keys", here, reading.new_api_key, {"name": name})


def revoke_api_key(key_id: int) -> Verb[ApiKey]:
    """Revoke an API key; it stays in the list."""
    route, owned = f"POST /api-keys/{key_id}/revoke", _own("API key", api_keys, key_id)
    return Verb(route, lambda it: it.store.flows.revoke_api_key(key_id), reading.api_key, owned=owned)


def delete_api_key(key_id: int) -> Verb[None]:
    route, owned = f"DELETE /api-keys/{key_id}", _own("API key", api_keys, key_id)
    return Verb(route, lambda it: it.store.flows.delete_api_key(key_id), lambda _: None, owned=owned)


# --- tokens, and what the journal shows -------------------------------------------------------------------------------


def tokens(client_id: str | None = None) -> Verb[list[IssuedToken]]:
    """Return the tokens issued since the last reset, in the order of issue: those of an OAuth client, or all."""

    def own_ones(parent: Backend, own: Ownership) -> list[IssuedToken]:
        found = [token for known in own.client_ids for token in parent.do(tokens(known))]
        return sorted(found, key=lambda token: token.request or 0)

    def more(pages: list[Any]) -> Mapping[str, object] | None:
        skip = len(pages) * PAGE
        return {"skip": skip} if skip < pages[-1]["total"] else None

    return Verb(
        "GET /tokens",
        lambda it: [token for token in it.tokens if client_id in (None, token.client_id)],
        reading.tokens,
        query={"limit": PAGE, "client_id": client_id},
        more=more,
        isolated=own_ones,
    )


def revoke_tokens(client_id: str | None = None) -> Verb[int]:
    return Verb(
        "POST /tokens/revoke",
        lambda it: it.revoke_tokens(client_id),
        lambda answer: answer["revoked"],
        {} if client_id is None else {"client_id": client_id},
        isolated=lambda parent, own: sum(parent.do(revoke_tokens(known)) for known in own.client_ids),
    )


def rotate_keys() -> Verb[None]:
    """Replace the signing key; tokens signed by the old one are refused."""
    return Verb("POST /keys/rotate", lambda it: it.rotate_keys(), lambda _: None, isolated="rotating the signing key")


def clear_requests() -> Verb[int]:
    return Verb(
        "DELETE /requests", lambda it: it.journal.clear(), lambda answer: answer["deleted"], empties_journal=True
    )


def duplicates(by: Likeness | None = None, json_path: str | None = None, **where: str | None) -> Verb[list[Attempts]]:
    """Return the payloads that were accepted more than once; ``where``: ``company``, ``vanity_url``, ``flow``."""

    def here(sandbox: Sandbox) -> list[Attempts]:
        from sandbox.journal.attempts import find_duplicates
        from sandbox.journal.filter import EntryFilter

        meant = EntryFilter(**where)  # type: ignore[arg-type]
        return find_duplicates(sandbox.journal.entries(meant), by, json_path)

    def own_ones(parent: Backend, own: Ownership) -> list[Attempts]:
        found = _each_own(partial(duplicates, by, json_path), parent, own, where)
        return sorted(chain(*found), key=lambda group: group.entries[0].seq)

    query = {"by": by, "json_path": json_path, "entries": True, **where}
    return Verb("GET /requests/duplicates", here, reading.duplicates, query=query, isolated=own_ones)


def contract_violations(after: int = 0, **where: str) -> Verb[ContractViolations]:
    """Return every way in which a request did not conform to the published contract, oldest first.

    ``where``: ``company`` or ``client_id``.
    """

    def here(sandbox: Sandbox) -> ContractViolations:
        from sandbox.journal.filter import EntryFilter
        from sandbox.platform.endpoints import violations_of
        from sandbox.testing.contract import ContractViolations

        meant, journal = EntryFilter(**where), sandbox.journal  # type: ignore[arg-type]
        entries = list(journal.entries(meant, after))
        found = [violation for entry in entries for violation in violations_of(entry)]
        return ContractViolations(found, received=len(entries), lost=journal.dropped_at_most(meant, after))

    def own_ones(parent: Backend, own: Ownership) -> ContractViolations:
        from sandbox.testing.contract import ContractViolations
        from sandbox.testing.tenant.ownership import TenantJournal

        each = [contract_violations(own.since, company=known) for known in own.companies]
        each += [contract_violations(own.since, client_id=known) for known in own.client_ids]
        found = dict.fromkeys(violation for verb in each for violation in parent.do(verb))
        ordered = sorted(found, key=lambda violation: int(violation.request.rpartition("-")[2]))
        journal = TenantJournal(parent.journal, own)
        return ContractViolations(ordered, received=sum(1 for _ in journal.entries()), lost=journal.dropped)

    query = {"after": after, "limit": PAGE, **where}
    read = reading.contract_violations
    return Verb("GET /contract-violations", here, read, query=query, more=_next_page, isolated=own_ones)


# --- the sandbox as a whole -------------------------------------------------------------------------------------------


def settings() -> Verb[dict[str, Any]]:
    def here(sandbox: Sandbox) -> dict[str, Any]:
        from sandbox.foundation.settings import setting_specs

        return {spec.name: getattr(sandbox.settings, spec.name) for spec in setting_specs() if spec.runtime}

    return Verb("GET /settings", here, dict)


def configure(settings: Mapping[str, object]) -> Verb[object]:
    """Change run-time settings until the next reset; raise ``InvalidValueError``."""
    body = dict(settings)
    return Verb("PATCH /settings", lambda it: it.change_settings(body), dict, body, isolated="changing settings")


def reset() -> Verb[datetime]:
    return Verb("POST /reset", lambda it: it.reset(), reading.now, isolated="a reset", kept_clients=lambda _: ())


def state(*, secrets: bool = False) -> Verb[dict[str, Any]]:
    def here(sandbox: Sandbox) -> dict[str, Any]:
        from sandbox.state.snapshot import to_document

        return to_document(sandbox.state(secrets=secrets))

    return Verb("GET /state", here, dict, query={"secrets": secrets}, isolated="saving the state", longer_s=STATE_S)


def load_state(document: Mapping[str, Any]) -> Verb[list[LoadedClient]]:
    """Become what a saved state describes; raise ``InvalidValueError`` and stay as it is."""

    def here(sandbox: Sandbox) -> list[LoadedClient]:
        from sandbox.state.snapshot import read_state

        return sandbox.load_state(read_state(_as_sent(document)))

    return Verb(
        "PUT /state",
        here,
        reading.loaded_clients,
        document,
        isolated="loading a state",
        longer_s=STATE_S,
        kept_clients=lambda clients: [client.client_id for client in clients if client.client_secret is None],
    )


def _as_sent(document: Mapping[str, Any]) -> object:
    """Return a state as HTTP would carry it; raise ``InvalidValueError`` for what JSON cannot hold."""
    from sandbox.foundation.errors import InvalidValueError
    from sandbox.foundation.strict_json import NotJsonError, parse_json, sent_json

    try:
        return parse_json(sent_json(document, "state").encode())
    except NotJsonError as error:
        raise InvalidValueError("state", "this document", f"JSON whose text is UTF-8 ({error})") from None
