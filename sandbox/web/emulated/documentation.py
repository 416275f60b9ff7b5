"""The OpenAPI description of the emulated routes: the published requests, and the answers to them.

Written by hand, so that requests cost no parsing by the framework. Examples are made by the code that answers, so
they are what really comes over the wire.
"""

from __future__ import annotations

import json
from typing import Any, Final

from sandbox.foundation.answer import Answer, compact
from sandbox.foundation.errors import (
    FaultedError,
    IncompleteBodyError,
    InvalidClientError,
    InvalidPayloadError,
    InvalidRequestError,
    InvalidScopeError,
    MalformedBodyError,
    MethodNotAllowedError,
    MissingScopeError,
    PayloadTooLargeError,
    RefusalError,
    RouteNotFoundError,
    TooManyAttemptsError,
    UnauthenticatedError,
    UnauthorizedActionError,
    UnsupportedGrantTypeError,
    Violation,
)
from sandbox.journal import operations
from sandbox.journal.entry import Exchange
from sandbox.journal.request import Request
from sandbox.platform.wire import wire_profile
from sandbox.web.emulated.schemas import (
    InvalidPayloadSchema,
    MessageSchema,
    OAuthErrorSchema,
    ServerErrorSchema,
    TokenSchema,
)

_WIRE: Final = wire_profile("modern")
_TO_TOKEN: Final = Exchange(Request("GET", "/oauth/token"), 0.0, 0.0)
_TO_ORDERS: Final = Exchange(Request("POST", "/v1/acme/orders"), 0.0, 0.0)
_SAMPLE_TOKEN: Final = "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9.eyJhdWQiOiI5ZDNmLi4uIn0.c2lnbmF0dXJl"  # noqa: S105 - an example
_JsonSchema = Any
_Document = dict[str, Any]


def _header(description: str, **schema: Any) -> _Document:
    return {"description": description, "schema": schema}


_RATE: Final = {
    "X-RateLimit-Limit": _header("Requests a window may hold.", type="integer", minimum=1),
    "X-RateLimit-Remaining": _header("Requests left in this window.", type="integer", minimum=0),
}
_NOT_STORED: Final = {"error": "Storage is unavailable.", "message": "Payload could not be stored."}
_PAGE: Final = {"text/html": {"schema": {"type": "string"}}}


def _response(
    description: str, schema: _JsonSchema, examples: dict[str, Answer], headers: _Document | None = None
) -> _Document:
    named = {name: {"value": json.loads(answer.body)} for name, answer in examples.items()}
    content = {"application/json": {"schema": schema, "examples": named}}
    return {"description": description, "content": content, "headers": headers or {}}


def _refusals(
    description: str,
    schema: _JsonSchema,
    *errors: RefusalError,
    headers: _Document = _RATE,
    request: Exchange = _TO_ORDERS,
    page: bool = True,
) -> _Document:
    """Describe refusals by what is really answered to them; with ``accept = laravel`` most are a page instead."""
    examples = {error.reason.partition(":")[0]: _WIRE.refusal(error, request) for error in errors}
    response = _response(description, schema, examples, headers)
    return _or_page(response) if page else response


def _or_page(response: _Document) -> _Document:
    return {**response, "content": {**response["content"], **_PAGE}}


def _failure(**more: Answer) -> _Document:
    return _or_page(
        _response(
            "A failure of the platform; the sandbox answers it when a fault is switched on.",
            ServerErrorSchema,
            {"server_error": _WIRE.server_error(), **more},
            _RATE,
        )
    )


_EVERYWHERE: Final = {
    "413": _refusals(
        "The body is larger than the limit (8 MiB unless set otherwise).",
        MessageSchema,
        PayloadTooLargeError(9_000_000, 8_388_608),
        headers={},
    ),
    "429": _refusals(
        "The rate limit is used up; it is off unless switched on.",
        MessageSchema,
        TooManyAttemptsError(42, 1_795_464_000),
        headers={
            **_RATE,
            "Retry-After": _header("Seconds until the window opens again.", type="integer", minimum=0),
            "X-RateLimit-Reset": _header("The same as a Unix time in seconds.", type="integer"),
        },
    ),
    "503": _refusals(
        "Maintenance: a fault is switched on. Or the journal file, where there is one, cannot be written.",
        MessageSchema,
        FaultedError("maintenance", 503),
        headers={"Retry-After": _header("Seconds until it is worth trying again.", type="integer")},
    ),
}


def _in_order(responses: _Document) -> _Document:
    return dict(sorted(responses.items()))


