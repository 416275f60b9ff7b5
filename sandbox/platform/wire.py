"""The exact wire format of the emulated platform, for both generations of its framework.

Every difference between the profiles is a field or a branch of ``WireProfile``. Sections A to E are those of the
recorded wire format: A token endpoint, B inbound URL, C bodies, D everything else, E requests in the framework's eyes.
The bytes were recorded from real applications (tag *framework*) unless a comment gives another source.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from html.entities import name2codepoint
from http import HTTPStatus
from typing import Any, Final, Literal

from sandbox.foundation.answer import JSON, Answer, Headers, compact
from sandbox.foundation.refusals import (
    FaultedError,
    IncompleteBodyError,
    InvalidClientError,
    InvalidPayloadError,
    InvalidRequestError,
    InvalidScopeError,
    MalformedBodyError,
    MessageError,
    MethodNotAllowedError,
    MethodOverrideError,
    MissingScopeError,
    PayloadTooLargeError,
    RefusalError,
    RouteNotFoundError,
    TooManyAttemptsError,
    UnauthenticatedError,
    UnauthorizedActionError,
    UnboundError,
    UnsupportedGrantTypeError,
    Violation,
)
from sandbox.foundation.strict_json import write_json
from sandbox.journal.endpoint_kind import TOKEN
from sandbox.journal.entry import Exchange
from sandbox.journal.request import Request

_NO_CACHE: Final = ("Cache-Control", "no-cache, private")
_JSON_HEADERS: Final = (("Content-Type", JSON), _NO_CACHE)
_TOKEN_HEADERS: Final = (
    ("Content-Type", "application/json; charset=UTF-8"),
    ("Pragma", "no-cache"),
    ("Cache-Control", "no-store, private"),
)
_INVALID_REQUEST: Final = (
    "The request is missing a required parameter, includes an invalid parameter value, includes a parameter more than "
    "once, or is otherwise malformed."
)
# Those of HTML 4.01, as PHP has them; compiled by `re` for the first page of HTML.
_LONE_AMPERSAND: Final = rf"&(?!(?:#[0-9]+|#[xX][0-9a-fA-F]+|{'|'.join(name2codepoint)});)"


def pretty(value: Any) -> bytes:
    """Return JSON as with ``JSON_PRETTY_PRINT | JSON_UNESCAPED_SLASHES``: 4 spaces, LF, non-ASCII escaped."""
    return write_json(value, indent=4).encode("ascii")


OAUTH_ERRORS: Final = (UnsupportedGrantTypeError, InvalidRequestError, InvalidClientError, InvalidScopeError)
"""Refusals that the OAuth server writes itself, as JSON to every client (RFC 6749 §5.2)."""


class WireProfile:
    """One generation of the framework: its behaviour where the two differ, and the bytes of each answer."""

    def __init__(self, name: Literal["modern", "legacy"]) -> None:
        self.name = name
        self.modern = name == "modern"
        # A and B
        self._schemes_have_case = not self.modern
        # A
        self.reads_strict_base64 = self.modern
        self.refuses_malformed_json = self.modern
        self.refuses_missing_secret_as_invalid_request = self.modern
        self.ignores_scope_zero = not self.modern  # PHP counts the string "0" as empty
        self.integer_times = not self.modern
        # D and E
        self.refuses_structured_override = self.modern
        self._routes_ignore_leading_slashes = not self.modern

    def credentials(self, authorization: str | None, scheme: str) -> str | None:
        """Return the text after ``Basic`` or ``Bearer`` in an Authorization header; ``None`` for another scheme."""
        given, *credentials = (authorization or "").split(None, 1) or [""]
        if given != scheme and (self._schemes_have_case or given.lower() != scheme.lower()):
            return None
        return credentials[0].strip() if credentials else ""

    def basic(self, user: str, password: str) -> tuple[str | None, str | None]:
        """Return the parts of HTTP Basic; modern trims them, and an empty part is missing there."""
        if not self.modern:
            return user, password
        if not user:
            return None, None
        return user.strip() or None, password.strip() or None

    def route_path(self, path: str) -> str:
        """Return a path without the slashes at its end, in legacy also without the repeated ones at its start."""
        if self._routes_ignore_leading_slashes:
            path = "/" + path.lstrip("/")
        return path.rstrip("/") or "/"

    def subject(self, client_id: str) -> str:
        """Return the ``sub`` claim of a client-credentials token."""
        return client_id if self.modern else ""

    # --- A. Token endpoint ------------------------------------------------------------------------------------------

    def token(self, access_token: str, expires_in: int) -> Answer:
        """Return the answer that carries an access token."""
        body = f'{{"token_type":"Bearer","expires_in":{expires_in},"access_token":"{access_token}"}}'
        return Answer(200, _TOKEN_HEADERS, body.encode("ascii"))

    def _oauth_error(self, status: int, error: str, description: str, hint: str | None = None) -> Answer:
        body = {"error": error, "error_description": description}
        if hint is not None:
            body["hint"] = hint
        if not self.modern:
            body["message"] = description
        return Answer(status, _JSON_HEADERS, compact(body))

    def _invalid_client(self, authorization: str | None) -> Answer:
        answer = self._oauth_error(401, "invalid_client", "Client authentication failed")
        if not authorization:
            return answer
        scheme = "Bearer" if authorization.startswith("Bearer") else "Basic"
        return answer.with_headers(("WWW-Authenticate", f'{scheme} realm="OAuth"'))

    # --- B. Inbound URL ---------------------------------------------------------------------------------------------

    def stored(self, status: int, message: str) -> Answer:
        """Return a message as the application writes it, such as to an accepted payload (FACTS 1.17, unconfirmed)."""
        return Answer(status, _JSON_HEADERS, compact({"message": message}))

    # --- C. Bodies --------------------------------------------------------------------------------------------------

    def _unprocessable(self, violations: Sequence[Violation]) -> Answer:
        errors: dict[str, list[str]] = {}
        for violation in violations:
            errors.setdefault(violation.path, []).append(self.violation_text(violation))
        message = "The given data was invalid."
        if self.modern:
            first, *more = [text for texts in errors.values() for text in texts]
            others = f" (and {len(more)} more error{'s' if len(more) > 1 else ''})" if more else ""
            message = first + others
        return Answer(422, _JSON_HEADERS, compact({"message": message, "errors": errors}))

    def violation_text(self, violation: Violation) -> str:
        """Return the framework's text for a violation; those of hand-written schemas are ours."""
        attribute = _displayed(violation.path)
        field = "field " if self.modern else ""
        match violation.rule:
            case "required":
                return f"The {attribute} field is required."
            case "boolean":
                return f"The {attribute} field must be true or false."
            case "json":
                return f"The {attribute} {field}must be a valid JSON string."
            case "integer" | "array" as rule:
                return f"The {attribute} {field}must be an {rule}."
            case "string" | "number" as rule:
                return f"The {attribute} {field}must be a {rule}."
            case "min" | "min_length" as rule:
                unit = " characters" if rule == "min_length" else ""
                return f"The {attribute} {field}must be at least {violation.detail}{unit}."
            case "max" | "max_length" as rule:
                unit = " characters" if rule == "max_length" else ""
                limit = "must not be" if self.modern else "may not be"
                return f"The {attribute} {field}{limit} greater than {violation.detail}{unit}."
            case _:
                return f"The {attribute} field is invalid: {violation.detail}."

    # --- D. Everything else -----------------------------------------------------------------------------------------

    def message(self, status: int, text: str, legacy_text: str | None = None, headers: Headers = ()) -> Answer:
        """Return a pretty-printed ``{"message": …}``; the legacy text is the same unless given."""
        if not self.modern and legacy_text is not None:
            text = legacy_text
        return Answer(status, (*_JSON_HEADERS, *headers), pretty({"message": text}))

    def server_error(self, status: int = 500) -> Answer:
        """Return the answer to a failure of the platform itself."""
        return self.message(status, "Server Error")

    def options(self, allowed: Sequence[str]) -> Answer:
        """Return the answer to OPTIONS on an address that has only other methods."""
        headers = (("Content-Type", "text/html; charset=UTF-8"), _NO_CACHE, ("Allow", ",".join(allowed)))
        return Answer(200, headers, b"")

    def to_any_origin(self, answer: Answer) -> Answer:
        """Return an answer of process flows: the modern framework lets pages of any origin read it (WIRE E)."""
        return answer.with_headers(("Access-Control-Allow-Origin", "*")) if self.modern else answer

    def preflight(self, request: Request) -> Answer | None:
        """Return the modern framework's answer to the question of a browser before a request; else ``None``."""
        method = request.header("Access-Control-Request-Method")
        if not self.modern or not method or not method.isascii():
            return None
        asked = request.header("Access-Control-Request-Headers")
        headers = (
            _NO_CACHE,
            ("Access-Control-Allow-Methods", method.upper()),
            *((("Access-Control-Allow-Headers", asked),) if asked else ()),
            ("Access-Control-Max-Age", "0"),
            ("Vary", "Access-Control-Request-Method, Access-Control-Request-Headers"),
        )
        return Answer(204, headers, b"")

    def _not_found(self, exchange: Exchange) -> Answer:
        return self.message(404, f"The route {_route(exchange)} could not be found.", "")

    # --- the answer to each refusal -----------------------------------------------------------------------------------

    def refusal(self, error: RefusalError, exchange: Exchange) -> Answer:
        """Return the platform's answer to a request that it refuses with ``error``."""
        match error:
            case UnsupportedGrantTypeError():
                return self._oauth_error(
                    400,
                    "unsupported_grant_type",
                    "The authorization grant type is not supported by the authorization server.",
                    "Check that all required parameters have been provided",
                )
            case InvalidRequestError(parameter=parameter):
                return self._oauth_error(400, "invalid_request", _INVALID_REQUEST, f"Check the `{parameter}` parameter")
            case InvalidClientError():
                return self._invalid_client(exchange.request.header("Authorization"))
            case InvalidScopeError(scope=scope):
                hint = f"Check the `{_escaped(scope)}` scope"
                return self._oauth_error(
                    400, "invalid_scope", "The requested scope is invalid, unknown, or malformed", hint
                )
            case MalformedBodyError() | IncompleteBodyError():
                return self.message(400, "Bad request.")
            case UnauthenticatedError():
                return self.stored(401, "Unauthenticated.")
            case MissingScopeError():
                return self.message(403, "Invalid scope(s) provided.")
            case UnauthorizedActionError():
                return self.message(403, "This action is unauthorized.")
            case UnboundError(model=model):
                return self.message(404, f"No query results for model [{model}].")
            case RouteNotFoundError():
                return self._not_found(exchange)
            case MethodNotAllowedError(method=method, allowed=allowed):
                route = f"route {_route(exchange)}" if self.modern else "this route"
                listed = ", ".join(allowed)
                text = f"The {method} method is not supported for {route}. Supported methods: {listed}."
                return self.message(405, text, headers=(("Allow", listed),))
            case MethodOverrideError() if not self.modern:
                return self.message(404, "Bad hostname provided.")
            case MethodOverrideError():
                return self.message(400, "Bad request.")
            case PayloadTooLargeError():
                return self.message(413, "The POST data is too large.", "")
            case InvalidPayloadError(violations=violations):
                return self._unprocessable(violations)
            case TooManyAttemptsError(retry_after_s=retry_after_s, reset_at=reset_at):
                headers = (("Retry-After", str(retry_after_s)), ("X-RateLimit-Reset", str(reset_at)))
                return self.message(429, "Too Many Attempts.", headers=headers)
            case MessageError(status=status, message=message, is_compact=True):
                return self.stored(status, message)
            case MessageError(status=status, message=message):
                return self.message(status, message)
            case FaultedError(status=status, retry_after_s=retry_after_s):
                answer = self._with_status(status, exchange)
                return answer if retry_after_s is None else answer.with_headers(("Retry-After", str(retry_after_s)))
            case _:
                return self.server_error()

    def _with_status(self, status: int, exchange: Exchange) -> Answer:
        if status == 401 and exchange.kind == TOKEN.name:
            return self._invalid_client(exchange.request.header("Authorization"))
        if status in _REFUSALS:
            return self.refusal(_REFUSALS[status], exchange)
        phrase = HTTPStatus(status).phrase if status in _KNOWN_STATUSES else ""
        return self.message(status, {429: "Too Many Attempts.", 500: "Server Error"}.get(status, phrase))


