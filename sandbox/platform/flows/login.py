"""Login and logout of users (FLOWS 2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from sandbox.faults.fault import Act
from sandbox.foundation.answer import Answer
from sandbox.foundation.form_data import FORM, media_type, pairs_of, php_fields
from sandbox.foundation.refusals import InvalidPayloadError, MessageError, UnauthenticatedError, Violation
from sandbox.foundation.settings import Settings
from sandbox.foundation.strict_json import NotJsonError
from sandbox.journal.endpoint_kind import LOGIN
from sandbox.journal.entry import Exchange
from sandbox.journal.request import Request
from sandbox.platform.endpoints.responses import SAMPLE_TOKEN, Responses
from sandbox.platform.flows.flow_endpoint import FlowEndpoint, caller_of, json_answer, json_body, operation
from sandbox.platform.flows.model import User
from sandbox.platform.platform import Platform
from sandbox.platform.tokens import MANAGER

_WRONG: Final = "Incorrect email or password."
_LOGGED_IN: Final = "You have successfully logged in."
_LOGGED_OUT: Final = "You have successfully logged out."


class LoginEndpoint(FlowEndpoint[User]):
    """Issues a token for a user's credentials. Its two forms know only their own field for the address."""

    kind = LOGIN
    description = "Login of users"
    limit: ClassVar[int] = 20

    def __init__(self, path: str, field: str, *, tells_lifetime: bool) -> None:
        self.path = path
        self._field = field
        self._tells_lifetime = tells_lifetime
        example = {field: "ada@example.test", "password": "correct-horse"}
        names = {name: {"type": "string", "minLength": 1} for name in example}
        self.operations = {
            "POST": operation(
                f"Log in by `{field}` and password, and get a token for 24 hours.",
                f"logInBy{field.capitalize()}",
                f"This address reads `{field}` only; the other address of the login has another name.",
                body=json_body({"type": "object", "required": [*example], "properties": names}, logged_in=example),
            )
        }
        super().__init__()

    def admit(self, exchange: Exchange, platform: Platform) -> User:
        """Return the user with the credentials."""
        self.count(exchange, platform, None)
        given = _fields(exchange.request)
        missing = [
            name for name in (self._field, "password") if not isinstance(given.get(name), str) or not given[name]
        ]
        if missing:
            raise InvalidPayloadError("missing_login", [Violation(name, "required") for name in missing])
        exchange.client_id = given[self._field][:255]
        user = platform.store.flows.user_with(given[self._field], given["password"])
        if user is None:
            raise MessageError("wrong_login: no user has these credentials", 401, _WRONG, is_compact=True)
        exchange.client_id = user.email
        return user

    def handle(self, exchange: Exchange, platform: Platform, admitted: User, act: Act | None) -> Answer:
        """Issue a token with the scope of a manager."""
        token, exchange.token = platform.issue_token(
            admitted.email, [MANAGER], exchange.received_at, str(admitted.id), act
        )
        return self._answer(token, platform.settings.token_lifetime)

    def _answer(self, token: str, lifetime: int) -> Answer:
        body: dict[str, Any] = {"message": _LOGGED_IN, "token": token}
        if self._tells_lifetime:
            body["expires_in"] = lifetime
        return json_answer(body)

    def responses(self, method: str, settings: Settings) -> Mapping[str, Any]:
        """Return the responses; the refusals are those of ``admit``."""
        example = self._answer(SAMPLE_TOKEN, settings.token_lifetime)
        wrong = MessageError("wrong_login", 401, _WRONG, is_compact=True)
        missing = InvalidPayloadError("missing_login", [Violation(self._field, "required")])
        done = Responses(settings).json("The user is logged in.", "LoggedIn", {"logged_in": example})
        refusals = ("No user has these credentials.", [wrong]), ("A field is missing.", [missing])
        return self.refused(settings, *refusals) | {"200": done}


class LogoutEndpoint(FlowEndpoint[None]):
    """Revokes the token that it gets."""

    kind = LOGIN
    path = "/api/logout"
    description = LoginEndpoint.description
    operations: Mapping[str, Any] = {
        "POST": operation(
            "Log out: the token stops working.",
            "logOut",
            "Takes the token of a login after `Bearer`.",
            security=["loginToken"],
        )
    }

    def admit(self, exchange: Exchange, platform: Platform) -> None:
        """Refuse a request without a good token of the login."""
        self.count(exchange, platform, None)
        if not isinstance(caller_of(exchange, platform), User) or exchange.token is None:
            raise UnauthenticatedError("api_key_logout: an API key has no login to end")

    def handle(self, exchange: Exchange, platform: Platform, admitted: None, act: Act | None) -> Answer:
        """Revoke the token."""
        assert exchange.token is not None
        platform.tokens.revoke_one("token_revoked: by logout", exchange.token.fingerprint)
        exchange.token = None  # an entry of this kind shows a token that was issued
        return json_answer({"message": _LOGGED_OUT})

    def responses(self, method: str, settings: Settings) -> Mapping[str, Any]:
        """Return the responses; the refusals are those of ``admit``."""
        refused = self.refused(settings, ("There is no good token.", [UnauthenticatedError("no_api_key")]))
        done = json_answer({"message": _LOGGED_OUT})
        return refused | {"200": Responses(settings).json("The user is logged out.", "Message", {"logged_out": done})}


def _fields(request: Request) -> Mapping[str, Any]:
    """Return the fields of a JSON body or a form; none of a body that is neither."""
    if media_type(request.header("Content-Type") or "") == FORM:
        return php_fields(pairs_of(request.body.decode("utf-8", "replace")))
    try:
        document = request.json()
    except NotJsonError:
        return {}
    return document if isinstance(document, dict) else {}


ENDPOINTS: Final = (
    LoginEndpoint("/api/v1/login", "email", tells_lifetime=False),
    LoginEndpoint("/api/login", "username", tells_lifetime=True),
    LogoutEndpoint(),
)