_USE_OF_TOKEN: Final = {
    "operationId": "storePayload",
    "description": "Send `access_token` as `Authorization: Bearer …` with every payload.",
}
_TOKEN_RESPONSES: Final = _EVERYWHERE | {
    "200": _response(
        "An access token. Every call issues a new one; older ones stay good until they expire.",
        TokenSchema,
        {"token": _WIRE.token(_SAMPLE_TOKEN, 86400)},
        {
            **_RATE,
            "Cache-Control": _header("Tokens are not to be cached on the way.", type="string"),
            "Pragma": _header("The same for HTTP/1.0.", type="string"),
        },
    )
    | {"links": {"storePayload": _USE_OF_TOKEN}},
    "400": _refusals(
        "The request cannot be used: RFC 6749 §5.2, or a JSON body that cannot be read.",
        {"oneOf": [OAuthErrorSchema, MessageSchema]},
        UnsupportedGrantTypeError("unsupported_grant_type"),
        InvalidRequestError("client_id"),
        InvalidScopeError("bogus"),
        MalformedBodyError("malformed_json"),
    ),
    "401": _refusals(
        "Unknown client, wrong secret or revoked client.",
        OAuthErrorSchema,
        InvalidClientError("invalid_client"),
        headers={
            **_RATE,
            "WWW-Authenticate": _header("Only if the request carried an Authorization header.", type="string"),
        },
        page=False,
    ),
    "405": _refusals(
        "This method is switched off by a setting.",
        MessageSchema,
        MethodNotAllowedError("GET", ["POST"]),
        headers={"Allow": _header("The methods that are allowed.", type="string")},
        request=_TO_TOKEN,
    ),
    "500": _failure(),
}
GET_TOKEN: Final[_Document] = {**operations.GET_TOKEN, "responses": _in_order(_TOKEN_RESPONSES)}
POST_TOKEN: Final[_Document] = {**operations.POST_TOKEN, "responses": _in_order(_TOKEN_RESPONSES)}

_STORED: Final = _response(
    "The payload was received.",
    MessageSchema,
    {"stored": _WIRE.stored(200, "Payload stored successfully.")},
    _RATE,
)
_INBOUND_RESPONSES: Final = _EVERYWHERE | {
    "200": _STORED,
    "201": {**_STORED, "description": "The same, where the setting success_status says 201."},
    "302": {
        "description": "Only with the setting accept = laravel, in place of 401: a redirect to a login page.",
        "content": _PAGE,
        "headers": {**_RATE, "Location": _header("The login page.", type="string", format="uri")},
    },
    "400": _refusals(
        "The body ended before its announced end.",
        MessageSchema,
        IncompleteBodyError("incomplete_body"),
        headers={},
    ),
    "401": _refusals(
        "The token is missing, malformed, expired, revoked or unknown. Get a new one and send the payload again.",
        MessageSchema,
        UnauthenticatedError("unauthenticated"),
        page=False,
    ),
    "403": _refusals(
        "The token lacks the scope, or belongs to a client of another connector.",
        MessageSchema,
        MissingScopeError("missing_scope"),
        UnauthorizedActionError("other_connector"),
    ),
    "404": _refusals(
        "Nothing is at this address: an unknown company or vanity URL, or a service that is not active.",
        MessageSchema,
        RouteNotFoundError("unknown_service"),
    ),
    "422": _refusals(
        "The payload is blank or does not match the expected entity.",
        InvalidPayloadSchema,
        InvalidPayloadError("blank_payload", [Violation("payload", "required")]),
        InvalidPayloadError(
            "entity_mismatch", [Violation("lines.1.sku", "required"), Violation("lines.1.qty", "integer")]
        ),
    ),
    "500": _failure(not_stored=Answer(500, (), compact(_NOT_STORED))),
}
STORE_PAYLOAD: Final[_Document] = {**operations.STORE_PAYLOAD, "responses": _in_order(_INBOUND_RESPONSES)}


def security_schemes(token_path: str) -> dict[str, Any]:
    """Return the security schemes of the emulated API."""
    return {
        "oauth2": {
            "type": "oauth2",
            "description": "Client credentials grant (RFC 6749 §4.4).",
            "flows": {
                "clientCredentials": {
                    "tokenUrl": token_path,
                    "scopes": {"access-inbound": "Send payloads to inbound URLs (unconfirmed name)."},
                }
            },
        },
        "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "RFC 6750 §2.1."},
        "clientBasic": {
            "type": "http",
            "scheme": "basic",
            "description": "Client id and secret by HTTP Basic (RFC 6749 §2.3.1).",
        },
    }
