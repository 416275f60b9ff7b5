"""The table of verbs: each act upon a sandbox, once, for the handle, remote sandboxes, isolated companies and the CLI.

A row returns a ``Verb``. A sandbox of this process performs it by a call, one behind a URL by a request of the control
API, an isolated company by verbs of its parent; the command line prints the answer to the request. To add a verb: its
view in ``sandbox.web.control``, a row here, a method of the handle, a command.

The command line imports this module when it starts, so a row imports the core only when it is performed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import quote

from sandbox.foundation.clock import format_instant, move_frozen_time
from sandbox.testing.backend import Backend, Verb
from sandbox.testing.remote import reading

if TYPE_CHECKING:
    from sandbox.faults.book import RuleState
    from sandbox.faults.rules import FaultRule
    from sandbox.foundation.clock import Clock
    from sandbox.foundation.json_value import JsonValue
    from sandbox.journal.contract import ContractViolation
    from sandbox.journal.duplicates import Duplicates, Likeness
    from sandbox.platform.model import Company, Connector, Entity, OAuthClient, Service
    from sandbox.platform.store import NewOAuthClient
    from sandbox.platform.tokens import IssuedToken
    from sandbox.state.restore import LoadedClient
    from sandbox.state.sandbox import Sandbox
    from sandbox.testing.tenant.ownership import Ownership

PAGE: Final = 1_000
"""Items of a page of the control API."""
STATE_S: Final = 300.0
"""Seconds more than usual that a state may take: it holds the whole journal."""


# --- the clock --------------------------------------------------------------------------------------------------------


class ClockState(NamedTuple):
    """The sandbox clock as it stands."""

    now: datetime
    frozen: bool
    rate: float
    moved: bool | None = None
    """Whether it shows another time than the machine's; unknown of a sandbox behind a URL."""


def _clock_state(clock: Clock) -> ClockState:
    return ClockState(clock.now(), clock.frozen, clock.rate, clock.moved)


def clock() -> Verb[ClockState]:
    """Return the sandbox time, whether it stands still, and its rate."""
    return Verb(
        "GET /clock",
        here=lambda sandbox: _clock_state(sandbox.clock),
        read=lambda answer: ClockState(reading.now(answer), answer["frozen"], answer["rate"]),
        isolated=None,
    )


def advance(step: timedelta | str) -> Verb[datetime]:
    """Move the clock by a duration; return the new time."""
    return Verb(
        "POST /clock/advance",
        {"duration": step} if isinstance(step, str) else {"seconds": step.total_seconds()},
        here=lambda sandbox: sandbox.clock.advance(step),
        read=reading.now,
        isolated="moving the clock",
    )


def travel(step: timedelta) -> Verb[datetime]:
    """Move the time that freezegun freezes in this process, if it does, and the clock as far."""

    def read(answer: Any) -> datetime:
        move_frozen_time(step)
        return reading.now(answer)

    return Verb(
        "POST /clock/advance",
        {"seconds": step.total_seconds()},
        here=lambda sandbox: sandbox.clock.travel(step),
        read=read,
        isolated="moving the clock",
    )


def change_clock(now: datetime | str | None = None, frozen: bool | None = None, rate: object = None) -> Verb[datetime]:
    """Travel to an instant with a zone, freeze or unfreeze, change the rate; return the time."""
    instant = format_instant(now) if isinstance(now, datetime) else now
    change = {"now": instant, "frozen": frozen, "rate": rate}
    return Verb(
        "PUT /clock",
        {name: value for name, value in change.items() if value is not None},
        here=lambda sandbox: sandbox.clock.change(now=now, frozen=frozen, rate=rate),
        read=reading.now,
        isolated="changing the clock",
    )


def reset_clock() -> Verb[datetime]:
    """Return the clock to the machine's time."""
    return Verb(
        "DELETE /clock", here=lambda sandbox: sandbox.clock.reset(), read=reading.now, isolated="moving the clock"
    )


def follow() -> Verb[datetime]:
    """Let the clock run beside the time that freezegun freezes in this process."""
    return Verb(
        "",
        here=lambda sandbox: sandbox.clock.follow(),
        read=reading.now,
        isolated="moving the clock",
        only_here="a clock behind a URL cannot follow the time that freezegun freezes here; move both with travel()",
    )


