"""What an outcome means, in words: the journal's reason is exact, this says it to somebody who meets it first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sandbox.journal.journal import Entry

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
    "unsupported_grant_type": "The token request must say grant_type=client_credentials.",
    "wrong_secret": "There is such a client, but this is not its secret. A lost secret means a new client.",
    "unknown_client": "There is no OAuth client with this id.",
    "missing_client_id": "The token request names no client_id.",
    "missing_client_secret": "The token request carries no client_secret.",
    "unknown_scope": "The token request asks for a scope that does not exist.",
    "rate_limited": "More requests came than the rate limit allows. Fetch one token a day and keep it.",
    "refused_by_server": "The request was not HTTP that a server may accept; the application never saw it.",
    "internal_error": "The sandbox itself failed. Its log has the details; please report it.",
}
_ACCEPTED: Final[Mapping[str, str]] = {
    "token": "The credentials were good and an access token was issued.",
    "inbound": "The payload was stored.",
    "other": "The request was answered.",
}


def explain(entry: Entry) -> str:
    """Return a sentence on why an entry ended as it did."""
    code = (entry.reason or "").partition(":")[0]
    if entry.outcome == "faulted":
        return f"A fault acted on this request: {entry.fault}. What the client got is what the fault made of it."
    if entry.outcome == "accepted":
        return f"{_ACCEPTED[entry.kind]} {_WORDS.get(code, '')}".rstrip()
    return _WORDS.get(code, f"The request was answered with {entry.status}.")
