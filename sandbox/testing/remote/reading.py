"""What a control API answers, as the values that the core has for it."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from sandbox.faults.book import RuleState
from sandbox.faults.rules import read_rule
from sandbox.foundation.clock import parse_instant
from sandbox.journal.entry import TokenLink
from sandbox.journal.journal import Entry
from sandbox.platform.model import Company, Connector, Entity, KeptSecret, OAuthClient, Service
from sandbox.platform.store import NewOAuthClient
from sandbox.platform.tokens import IssuedToken

Document = Mapping[str, Any]


def read_entry(given: Document) -> Entry:
    """Return a journal entry. Bytes of an answer's body that are no UTF-8 are lost on the way."""
    body = given["body"] or ""
    return Entry(
        journal=given["id"].rpartition("-")[0],
        seq=given["seq"],
        kind=given["kind"],
        received_at=_timestamp(given["received_at"]),
        wall_time=_timestamp(given["wall_time"]),
        duration_ms=given["duration_ms"],
        method=given["method"],
        path=given["path"],
        query=given["query"],
        headers=_headers(given["headers"]),
        body=base64.b64decode(body) if given["body_encoding"] == "base64" else body.encode("utf-8"),
        body_size=given["body_size"],
        client_id=given["client_id"],
        company=given["company"],
        vanity_url=given["vanity_url"],
        outcome=given["outcome"],
        accepted=given["accepted"],
        reason=given["reason"],
        status=given["status"],
        fault=given["fault"],
        effect=given["effect"],
        token=_token_link(given),
        response_headers=_headers(given["response_headers"]),
        response_body=given["response_body"].encode("utf-8"),
        cost=0,
    )


def _token_link(given: Document) -> TokenLink | None:
    if given["token"] is None:
        return None
    issued_at, expires_at = _timestamp(given["token_issued_at"]), _timestamp(given["token_expires_at"])
    return TokenLink(given["token"], given["token_request"], issued_at, expires_at)


def read_token(given: Document) -> IssuedToken:
    """Return an issued token."""
    return IssuedToken(
        fingerprint=given["fingerprint"],
        request=given["request"],
        client_id=given["client_id"],
        scopes=tuple(given["scopes"]),
        issued_at=_timestamp(given["issued_at"]),
        expires_at=_timestamp(given["expires_at"]),
        uses=given["uses"],
        revoked=given["revoked"],
        jti=given["jti"],
    )


def read_rule_state(given: Document) -> RuleState:
    """Return a fault rule as it stands."""
    created_at = parse_instant(given["created_at"], "created_at")
    rule = read_rule(given["rule"])
    return RuleState(given["id"], rule, created_at, given["seen"], given["hits"], given["used_up"])


def read_company(given: Document) -> Company:
    """Return a company."""
    return Company(given["slug"], given["name"], parse_instant(given["created_at"]))


def read_connector(given: Document) -> Connector:
    """Return a connector."""
    created_at = parse_instant(given["created_at"])
    return Connector(given["id"], given["company"], given["name"], given["environment"], created_at)


def read_entity(given: Document) -> Entity:
    """Return an entity."""
    return Entity(
        id=given["id"],
        connector_id=given["connector_id"],
        type=given["type"],
        name=given["name"],
        sample=given["sample"],
        json_schema=given["json_schema"],
        inferred=given["inferred"],
        created_at=parse_instant(given["created_at"]),
    )


def read_new_client(given: Document, connector_id: int) -> NewOAuthClient:
    """Return an OAuth client just made; the hash of its secret stays where it is."""
    created_at = parse_instant(given["created_at"])
    client = OAuthClient(
        id=given["client_id"],
        connector_id=connector_id,
        name=given["name"],
        secret=KeptSecret(b"", b"", given["client_secret"][-4:]),
        revoked=False,
        created_at=created_at,
        updated_at=created_at,
    )
    return NewOAuthClient(client, given["client_secret"])


def read_service(given: Document) -> Service:
    """Return a service."""
    return Service(
        id=given["id"],
        company=given["company"],
        connector_id=given["connector_id"],
        entity=given["entity"],
        vanity_url=given["vanity_url"],
        active=given["active"],
        created_at=parse_instant(given["created_at"]),
    )


def _timestamp(instant: str) -> float:
    return round(parse_instant(instant).timestamp(), 6)


def _headers(given: list[Document]) -> tuple[tuple[str, str], ...]:
    return tuple((header["name"], header["value"]) for header in given)