# --- fault rules ------------------------------------------------------------------------------------------------------


def rules() -> Verb[list[RuleState]]:
    """Return every rule in order, used up or not."""
    return Verb(
        "GET /faults",
        here=lambda sandbox: sandbox.platform.faults.rules(),
        read=reading.rules,
        isolated=lambda parent, own: own.rules(parent),
    )


def rule(rule_id: str) -> Verb[RuleState]:
    """Return a rule, or raise ``NotFoundError``."""
    return Verb(
        f"GET /faults/{_quoted(rule_id)}",
        here=lambda sandbox: sandbox.platform.faults.get(rule_id),
        read=reading.rule,
        isolated=lambda parent, own: own.rule(parent, rule_id),
    )


def add_rule(given: FaultRule | Mapping[str, Any]) -> Verb[RuleState]:
    """Put a rule behind those there are."""

    def as_rule() -> FaultRule:
        from sandbox.faults.rules import read_rule

        return read_rule(given) if isinstance(given, Mapping) else given

    return Verb(
        "POST /faults",
        given if isinstance(given, Mapping) else given.document(),
        here=lambda sandbox: sandbox.platform.faults.add(as_rule()),
        read=reading.rule,
        isolated=lambda parent, own: parent.do(add_rule(own.narrowed(as_rule()))),
    )


def remove_rule(rule_id: str) -> Verb[RuleState]:
    """Remove a rule, or raise ``NotFoundError``."""
    return Verb(
        f"DELETE /faults/{_quoted(rule_id)}",
        here=lambda sandbox: sandbox.platform.faults.remove(rule_id),
        read=reading.rule,
        isolated=lambda parent, own: parent.do(remove_rule(own.rule(parent, rule_id).id)),
    )


def clear_rules() -> Verb[int]:
    """Remove every rule; return how many there were."""
    return Verb(
        "DELETE /faults",
        here=lambda sandbox: sandbox.platform.faults.clear(),
        read=lambda answer: answer["deleted"],
        isolated=lambda parent, own: len([parent.do(remove_rule(state.id)) for state in own.rules(parent)]),
    )


def presets() -> Verb[dict[str, str]]:
    """Return the stories of the presets by name."""

    def here(sandbox: Sandbox) -> dict[str, str]:
        from sandbox.faults.presets import load_presets

        return {preset.name: preset.story for preset in load_presets(sandbox.settings.presets_dir).values()}

    return Verb(
        "GET /fault-presets",
        here=here,
        read=lambda answer: {preset["name"]: preset["story"] for preset in answer["presets"]},
        isolated=None,
    )


def add_preset(name: str, match: Mapping[str, object]) -> Verb[list[RuleState]]:
    """Put the rules of a preset behind those there are, for requests that match; raise ``NotFoundError``."""

    def here(sandbox: Sandbox) -> list[RuleState]:
        from sandbox.faults.presets import find_preset

        return sandbox.platform.faults.add_all(find_preset(name, sandbox.settings.presets_dir).narrowed(match))

    return Verb(
        f"POST /fault-presets/{_quoted(name)}",
        {"match": dict(match)},
        here=here,
        read=reading.rules,
        isolated=lambda parent, own: parent.do(add_preset(name, {"client_id": own.first_client(), **match})),
    )


# --- what exists ------------------------------------------------------------------------------------------------------


def companies() -> Verb[list[Company]]:
    """Return all companies, oldest first."""
    return Verb(
        "GET /companies",
        here=lambda sandbox: sandbox.store.companies(),
        read=reading.each(reading.company),
        isolated=None,
    )


def add_company(name: str, slug: str | None = None) -> Verb[Company]:
    """Add a company; its slug is made from the name unless given."""
    return Verb(
        "POST /companies",
        {"name": name} if slug is None else {"name": name, "slug": slug},
        here=lambda sandbox: sandbox.store.add_company(name, slug),
        read=reading.company,
        isolated=None,
    )


def connectors() -> Verb[list[Connector]]:
    """Return all connectors, oldest first."""
    return Verb(
        "GET /connectors",
        here=lambda sandbox: sandbox.store.connectors(),
        read=reading.each(reading.connector),
        isolated=None,
    )