_REFUSALS: Final = {
    401: UnauthenticatedError(""),
    403: UnauthorizedActionError(""),
    404: RouteNotFoundError(""),
    413: PayloadTooLargeError(None, 0),
}
"""The refusals that are answered as the platform does with a status that a fault chose."""

_KNOWN_STATUSES: Final = frozenset(status.value for status in HTTPStatus)
_PROFILES: Final = {"modern": WireProfile("modern"), "legacy": WireProfile("legacy")}


def wire_profile(name: str) -> WireProfile:
    """Return the profile of that name."""
    return _PROFILES[name]


def _route(exchange: Exchange) -> str:
    """Return the path as messages quote it: as it was sent, percent-encoded, without the slashes around it."""
    return (exchange.request.raw_path or exchange.request.path).strip("/") or "/"


def _escaped(text: str) -> str:
    """Return text as PHP's ``htmlspecialchars`` writes it, which leaves an entity as it is."""
    text = re.sub(_LONE_AMPERSAND, "&amp;", text)
    for character, entity in (("<", "&lt;"), (">", "&gt;"), ('"', "&quot;"), ("'", "&#039;")):
        text = text.replace(character, entity)
    return text


def _displayed(path: str) -> str:
    """Return the name that the framework shows: snake case with spaces; a path through a list stays as it is."""
    if any(step.isdecimal() for step in path.split(".")):
        return path
    words = "".join(word[0].upper() + word[1:] for word in path.split())
    return re.sub(r"(.)(?=[A-Z])", r"\1_", words).lower().replace("_", " ")
