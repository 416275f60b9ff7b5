"""The pane of one request: its explanation, token, bodies (cut to a length that a page can show) and curl command."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sandbox.foundation.strict_json import NotJsonError, parse_json
from sandbox.journal.endpoint import ENDPOINTS, ISSUERS
from sandbox.journal.entry import Entry
from sandbox.journal.export.curl import curl
from sandbox.platform.platform import Platform
from sandbox.web.dashboard.formats import pretty
from sandbox.web.dashboard.token_life import TokenLife, token_of

SHOWN: Final = 48 * 1024
"""Characters of a body that are shown unless the page asks for all of it."""

_ROW: Final = 16
_DUMPED: Final = 64 * _ROW


@dataclass(frozen=True, slots=True)
class Text:
    """A body as text: shown to a limit, with its whole length in characters."""

    shown: str
    length: int

    @property
    def is_cut(self) -> bool:
        """Whether there is more."""
        return len(self.shown) < self.length


@dataclass(frozen=True, slots=True)
class Opened:
    """The parts of the pane."""

    entry: Entry
    explanation: str
    errors: list[tuple[str, str]]
    """The fields that the answer complains of, each with a message."""
    client_name: str | None
    life: TokenLife | None
    curl: str
    pretty: Text | None
    raw: Text | None
    dump: str | None
    answer: Text

    @property
    def is_issue(self) -> bool:
        """Whether the request was answered with the access token."""
        return self.entry.kind in ISSUERS


def opened(entry: Entry, platform: Platform, base_url: str, *, whole: bool) -> Opened:
    """Return the pane of an entry; with ``whole`` bodies are shown to their end."""
    text = entry.text
    client = platform.store.find_client(entry.client_id or "")
    return Opened(
        entry=entry,
        explanation=explain(entry),
        errors=_errors(entry),
        client_name=client.name if client else None,
        life=token_of(platform, entry),
        curl=curl(entry, base_url),
        pretty=_formatted(entry.body, whole=whole),
        raw=None if text is None else _cut(text, whole=whole),
        dump=_hex_dump(entry.body) if text is None else None,
        answer=_formatted(entry.response_body, whole=whole)
        or _cut(entry.response_body.decode("utf-8", "replace"), whole=whole),
    )


def _errors(entry: Entry) -> list[tuple[str, str]]:
    """Return the fields and messages in the ``errors`` of an answer, a few hundred at most; the reason has one only."""
    try:
        answer = parse_json(entry.response_body)
    except NotJsonError:
        return []
    errors = answer.get("errors") if isinstance(answer, dict) else None
    if not isinstance(errors, dict):
        return []
    return [(name, " ".join(map(str, said)) if isinstance(said, list) else str(said)) for name, said in errors.items()]


def _formatted(body: bytes, *, whole: bool) -> Text | None:
    try:
        value = parse_json(body, in_doubles=True)
    except NotJsonError:
        return None
    return _cut(pretty(value), whole=whole) if isinstance(value, (dict, list)) else None


def _cut(text: str, *, whole: bool) -> Text:
    return Text(text if whole else text[:SHOWN], len(text))


def _hex_dump(body: bytes) -> str:
    """Return the first bytes of a body that is not text, in hex and in printable ASCII."""
    lines = []
    for offset in range(0, min(len(body), _DUMPED), _ROW):
        row = body[offset : offset + _ROW]
        letters = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)
        lines.append(f"{offset:06x}  {row.hex(' '):<{_ROW * 3}} {letters}")
    return "\n".join(lines)


_WORDS: Final[Mapping[str, str]] = {
    "token_expired": "The access token was past its lifetime. A 401 is the trigger to request a new one.",
    "token_not_yet_valid": "The access token was issued in the future. The clock was turned back since.",
    "token_revoked": "The access token was revoked from the control API.",
    "unknown_token": "The token is well signed, but was not issued since the last reset. Request a new one.",
    "bad_signature": "The token was changed on the way, or signed by a key the sandbox no longer uses.",
    "algorithm_not_allowed": "The token is not signed with RS256.",
    "malformed_token": "What stands after Bearer is not a JWT.",
    "missing_claim": "The token lacks a claim that every token of the platform has.",
    "no_token": "There was no usable bearer token: send Authorization: Bearer <access token>.",
    "client_deleted": "The OAuth client the token was issued to no longer exists, and its tokens died with it.",
    "missing_scope": "The token lacks the scope that inbound URLs ask for.",
    "other_connector": "The token belongs to a client of another connector. Use one of the service's own connector.",
    "unknown_service": "No service has this vanity URL in this company. Check the URL, or add the service.",
    "inactive_service": "The service exists and is switched off. Activate it on the Services page.",
    "unknown_route": "Nothing of the Inbound API is at this path.",
    "method_not_allowed": "The path exists, the method does not.",
    "blank_payload": "The body was blank. Patchworks answers 422 to that.",
    "entity_mismatch": "The body does not have the structure of the entity's sample.",
    "payload_too_large": "The body is beyond the limit, 8 MB unless set otherwise.",
    "incomplete_body": "The sender stopped before the end of the body it had announced.",
    "body_too_slow": "The body did not arrive in time.",
    "malformed_json": "The body of the token request is not JSON, although its content type says so.",
    "unsupported_grant_type": "The platform read no grant_type=client_credentials in the token request.",
    "wrong_secret": "There is such a client, but this is not its secret. A lost secret means a new client.",
    "unknown_client": "There is no OAuth client with this id.",
    "missing_client_id": "The platform read no client_id in the token request.",
    "missing_client_secret": "The platform read no client_secret in the token request.",
    "unknown_scope": "The token request asks for a scope that does not exist.",
    "rate_limited": "More requests came than the rate limit allows. Fetch one token a day and keep it.",
    "refused_by_server": "The request was not HTTP that a server may accept; the application never saw it.",
    "internal_error": "The sandbox itself failed. Its log has the details; please report it.",
}
_ACCEPTED: Final = {endpoint.name: endpoint.accepted for endpoint in ENDPOINTS}


def explain(entry: Entry) -> str:
    """Return the reason for the outcome of an entry in a sentence; the journal's own reason is a code."""
    code = (entry.reason or "").partition(":")[0]
    if entry.outcome == "faulted":
        return f"A fault acted on this request: {entry.fault}. What the client got is what the fault made of it."
    if entry.outcome == "accepted":
        return f"{_ACCEPTED.get(entry.kind, 'The request was answered.')} {_WORDS.get(code, '')}".rstrip()
    return _WORDS.get(code, f"The request was answered with {entry.status}.")