def add_connector(company: str, name: str, environment: str = "test") -> Verb[Connector]:
    """Add a connector to a company."""
    return Verb(
        "POST /connectors",
        {"company": company, "name": name, "environment": environment},
        here=lambda sandbox: sandbox.store.add_connector(company, name, environment),
        read=reading.connector,
        isolated=None,
    )


def entities(connector_id: int) -> Verb[list[Entity]]:
    """Return the entities of a connector, oldest first."""
    return Verb(
        f"GET /connectors/{connector_id}/entities",
        here=lambda sandbox: sandbox.store.entities(connector_id),
        read=reading.each(reading.entity),
        isolated=None,
    )


def add_entity(
    connector_id: int, type: str, name: str, sample: JsonValue = None, json_schema: dict[str, Any] | None = None
) -> Verb[Entity]:
    """Add an entity to a connector."""
    return Verb(
        f"POST /connectors/{connector_id}/entities",
        {"type": type, "name": name, "sample": sample, "json_schema": json_schema},
        here=lambda sandbox: sandbox.store.add_entity(connector_id, type, name, sample, json_schema),
        read=reading.entity,
        isolated=None,
    )


def clients(connector_id: int) -> Verb[list[OAuthClient]]:
    """Return the OAuth clients of a connector, oldest first."""
    return Verb(
        f"GET /connectors/{connector_id}/oauth-clients",
        here=lambda sandbox: sandbox.store.clients(connector_id),
        read=reading.each(lambda given: reading.client(given, connector_id)),
        isolated=None,
    )


def add_client(connector_id: int, name: str) -> Verb[NewOAuthClient]:
    """Add an OAuth client to a connector; the sandbox makes its id and its secret."""
    return Verb(
        f"POST /connectors/{connector_id}/oauth-clients",
        {"name": name},
        here=lambda sandbox: sandbox.store.add_client(connector_id, name),
        read=lambda answer: reading.new_client(answer, connector_id),
        isolated=None,
    )


def services() -> Verb[list[Service]]:
    """Return all services, oldest first."""
    return Verb(
        "GET /services",
        here=lambda sandbox: sandbox.store.services(),
        read=reading.each(reading.service),
        isolated=None,
    )


def add_service(company: str, connector_id: int, entity: str, vanity_url: str, *, active: bool = True) -> Verb[Service]:
    """Add a service to a company."""
    of = {"company": company, "connector_id": connector_id, "entity": entity}
    return Verb(
        "POST /services",
        {**of, "vanity_url": vanity_url, "active": active},
        here=lambda sandbox: sandbox.store.add_service(company, connector_id, entity, vanity_url, active=active),
        read=reading.service,
        isolated=None,
    )


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
        query={"limit": PAGE, "client_id": client_id},
        here=lambda sandbox: [token for token in sandbox.tokens if client_id in (None, token.client_id)],
        read=reading.tokens,
        more=more,
        isolated=own_ones,
    )


def revoke_tokens(client_id: str | None = None) -> Verb[int]:
    """Revoke the tokens of an OAuth client, or of all; return how many."""
    return Verb(
        "POST /tokens/revoke",
        {} if client_id is None else {"client_id": client_id},
        here=lambda sandbox: sandbox.revoke_tokens(client_id),
        read=lambda answer: answer["revoked"],
        isolated=lambda parent, own: sum(parent.do(revoke_tokens(known)) for known in own.client_ids),
    )


def duplicates(
    by: Likeness | None = None,
    json_path: str | None = None,
    *,
    company: str | None = None,
    vanity_url: str | None = None,
) -> Verb[list[Duplicates]]:
    """Return the payloads that were accepted more than once; raise ``InvalidValueError``."""

    def here(sandbox: Sandbox) -> list[Duplicates]:
        from sandbox.journal.duplicates import find_duplicates
        from sandbox.journal.endpoint import INBOUND
        from sandbox.journal.filter import EntryFilter

        meant = EntryFilter(kind=INBOUND.name, company=company, vanity_url=vanity_url)
        return find_duplicates(sandbox.journal.entries(meant), by, json_path)

    def own_ones(parent: Backend, own: Ownership) -> list[Duplicates]:
        each = (duplicates(by, json_path, company=known, vanity_url=vanity_url) for known in own.companies)
        return sorted((group for verb in each for group in parent.do(verb)), key=lambda group: group.entries[0].seq)

    query = {"by": by, "json_path": json_path, "company": company, "vanity_url": vanity_url, "entries": True}
    return Verb("GET /requests/duplicates", query=query, here=here, read=reading.duplicates, isolated=own_ones)


