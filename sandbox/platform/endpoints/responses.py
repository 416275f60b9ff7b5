"""The responses of the emulated API for its OpenAPI document, as plain values.

Examples are made by the code that answers, so they are what really comes over the wire.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sandbox.foundation.answer import JSON, Answer
from sandbox.foundation.refusals import (
    FaultedError,
    InvalidPayloadError,
    PayloadTooLargeError,
    RefusalError,
    TooManyAttemptsError,
    UnauthenticatedError,
)
from sandbox.foundation.settings import Settings
from sandbox.journal.entry import Exchange
from sandbox.journal.request import Request
from sandbox.platform.html_errors import as_page
from sandbox.platform.wire import OAUTH_ERRORS, WireProfile, wire_profile

EXAMPLE_URL: Final = "http://127.0.0.1:8025"
"""The base URL in examples: that of a sandbox with the default settings."""

SAMPLE_TOKEN: Final = "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9.eyJhdWQiOiI5ZDNmLi4uIn0.c2lnbmF0dXJl"  # noqa: S105 - an example

Document = dict[str, Any]


def header(description: str, example: object, **schema: Any) -> Document:
    """Describe a header of a response."""
    return {"description": description, "schema": schema, "example": example}


RATE: Final = {
    "X-RateLimit-Limit": header("Requests a window may hold.", 60, type="integer", minimum=1),
    "X-RateLimit-Remaining": header("Requests left in this window.", 59, type="integer", minimum=0),
}
HTML: Final = "text/html"


def _object(properties: Document, *optional: str) -> Document:
    """Return the schema of a body that has no member beyond those documented."""
    required = sorted({*properties} - {*optional})
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _text(example: str, **more: Any) -> Document:
    return {"type": "string", "example": example, **more}


SCHEMAS: Final[Mapping[str, Document]] = {
    "Token": _object(
        {
            "token_type": _text("Bearer", enum=["Bearer"]),
            "expires_in": {"type": "integer", "minimum": 1, "example": 86400, "description": "Lifetime in seconds."},
            "access_token": _text(
                SAMPLE_TOKEN, description="An RS256-signed JWT. Treat it as opaque and keep it for its lifetime."
            ),
        }
    ),
    "OAuthError": _object(
        {
            "error": _text(
                "invalid_client", enum=["unsupported_grant_type", "invalid_request", "invalid_client", "invalid_scope"]
            ),
            "error_description": _text("Client authentication failed"),
            "hint": _text("Check the `client_id` parameter"),
            "message": _text(
                "Client authentication failed", description="Legacy wire profile only: the error description again."
            ),
        },
        "hint",
        "message",
    ),
    "Message": _object({"message": _text("Payload stored successfully.")}),
    "ServerError": _object({"message": _text("Server Error"), "error": _text("Storage is unavailable.")}, "error"),
    "InvalidPayload": _object(
        {
            "message": _text("The lines.1.sku field is required."),
            "errors": {
                "type": "object",
                "minProperties": 1,
                "additionalProperties": {"type": "array", "minItems": 1, "items": {"type": "string"}},
                "example": {"lines.1.sku": ["The lines.1.sku field is required."]},
            },
        }
    ),
}
"""The schemas of the JSON bodies, by name; ``sandbox.platform.wire`` writes the bodies."""


def _reference(name: str) -> Document:
    return {"$ref": f"#/components/schemas/{name}"}


def _schema_of(error: RefusalError) -> str:
    if isinstance(error, InvalidPayloadError):
        return "InvalidPayload"
    return "OAuthError" if isinstance(error, OAUTH_ERRORS) else "Message"


@dataclass(frozen=True, slots=True)
class Responses:
    """Describes responses; the examples are those of the wire profile and the other settings given."""

    settings: Settings

    @property
    def wire(self) -> WireProfile:
        """The wire profile of the examples."""
        return wire_profile(self.settings.wire_profile)

    def json(
        self, description: str, body: str | tuple[str, ...], examples: Mapping[str, Answer], headers: Document = RATE
    ) -> Document:
        """Describe a response with a JSON body; ``body`` names its schema, or those it has one of."""
        named = {name: {"value": json.loads(answer.body)} for name, answer in examples.items()}
        schemas = [_reference(name) for name in ([body] if isinstance(body, str) else body)]
        schema = schemas[0] if len(schemas) == 1 else {"oneOf": schemas}
        content = {JSON: {"schema": schema, "examples": named}}
        return {"description": description, "content": content, "headers": headers}

    def refusals(
        self,
        description: str,
        *errors: RefusalError,
        headers: Document = RATE,
        path: str = "/v1/acme/orders",
        page: bool = True,
    ) -> Document:
        """Describe refusals by the real answers to them, here those to a POST to ``path``.

        ``page``: with another setting ``accept`` than ``documented`` they are a page instead.
        """
        exchange = Exchange(Request("POST", path), 0.0, 0.0)
        answers = {error.reason.partition(":")[0]: self.wire.refusal(error, exchange) for error in errors}
        response = self.json(description, tuple(dict.fromkeys(map(_schema_of, errors))), answers, headers)
        return self.or_page(response, next(iter(answers.values()))) if page else response

    def or_page(self, response: Document, answer: Answer) -> Document:
        """Describe a response that is a page with another setting ``accept`` than ``documented``."""
        return {**response, "content": {**response["content"], **_page(answer, "laravel13_without_login")}}

    def login(self) -> Document:
        """Describe the redirect in place of a 401, with the setting ``accept = laravel``."""
        refused = self.wire.refusal(UnauthenticatedError("no_token"), Exchange(Request("POST", "/"), 0.0, 0.0))
        return {
            "description": "Only with the setting accept = laravel, in place of 401: a redirect to a login page.",
            "content": _page(refused, "laravel"),
            "headers": {
                **RATE,
                "Location": header("The login page.", f"{EXAMPLE_URL}/login", type="string", format="uri"),
            },
        }

    def shared(self, **failures: Answer) -> Document:
        """Return the responses that every endpoint has; ``failures`` are further examples of a 500."""
        server_error = self.wire.server_error()
        return {
            "413": self.refusals(
                f"The body is larger than the limit, {self.settings.body_limit} bytes (setting body_limit).",
                PayloadTooLargeError(self.settings.body_limit + 1, self.settings.body_limit),
                headers={},
            ),
            "429": self.refusals(
                "The rate limit is used up; it is off unless switched on.",
                TooManyAttemptsError(42, 1_795_464_000),
                headers={
                    "X-RateLimit-Limit": RATE["X-RateLimit-Limit"],
                    "X-RateLimit-Remaining": {**RATE["X-RateLimit-Remaining"], "example": 0},
                    "Retry-After": header("Seconds until the window opens again.", 42, type="integer", minimum=0),
                    "X-RateLimit-Reset": header("The same as a Unix time in seconds.", 1_795_464_000, type="integer"),
                },
            ),
            "500": self.or_page(
                self.json(
                    "A failure of the platform; the sandbox answers it when a fault is switched on.",
                    "ServerError",
                    {"server_error": server_error, **failures},
                ),
                server_error,
            ),
            "503": self.refusals(
                "Maintenance: a fault is switched on. Or the journal file, where there is one, cannot be written.",
                FaultedError("maintenance", 503),
                headers={"Retry-After": header("Seconds until it is worth trying again.", 27, type="integer")},
            ),
            "default": {
                "description": "Any other answer, with any body: by a fault of the sandbox, or by a server in front of "
                "the platform, such as 502 and 504."
            },
        }


def _page(answer: Answer, accept: str) -> Document:
    page = as_page(answer, EXAMPLE_URL, accept).body.decode()
    return {HTML: {"schema": {"type": "string"}, "example": page}}


def security_schemes(token_url: str, scope: str) -> Document:
    """Return the security schemes of the emulated API, by name."""
    return {
        "oauth2": {
            "type": "oauth2",
            "description": "The client credentials grant (RFC 6749 §4.4), which issues the access tokens of `bearer`. "
            "No operation requires it beside `bearer`: both are the same header.",
            "flows": {
                "clientCredentials": {
                    "tokenUrl": token_url,
                    "scopes": {scope: "Send payloads to inbound URLs (unconfirmed name)."},
                }
            },
        },
        "bearer": {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": f"An access token of the token endpoint with the scope {scope} (RFC 6750 §2.1).",
        },
        "clientBasic": {
            "type": "http",
            "scheme": "basic",
            "description": "Client id and secret by HTTP Basic (RFC 6749 §2.3.1).",
        },
    }
