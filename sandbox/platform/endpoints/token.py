"""The token endpoint: the client credentials grant (WIRE A, RFC 6749 §4.4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from msgspec import Struct

from sandbox.faults.fault import Act
from sandbox.foundation.answer import JSON, Answer
from sandbox.foundation.form_data import FORM, MULTIPART
from sandbox.foundation.refusals import (
    InvalidClientError,
    InvalidRequestError,
    InvalidScopeError,
    MalformedBodyError,
    MethodNotAllowedError,
    RouteNotFoundError,
    UnsupportedGrantTypeError,
)
from sandbox.foundation.settings import Settings
from sandbox.journal.endpoint_kind import TOKEN
from sandbox.journal.entry import Exchange
from sandbox.platform.endpoints.endpoint import Endpoint, Operation
from sandbox.platform.endpoints.responses import RATE, SAMPLE_TOKEN, Responses, header
from sandbox.platform.model import OAuthClient
from sandbox.platform.platform import Platform
from sandbox.platform.token_request import (
    TokenRequest,
    form_in_json,
    read_token_request,
    why_absent,
    why_unknown,
    why_wrong,
)

CLIENT_CREDENTIALS: Final = "client_credentials"

EXAMPLE_CLIENT: Final = ("9d3c6f0e-4b7a-4c59-8f21-5e0a1b2c3d4e", "Vb3kQ0yTqf7mZc1sXr9uJd5wLh8nPe2gKa4oRi6t")
"""Id and secret of the client in examples: that of the demo seed, in a sandbox that is started with this secret."""

_FIELDS: Final[dict[str, Any]] = {
    "grant_type": {
        "type": "string",
        "const": CLIENT_CREDENTIALS,
        "example": CLIENT_CREDENTIALS,
        "description": "RFC 6749 §4.4.2.",
    },
    "client_id": {
        "type": "string",
        "example": EXAMPLE_CLIENT[0],
        "description": "Id of the OAuth client, unless sent by HTTP Basic.",
    },
    "client_secret": {
        "type": "string",
        "example": EXAMPLE_CLIENT[1],
        "description": "Its secret, unless sent by HTTP Basic.",
    },
    "scope": {
        "type": "string",
        "pattern": "^[!#-\\[\\]-~ ]*$",
        "example": "access-inbound",
        "description": "Scopes separated by spaces; the scope for inbound URLs when left out (RFC 6749 §3.3).",
    },
}
_BODY: Final[dict[str, Any]] = {"type": "object", "required": ["grant_type"], "properties": _FIELDS}
_GOOD: Final[Mapping[str, str]] = {name: schema["example"] for name, schema in _FIELDS.items()}
_EXAMPLES: Final[Mapping[str, Mapping[str, str]]] = {
    "token": _GOOD,
    "unknown_scope": {**_GOOD, "scope": "bogus"},
    "invalid_client": {**_GOOD, "client_secret": "wrong"},
}
"""Examples of requests, named as the examples of the answers to them."""

_SECURITY: Final[list[dict[str, Any]]] = [{"clientBasic": []}, {}]


class Grant(Struct, frozen=True, gc=False):
    """The client and the scopes of a token that a request may get."""

    client: OAuthClient
    scopes: Sequence[str]


class TokenEndpoint(Endpoint[Grant]):
    """Issues access tokens for the credentials of an OAuth client."""

    kind = TOKEN
    path = "/oauth/token"
    description = "Access tokens (RFC 6749, client credentials)"
    operations: Mapping[str, Operation] = {
        "GET": {
            "summary": "Get an access token with the credentials in the query or by HTTP Basic.",
            "description": "The vendor documents GET for this endpoint. Credentials in a URL end up in logs: prefer "
            "POST where you can.",
            "operationId": "getAccessToken",
            "parameters": [
                {
                    "name": name,
                    "in": "query",
                    "required": name in _BODY["required"],
                    "description": schema["description"],
                    "schema": {key: value for key, value in schema.items() if key != "description"},
                    "examples": {
                        example: {"value": given[name]} for example, given in _EXAMPLES.items() if name in given
                    },
                }
                for name, schema in _FIELDS.items()
            ],
            "security": _SECURITY,
        },
        "POST": {
            "summary": "Get an access token with the credentials in a form or JSON body or by HTTP Basic.",
            "description": "Parameters in the body win over HTTP Basic, field by field; the query is not read.",
            "operationId": "postAccessToken",
            "requestBody": {
                "required": True,
                "content": {
                    media_type: {
                        "schema": _BODY,
                        "examples": {example: {"value": given} for example, given in _EXAMPLES.items()},
                    }
                    for media_type in (FORM, JSON, MULTIPART)
                },
            },
            "security": _SECURITY,
        },
    }

    def path_in(self, settings: Settings) -> str:
        """Return the setting ``token_path``."""
        return settings.token_path

    def subject_of(self, path: str, settings: Settings) -> Mapping[str, str] | None:
        """Match the setting ``token_path``; a path holds no values."""
        return {} if path == settings.token_path else None

    def methods(self, settings: Settings) -> Sequence[str]:
        """Return the methods of the setting ``token_methods``; GET brings HEAD."""
        allowed = settings.token_methods
        return [name for name in ("GET", "HEAD", "POST") if ("GET" if name == "HEAD" else name) in allowed]

    def admit(self, exchange: Exchange, platform: Platform) -> Grant:
        """Return the grant for good credentials."""
        request = read_token_request(exchange.request, platform.wire, in_query=exchange.reads_query)
        client = self._client(exchange, platform, request)
        if "scope" in request.malformed:
            raise InvalidRequestError("scope", "malformed")
        return Grant(client, _scopes(request.scope, platform))

    def _client(self, exchange: Exchange, platform: Platform, request: TokenRequest) -> OAuthClient:
        """Return the client whose credentials a request carries; the checks are in the platform's order."""
        store, wire = platform.store, platform.wire
        known = store.find_client(request.client_id or "")
        exchange.client_id = request.client_id
        self.count(exchange, platform, known.id if known else None)
        if request.unreadable is not None:
            refusal = MalformedBodyError if wire.refuses_malformed_json else UnsupportedGrantTypeError
            raise refusal(f"malformed_json: {request.unreadable}{form_in_json(exchange.request)}")
        if request.grant_type != CLIENT_CREDENTIALS:
            cause = why_absent(exchange, "grant_type", wire)
            given = request.grant_type or f"none given{cause and f'; {cause}'}"
            raise UnsupportedGrantTypeError(f"unsupported_grant_type: {given}")
        for parameter in ("client_id", "client_secret"):
            if parameter in request.malformed:
                raise InvalidRequestError(parameter, "malformed")
        if request.client_id is None:
            raise InvalidRequestError("client_id", cause=why_absent(exchange, "client_id", wire))
        if request.client_secret is None and wire.refuses_missing_secret_as_invalid_request and known is not None:
            raise InvalidRequestError("client_secret", cause=why_absent(exchange, "client_secret", wire))
        is_good = store.secret_matches(known, request.client_secret or "")  # as slow where the client is unknown
        if known is None:
            raise InvalidClientError(why_unknown(request, store))
        if not is_good:
            raise InvalidClientError(why_wrong(request, exchange, store, wire))
        return known

    def handle(self, exchange: Exchange, platform: Platform, admitted: Grant, act: Act | None) -> Answer:
        """Issue a token."""
        client_id, now = admitted.client.id, exchange.received_at
        access_token, exchange.token = platform.issue_token(client_id, admitted.scopes, now, act=act)
        return platform.wire.token(access_token, platform.settings.token_lifetime)

    def responses(self, method: str, settings: Settings) -> Mapping[str, Any]:
        """Return the responses; the refusals are those of ``admit``."""
        describe = Responses(settings)
        use = {
            "operationId": "storePayload",
            "parameters": {"company": "acme", "vanity_url": "anything"},
            "description": "Send `access_token` as `Authorization: Bearer …` with every payload; a link of OpenAPI "
            "cannot state that.",
        }
        issued = describe.json(
            "An access token. Every call issues a new one; older ones stay good until they expire.",
            "Token",
            {"token": describe.wire.token(SAMPLE_TOKEN, settings.token_lifetime)},
            {
                **RATE,
                "Cache-Control": header("Tokens are not to be cached on the way.", "no-store, private", type="string"),
                "Pragma": header("The same for HTTP/1.0.", "no-cache", type="string"),
            },
        )
        return describe.shared() | {
            "200": {**issued, "links": {"storePayload": use}},
            "400": describe.refusals(
                "The request cannot be used: RFC 6749 §5.2, or a JSON body that cannot be read.",
                UnsupportedGrantTypeError("unsupported_grant_type"),
                InvalidRequestError("client_id"),
                InvalidScopeError("bogus"),
                MalformedBodyError("malformed_json"),
            ),
            "401": describe.refusals(
                "Unknown client, wrong secret or revoked client.",
                InvalidClientError("invalid_client"),
                headers={
                    **RATE,
                    "WWW-Authenticate": header(
                        "Only if the request carried an Authorization header.", 'Basic realm="OAuth"', type="string"
                    ),
                },
                page=False,
            ),
            "404": describe.refusals(
                "Legacy wire profile only: the request asks by `_method` for something that is no method.",
                RouteNotFoundError("method_override"),
                headers={},
            ),
            "405": describe.refusals(
                "Another method, one that a setting switches off, or a POST that asks for another one.",
                MethodNotAllowedError("PUT", self.methods(settings)),
                headers={"Allow": header("The methods that are allowed.", "GET, HEAD, POST", type="string")},
                path=self.path,
            ),
        }


def _scopes(scope: str | None, platform: Platform) -> list[str]:
    """Return the scopes asked for, once each, or the default where there are none; raise ``InvalidScopeError``."""
    requested = [name for name in (scope or "").split(" ") if name]
    if platform.wire.ignores_scope_zero:
        requested = [name for name in requested if name != "0"]
    known = {*platform.settings.scopes, platform.settings.required_scope, "*"}
    for name in requested:
        if name not in known:
            raise InvalidScopeError(name)
    return list(dict.fromkeys(requested)) or platform.default_scopes


ENDPOINT: Final = TokenEndpoint()
