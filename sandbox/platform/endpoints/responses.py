"""The responses of the emulated API for its OpenAPI document, as plain values.

Examples are made by the code that answers, so they are what really comes over the wire.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from sandbox.foundation.answer import JSON, Answer
from sandbox.foundation.errors import FaultedError, PayloadTooLargeError, RefusalError, TooManyAttemptsError
from sandbox.journal.entry import Exchange
from sandbox.journal.request import Request
from sandbox.platform.wire import wire_profile

Document = dict[str, Any]


def header(description: str, **schema: Any) -> Document:
    """Describe a header of a response."""
    return {"description": description, "schema": schema}


RATE: Final = {
    "X-RateLimit-Limit": header("Requests a window may hold.", type="integer", minimum=1),
    "X-RateLimit-Remaining": header("Requests left in this window.", type="integer", minimum=0),
}
PAGE: Final = {"text/html": {"schema": {"type": "string"}}}


def _object(properties: Document, *required: str) -> Document:
    """Return the schema of a body that has no member beyond those documented."""
    return {
        "type": "object",
        "properties": properties,
        "required": sorted(required),
        "additionalProperties": False,
    }


_TEXT: Final = {"type": "string"}
SCHEMAS: Final[Mapping[str, Document]] = {
    "Token": _object(
        {
            "token_type": {"type": "string", "enum": ["Bearer"]},
            "expires_in": {"type": "integer", "minimum": 1, "description": "Lifetime in seconds."},
            "access_token": {
                "type": "string",
                "description": "An RS256-signed JWT. Treat it as opaque and keep it for its lifetime.",
            },
        },
        "token_type",
        "expires_in",
        "access_token",
    ),
    "OAuthError": _object(
        {
            "error": {
                "type": "string",
                "enum": ["unsupported_grant_type", "invalid_request", "invalid_client", "invalid_scope"],
            },
            "error_description": _TEXT,
            "hint": _TEXT,
            "message": {
                "type": "string",
                "description": "Legacy wire profile only: the error description again.",
            },
        },
        "error",
        "error_description",
    ),
    "Message": _object({"message": _TEXT}, "message"),
    "ServerError": _object({"message": _TEXT, "error": _TEXT}, "message"),
    "InvalidPayload": _object(
        {
            "message": _TEXT,
            "errors": {
                "type": "object",
                "minProperties": 1,
                "additionalProperties": {"type": "array", "minItems": 1, "items": _TEXT},
            },
        },
        "message",
        "errors",
    ),
}
"""The schemas of the JSON bodies, by name; ``sandbox.platform.wire`` writes the bodies."""


def json_response(
    description: str, body: str | tuple[str, ...], examples: Mapping[str, Answer], headers: Document = RATE
) -> Document:
    """Describe a response with a JSON body; ``body`` names its schema, or those it has one of."""
    named = {name: {"value": json.loads(answer.body)} for name, answer in examples.items()}
    schema = _reference(body) if isinstance(body, str) else {"oneOf": [_reference(name) for name in body]}
    content = {JSON: {"schema": schema, "examples": named}}
    return {"description": description, "content": content, "headers": headers}


def _reference(name: str) -> Document:
    return {"$ref": f"#/components/schemas/{name}"}


def refusals(
    description: str,
    body: str | tuple[str, ...],
    *errors: RefusalError,
    headers: Document = RATE,
    path: str = "/v1/acme/orders",
    page: bool = True,
) -> Document:
    """Describe refusals by the real answers to them, here those to a POST to ``path``.

    ``page``: with the setting ``accept = laravel`` they are a page instead.
    """
    wire, exchange = wire_profile("modern"), Exchange(Request("POST", path), 0.0, 0.0)
    examples = {error.reason.partition(":")[0]: wire.refusal(error, exchange) for error in errors}
    response = json_response(description, body, examples, headers)
    return or_page(response) if page else response


def or_page(response: Document) -> Document:
    """Describe a response that is a page with the setting ``accept = laravel``."""
    return {**response, "content": {**response["content"], **PAGE}}


def shared(**failures: Answer) -> Document:
    """Return the responses that every endpoint has; ``failures`` are further examples of a 500."""
    return {
        "413": refusals(
            "The body is larger than the limit (8 MiB unless set otherwise).",
            "Message",
            PayloadTooLargeError(9_000_000, 8_388_608),
            headers={},
        ),
        "429": refusals(
            "The rate limit is used up; it is off unless switched on.",
            "Message",
            TooManyAttemptsError(42, 1_795_464_000),
            headers={
                **RATE,
                "Retry-After": header("Seconds until the window opens again.", type="integer", minimum=0),
                "X-RateLimit-Reset": header("The same as a Unix time in seconds.", type="integer"),
            },
        ),
        "500": or_page(
            json_response(
                "A failure of the platform; the sandbox answers it when a fault is switched on.",
                "ServerError",
                {"server_error": wire_profile("modern").server_error(), **failures},
            )
        ),
        "503": refusals(
            "Maintenance: a fault is switched on. Or the journal file, where there is one, cannot be written.",
            "Message",
            FaultedError("maintenance", 503),
            headers={"Retry-After": header("Seconds until it is worth trying again.", type="integer")},
        ),
    }


def security_schemes(token_path: str) -> Document:
    """Return the security schemes of the emulated API, by name."""
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
