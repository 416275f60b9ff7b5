"""The rules of the published contract, each with the code under which a request that breaks it is reported.

The OpenAPI documents state the rules of an operation in its description, because schemas can state few of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple

from typing_extensions import assert_never

from sandbox.journal.endpoint_kind import FLOW_PATHS
from sandbox.journal.redaction import SIGNATURE

HMAC_HEADER: Final = "X-HMAC-HASH"
"""The header that holds the HMAC of the body of a webhook (FLOWS 4)."""

ALSO_WITH_SLASH: Final = "x-trailing-slash"
"""The field of an operation whose path may end with a slash."""

Code = Literal[
    "malformed_http",
    "undocumented_path",
    "undocumented_method",
    "no_accept_json",
    "repeated_header",
    "unknown_query_parameter",
    "credentials_in_query",
    "no_bearer_token",
    "no_api_key",
    "no_signature",
    "missing_credentials",
    "credentials_twice",
    "missing_field",
    "wrong_field",
    "repeated_field",
    "unknown_field",
    "missing_body",
    "unexpected_body",
    "missing_content_type",
    "wrong_content_type",
    "content_encoding",
    "malformed_body",
]


class Rule(NamedTuple):
    """A rule of the contract: what it says, and what a client that breaks it is to do."""

    says: str
    remedy: str


RULES: Final[Mapping[Code, Rule]] = {
    "malformed_http": Rule(
        "A request is well-formed HTTP/1.1, with the whole body that it announces.",
        "Send well-formed HTTP/1.1: use an HTTP library rather than a socket.",
    ),
    "undocumented_path": Rule(
        "The paths are those of the document, without a trailing slash.",
        "Use the addresses as they are given, without a trailing slash.",
    ),
    "undocumented_method": Rule(
        "The methods of a path are those of the document.", "Use a method that the contract has for this path."
    ),
    "no_accept_json": Rule(
        "The header `Accept` names `application/json`; a wildcard does not.",
        "Send 'Accept: application/json'. A client that does not name it gets a redirect or an HTML page "
        "from the platform's framework where the contract says JSON.",
    ),
    "repeated_header": Rule(
        "The headers `Authorization` and `Content-Type` are not repeated.",
        "Send it once (RFC 9110 §5.3); of several only the last is read here, and a server in front of the "
        "platform may refuse them all.",
    ),
    "unknown_query_parameter": Rule(
        "The query has no parameters but the documented ones.", "Leave it out: nothing reads it."
    ),
    "credentials_in_query": Rule(
        "The query carries no credentials.",
        "Send credentials in the body or in the Authorization header; here the query is not read, "
        "and what is in a URL ends up in logs.",
    ),
    "no_bearer_token": Rule(
        "The header `Authorization` is `Bearer <access token>`.", "Send 'Authorization: Bearer <access token>'."
    ),
    "no_api_key": Rule(
        "The header `Authorization` is an API key as it is, or `Bearer <token of the login>`.",
        "Send 'Authorization: <API key>', or the token of a login after Bearer.",
    ),
    "no_signature": Rule(
        "The query has `patchworks_signature`, in place of which a callback takes the header `patchworks-signature`. "
        "The header `X-HMAC-HASH` is there where the webhook asks for an HMAC of the body.",
        "Use the whole URL as it is given, with its query, and sign the body where the webhook asks for it.",
    ),
    "missing_credentials": Rule(
        "`client_id` and `client_secret` are parameters, or both come by HTTP Basic. A schema cannot state this.",
        "Send client_id and client_secret, or both by HTTP Basic.",
    ),
    "credentials_twice": Rule(
        "`client_secret` comes by one of these ways, not by both (RFC 6749 §2.3).",
        "Send the credentials as parameters or by HTTP Basic, not both (RFC 6749 §2.3).",
    ),
    "missing_field": Rule("Required parameters are there.", "Send it."),
    "wrong_field": Rule("Parameters have the types and values of the schema.", "Send what the contract says."),
    "repeated_field": Rule(
        "No parameter is repeated (RFC 6749 §3.2), and no key of a JSON object (RFC 8259 §4).",
        "Send it once (RFC 6749 §3.2, RFC 8259 §4); of several only the last is read.",
    ),
    "unknown_field": Rule(
        "The body has no parameters but the documented ones. The platform ignores others (RFC 6749 §3.2).",
        "Leave it out: nothing reads it.",
    ),
    "missing_body": Rule("The body is not blank.", "Send a body."),
    "unexpected_body": Rule(
        "There is no body.", "Send none: this operation reads its parameters from the query and the headers."
    ),
    "missing_content_type": Rule(
        "The header `Content-Type` names the media type of the body.", "Say with Content-Type what the body is."
    ),
    "wrong_content_type": Rule(
        "The media type is one of those listed. A payload for an entity with a structure is `application/json`.",
        "Use a content type that the contract has for this operation, and a body to match.",
    ),
    "content_encoding": Rule(
        "The body is not compressed: there is no `Content-Encoding`.",
        "Send the body as it is, without Content-Encoding: nothing unpacks it.",
    ),
    "malformed_body": Rule(
        "The body is what its `Content-Type` says; JSON and forms are UTF-8 (RFC 8259 §8.1).",
        "Make the body what its Content-Type says.",
    ),
}
"""Every rule by its code, in the order in which people read them."""

_OF_ALL: Final[tuple[Code, ...]] = ("repeated_header", "unknown_query_parameter")
_OF_PARAMETERS: Final[tuple[Code, ...]] = ("missing_field", "wrong_field", "repeated_field")
_OF_BODIES: Final[tuple[Code, ...]] = (
    "missing_content_type",
    "wrong_content_type",
    "content_encoding",
    "malformed_body",
)

Access = Literal["client", "bearer", "key", "signature", "login"]
"""The credentials that an operation asks for: those of an OAuth client, a token, an API key or a token, the signature
in a URL, or those of a user."""


def access_of(operation: Mapping[str, Any]) -> Access:
    """Return the credentials that an OpenAPI operation asks for."""
    schemes = {scheme for requirement in operation["security"] for scheme in requirement}
    if "apiKey" in schemes:
        return "key"
    if schemes & {"bearer", "loginToken"}:
        return "bearer"
    if schemes:
        return "client"
    return "signature" if any(each["name"] == SIGNATURE for each in operation.get("parameters", ())) else "login"


def rules_of(operation: Mapping[str, Any]) -> dict[Code, Rule]:
    """Return the rules for the requests of an OpenAPI operation; those on paths, methods and HTTP go without saying."""
    codes = set(_codes_of(operation))
    return {code: rule for code, rule in RULES.items() if code in codes}


def _codes_of(operation: Mapping[str, Any]) -> Iterator[Code]:
    yield from _OF_ALL
    access, body = access_of(operation), operation.get("requestBody")
    if access != "signature":
        yield "no_accept_json"
    match access:
        case "client":
            yield from ("missing_credentials", "credentials_twice", *_OF_PARAMETERS)
        case "bearer":
            yield "no_bearer_token"
        case "key":
            yield from ("no_api_key", *_OF_PARAMETERS)
        case "signature":
            yield from ("no_signature", "wrong_field")
        case "login":
            yield from _OF_PARAMETERS
        case _:
            assert_never(access)
    if body is None:
        yield "unexpected_body"
        if access in ("key", "signature"):
            yield "credentials_in_query"
        return
    yield from ("credentials_in_query", "repeated_field", *_OF_BODIES)
    if body["required"]:
        yield "missing_body"
    if any("properties" in content.get("schema", ()) for content in body["content"].values()):
        yield "unknown_field"


@dataclass(frozen=True, slots=True)
class ContractViolation:
    """One way in which a request does not conform: ``message`` says what was found, ``remedy`` what to do."""

    request: str
    """Id of the journal entry."""
    method: str
    path: str
    code: Code
    message: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.method} {self.path}: {self.message} ({self.code}). {self.remedy}"

    @property
    def rule(self) -> str:
        """The rule of the contract."""
        return RULES[self.code].says

    @property
    def document(self) -> str:
        """The name of the OpenAPI document that states the rule."""
        return "openapi-flows.yaml" if self.path.startswith(FLOW_PATHS) else "openapi.yaml"
