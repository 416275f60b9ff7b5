"""The reasons for which requests are refused: the code that an entry names, the client's status, the cause, the remedy.

The dashboard, ``show`` and the page *Why was my request refused?* are written from this table.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Final, NamedTuple

from sandbox.journal.endpoint_kind import ENDPOINTS
from sandbox.journal.entry import Entry
from sandbox.journal.filter import code_of


class Reason(NamedTuple):
    """A reason; ``statuses`` are those that a client can get for it."""

    statuses: tuple[int, ...]
    meaning: str
    advice: str

    @property
    def text(self) -> str:
        """The cause and the remedy."""
        return f"{self.meaning} {self.advice}"


_UNAUTHENTICATED: Final = (401, 302, 500)
"""302 and 500 are for a client that does not ask for JSON, with another setting ``accept`` than ``documented``."""

_unauthenticated: Final = partial(Reason, _UNAUTHENTICATED)
_bad_request: Final = partial(Reason, (400,))
_forbidden: Final = partial(Reason, (403,))
_not_found: Final = partial(Reason, (404,))
_unprocessable: Final = partial(Reason, (422,))

REASONS: Final[Mapping[str, Reason]] = {
    # ---- the bearer token
    "no_token": _unauthenticated(
        "The request has no usable bearer token.", "Send one field `Authorization: Bearer <access token>`."
    ),
    "no_credentials": _unauthenticated(
        "The setting `inbound_auth` asks for HTTP Basic, and the request has none that can be read.",
        "Send the id and the secret of an OAuth client by HTTP Basic, or set `inbound_auth` to `bearer`.",
    ),
    "wrong_credentials": _unauthenticated(
        "The id or the secret in HTTP Basic is not that of an OAuth client.",
        "Check both. A lost secret cannot be shown again: create another client.",
    ),
    "token_expired": _unauthenticated(
        "The access token is past its lifetime.",
        "The 401 is the trigger to request a new one and to send the payload again.",
    ),
    "token_not_yet_valid": _unauthenticated(
        "The access token was issued in the future, because the clock was turned back since.",
        "Request a new token, or move the clock forward.",
    ),
    "token_revoked": _unauthenticated("The control API revoked the access token.", "Request a new token."),
    "unknown_token": _unauthenticated(
        "The signature of the token is right, but this sandbox did not issue it since its last reset.",
        "Request a new token. Clear a client's cached token where a test resets the sandbox.",
    ),
    "bad_signature": _unauthenticated(
        "The token was changed on the way, or signed by a key that the sandbox does not use.",
        "Send the token as it came, and check that it comes from this sandbox.",
    ),
    "algorithm_not_allowed": _unauthenticated(
        "The token is not signed with RS256.", "Send the token that the token endpoint returned."
    ),
    "malformed_token": _unauthenticated(
        "The value after `Bearer` is not a JWT.", "Send the value of `access_token`, without quotes and whole."
    ),
    "missing_claim": _unauthenticated(
        "The token lacks a claim that every token of the platform has.",
        "Send the token that the token endpoint returned.",
    ),
    "client_deleted": _unauthenticated(
        "The OAuth client of the token was deleted, and its tokens with it.",
        "Create credentials, and request a token with them.",
    ),
    "missing_scope": _forbidden(
        "The token lacks the scope that inbound URLs require.", "Request the token with `scope=access-inbound`."
    ),
    "other_connector": _forbidden(
        "The token belongs to a client of another connector than the service.",
        "Use credentials of the service's own connector.",
    ),
    # ---- the inbound URL and its payload
    "unknown_service": _not_found(
        "No service has this vanity URL in this company.",
        "Check both parts of the URL, or add the service to the seed.",
    ),
    "inactive_service": Reason(
        (404, 403),
        "The service exists and is inactive.",
        "Activate it on the page Services or by `PATCH /_sandbox/services/{id}`.",
    ),
    "unknown_route": Reason(
        (404, 302),
        "The emulated API has no such path.",
        "Use `/oauth/token` and `/v1/{company}/{vanity_url}`, without another prefix.",
    ),
    "method_not_allowed": Reason(
        (405,),
        "The path exists and does not take the method.",
        "Send payloads and token requests by POST, without `X-HTTP-Method-Override` and without a key `_method`.",
    ),
    "method_override": Reason(
        (400, 404),
        "The request asks for another method, by `X-HTTP-Method-Override` or `_method`, with a value that is none.",
        "Leave the header out, and rename the key of the payload.",
    ),
    "blank_payload": _unprocessable("The body is empty or blank.", "Send a payload."),
    "entity_mismatch": _unprocessable(
        "The body does not have the structure of the entity's sample.",
        "Correct the field that the reason names, or the sample in the seed.",
    ),
    "payload_too_large": Reason(
        (413,), "The body is larger than the limit.", "Send less in one payload. The setting `body_limit` is the limit."
    ),
    "incomplete_body": _bad_request(
        "The client stopped before the end of the body that it had announced.",
        "Check time-outs and `Content-Length` of the client.",
    ),
    "body_too_slow": Reason((400, 408), "The body did not arrive in time.", "Send the body without pauses."),
    # ---- the token request
    "malformed_json": _bad_request(
        "The body of the token request is not JSON, although its content type says so.",
        "Send JSON, or a form with `application/x-www-form-urlencoded`.",
    ),
    "unsupported_grant_type": _bad_request(
        "The platform read no `grant_type=client_credentials` in the token request.",
        "Send that field in the body, with a content type that fits the body.",
    ),
    "missing_client_id": _bad_request(
        "The platform read no `client_id` in the token request.",
        "Send `client_id` and `client_secret` in the body, or HTTP Basic.",
    ),
    "missing_client_secret": Reason(
        (400, 401),
        "The platform read no `client_secret` in the token request.",
        "Send `client_id` and `client_secret` in the body, or HTTP Basic.",
    ),
    "malformed_client_id": _bad_request(
        "The field `client_id` of the token request occurs more than once or is not text.", "Send it once, as text."
    ),
    "malformed_client_secret": _bad_request(
        "The field `client_secret` of the token request occurs more than once or is not text.", "Send it once, as text."
    ),
    "malformed_scope": _bad_request(
        "The field `scope` of the token request occurs more than once or is not text.", "Send it once, as text."
    ),
    "secret_as_client_id": Reason(
        (401,), "The `client_id` of the token request is the secret of a client.", "Swap the two values."
    ),
    "unknown_client": Reason(
        (401,),
        "No OAuth client has this id.",
        "Check the id. A reset restores the clients of the seed and removes the others.",
    ),
    "wrong_secret": Reason(
        (401,),
        "The OAuth client exists and has another secret.",
        "Check the secret. A lost secret cannot be shown again: create another client.",
    ),
    "unknown_scope": _bad_request(
        "The token request asks for a scope that does not exist.", "Ask for `access-inbound`."
    ),
    # ---- process flows
    "no_api_key": _unauthenticated(
        "The request has no Authorization header.", "Send an API key as it is, or `Bearer` and the token of the login."
    ),
    "unknown_api_key": _unauthenticated(
        "No API key has the text of the Authorization header.",
        "Check the key. A lost key cannot be shown again: create another one. A token of the login needs `Bearer`.",
    ),
    "api_key_revoked": _unauthenticated("The API key was revoked.", "Create another key, and send that."),
    "api_key_as_bearer": _unauthenticated(
        "The API key is sent after `Bearer`.", "Send the key alone: `Authorization: <API key>`."
    ),
    "api_key_logout": _unauthenticated(
        "The logout has an API key, which no login gave.",
        "Log out with the token of a login. An API key is revoked or deleted in place of that.",
    ),
    "user_deleted": _unauthenticated("The user of the token was deleted.", "Log in as a user that exists."),
    "inbound_token": _unauthenticated(
        "The token is that of an OAuth client, which is for inbound URLs.", "Send an API key, or the token of a login."
    ),
    "login_token": _unauthenticated(
        "The token is that of a login, which is for process flows.",
        "Request a token with the credentials of an OAuth client.",
    ),
    "missing_login": _unprocessable(
        "The login lacks a field, or it is not text.",
        "Send `email` and `password` to `/api/v1/login`, or `username` and `password` to `/fabric/api/login`.",
    ),
    "wrong_login": Reason((401,), "No user has this address and password.", "Check both, or add the user to the seed."),
    "unknown_flow": _not_found(
        "The company of the API key has no flow with the id in the path.",
        "Check the id, or use a key of the flow's company.",
    ),
    "unknown_version": _not_found(
        "The flow has no version with the id in the path.", "Leave the version out to start the one that is deployed."
    ),
    "flow_not_deployed": _unprocessable(
        "The flow has no deployed version, and the path names none.", "Deploy a version, or name one in the path."
    ),
    "flow_disabled": _unprocessable(
        "The flow is disabled, and the setting `disabled_flow` refuses that.", "Enable the flow."
    ),
    "flow_payload": _unprocessable(
        "The body is no JSON, or has no text in `payload`.",
        'Send `{"payload": "<text>"}`, or any JSON to the address with `/raw`.',
    ),
    "flow_variables": _unprocessable(
        "The query parameter `flow_variables` is no JSON object.", "Send an object, percent-encoded."
    ),
    "virtual_environment": _unprocessable(
        "The query parameter `virtual_environment_id` is no whole number.", "Send the id of a virtual environment."
    ),
    "unknown_webhook": _not_found(
        "The company has no webhook with the id in the path.", "Copy the URL from the page Flows."
    ),
    "unknown_callback": _not_found(
        "The company has no callback with the id in the path.", "Copy the URL from the page Flows."
    ),
    "no_signature": Reason(
        (403, *_UNAUTHENTICATED, 404),
        "The URL has no `patchworks_signature`.",
        "Copy the whole URL, with its query; a callback takes the header `patchworks-signature` too.",
    ),
    "wrong_signature": Reason(
        (403, *_UNAUTHENTICATED, 404),
        "The signature is not that of the webhook or callback.",
        "Copy the whole URL again. A signature that the seed does not give is new at each start.",
    ),
    "wrong_hmac": Reason(
        (403, *_UNAUTHENTICATED, 404),
        "The header `X-HMAC-HASH` is missing, or is not the HMAC of the body.",
        "Sign the bytes of the body as they are sent, with the webhook's key; the setting `hmac_encoding` is the form.",
    ),
    "flow_inactive": Reason(
        (422, 404, 403),
        "The flow of the webhook or callback is disabled, or has no deployed version.",
        "Enable the flow, and deploy a version of it.",
    ),
    # ---- the Core API of process flows
    "invalid_query": _unprocessable(
        "A value of the query cannot be read, such as a page that is no number.", "Send what the message asks for."
    ),
    "unknown_query_part": _bad_request(
        "The list has no such filter, include or sort.",
        "Use one of those that the message names, or set `core_unknown_query` to `ignore`.",
    ),
    "unknown_record": _not_found(
        "The company has nothing with this id.", "List what there is. Runs are kept for 7 days, payloads for 72 hours."
    ),
    "invalid_record": _unprocessable(
        "A field of the body is missing or has a value that is not allowed.",
        "Send what the message asks for, as JSON with `Content-Type: application/json`, or as a form.",
    ),
    "too_many_records": _unprocessable("The sandbox keeps no more of these.", "Delete one, or reset the sandbox."),
    # ---- any request
    "rate_limited": Reason(
        (429,),
        "The client sent more requests than the rate limit allows.",
        "Wait as long as `Retry-After` says, and keep one token for a day.",
    ),
    "refused_by_server": Reason(
        (0, 400, 408, 413, 414, 417, 431, 501, 503, 505),
        "The request is not HTTP that a server may accept; the application never saw it.",
        "Send HTTP/1.1 as RFC 9112 defines it. The reason names the rule.",
    ),
    "options": Reason(
        (200,),
        "The request asked for the methods of the address.",
        "Send the payload by POST; a browser does so after this request.",
    ),
    "preflight": Reason(
        (204,),
        "A browser asked whether a page of another origin may send a request.",
        "It sends the request after this answer.",
    ),
    "journal_file": Reason(
        (503,),
        "The sandbox could not write to the journal file, so the sandbox did not store the request.",
        "Make room on the disk. The sandbox then recovers by itself.",
    ),
    "internal_error": Reason((500,), "The sandbox itself failed.", "Report it with the traceback of its log."),
}
_ACCEPTED: Final = {endpoint.name: endpoint.accepted for endpoint in ENDPOINTS}


def find_reason(reason: str | None) -> Reason | None:
    """Return the row of the table for the ``reason`` of an entry, such as ``token_expired: 12 s ago``."""
    return REASONS.get(code_of(reason))


def explain(entry: Entry) -> str:
    """Return the outcome of an entry and its cause in sentences; the journal's own reason is a code."""
    if entry.outcome == "faulted":
        return f"A fault acted on this request: {entry.fault}. The client got the answer that the fault made."
    reason = find_reason(entry.reason)
    if entry.outcome == "accepted":
        accepted = _ACCEPTED.get(entry.kind, "The request was answered.")
        return f"{accepted} {reason.text}" if reason else accepted
    return reason.text if reason else f"The request was answered with {entry.status}."