def contract_violations(
    after: int = 0, company: str | None = None, client_id: str | None = None
) -> Verb[list[ContractViolation]]:
    """Return every way in which a request did not conform to the published contract, oldest first."""

    def here(sandbox: Sandbox) -> list[ContractViolation]:
        from sandbox.journal.contract import contract_violations
        from sandbox.journal.filter import EntryFilter
        from sandbox.platform.endpoints import PublishedContract

        contract = PublishedContract(sandbox.store)
        entries = sandbox.journal.entries(EntryFilter(company=company, client_id=client_id), after)
        return [found for entry in entries for found in contract_violations(entry, contract)]

    def own_ones(parent: Backend, own: Ownership) -> list[ContractViolation]:
        each = [parent.do(contract_violations(own.since, company=known)) for known in own.companies]
        each += [parent.do(contract_violations(own.since, client_id=known)) for known in own.client_ids]
        found = dict.fromkeys(violation for violations in each for violation in violations)
        return sorted(found, key=lambda violation: int(violation.request.rpartition("-")[2]))

    def more(pages: list[Any]) -> Mapping[str, object] | None:
        after = pages[-1]["next_after"]
        return None if after is None else {"after": after}

    return Verb(
        "GET /contract-violations",
        query={"after": after, "company": company, "client_id": client_id, "limit": PAGE},
        here=here,
        read=reading.contract_violations,
        more=more,
        isolated=own_ones,
    )


# --- the sandbox as a whole -------------------------------------------------------------------------------------------


def configure(settings: Mapping[str, object]) -> Verb[None]:
    """Change run-time settings until the next reset; raise ``InvalidValueError``."""

    def here(sandbox: Sandbox) -> None:
        sandbox.change_settings(settings)

    return Verb("PATCH /settings", dict(settings), here=here, read=lambda _: None, isolated="changing settings")


def reset() -> Verb[datetime]:
    """Return to the seed; return the time."""
    return Verb(
        "POST /reset",
        here=lambda sandbox: sandbox.reset(),
        read=reading.now,
        isolated="a reset",
        kept_clients=lambda _: (),
    )


def state(*, secrets: bool = False) -> Verb[dict[str, Any]]:
    """Return everything the sandbox holds as JSON values."""

    def here(sandbox: Sandbox) -> dict[str, Any]:
        from sandbox.state.snapshot.codec import to_document

        return to_document(sandbox.state(secrets=secrets))

    return Verb(
        "GET /state", query={"secrets": secrets}, here=here, read=dict, isolated="saving the state", longer_s=STATE_S
    )


def load_state(document: Mapping[str, Any]) -> Verb[list[LoadedClient]]:
    """Become what a saved state describes; raise ``InvalidValueError`` and stay as it is."""

    def here(sandbox: Sandbox) -> list[LoadedClient]:
        from sandbox.state.snapshot.codec import read_state

        return sandbox.load_state(read_state(_as_sent(document)))

    return Verb(
        "PUT /state",
        document,
        here=here,
        read=reading.loaded_clients,
        isolated="loading a state",
        longer_s=STATE_S,
        kept_clients=lambda clients: [client.client_id for client in clients if client.client_secret is None],
    )


def _as_sent(document: Mapping[str, Any]) -> object:
    """Return a state as HTTP would carry it: refuse here too what JSON cannot hold."""
    from sandbox.foundation.errors import InvalidValueError
    from sandbox.foundation.strict_json import parse_json

    try:
        return parse_json(json.dumps(document).encode())
    except (ValueError, TypeError, RecursionError) as error:
        raise InvalidValueError("state", "this document", f"JSON whose text is UTF-8 ({error})") from None


def _quoted(piece: str) -> str:
    return quote(piece, safe="")
