"""What the two endpoints do with a request, whoever routed it there.

Flask's routing, contexts and response objects are most of the time that a request takes. The two requests that an
integration sends all day are told by their method and path alone, so the pipeline may hand them straight to their
endpoint; every other one, such as a GET, a path with a slash at its end or a method that is not allowed, goes through
the application, whose views call the same functions.
"""

from __future__ import annotations

from sandbox.foundation.answer import Answer
from sandbox.foundation.errors import MethodNotAllowedError
from sandbox.journal.journal import Exchange
from sandbox.platform.platform import Platform
from sandbox.platform.serve import Endpoint
from sandbox.platform.token_request import read_token_request


def issue_token(exchange: Exchange, platform: Platform) -> Answer:
    """Answer a token request (WIRE A); raise a ``RefusalError``."""
    allowed = allowed_methods(exchange, platform)
    if exchange.method not in allowed:
        raise MethodNotAllowedError(exchange.method, allowed)
    access_token = platform.grant_token(exchange, read_token_request(exchange, platform.wire))
    return platform.wire.token(access_token, platform.settings.token_lifetime)


def receive_payload(exchange: Exchange, platform: Platform) -> Answer:
    """Answer the POST of a payload (WIRE B); raise a ``RefusalError``."""
    platform.receive_payload(exchange)
    return platform.stored


def allowed_methods(exchange: Exchange, platform: Platform) -> list[str]:
    """Return the methods of an address in the order in which the framework lists them; where it has GET it has HEAD."""
    methods = platform.settings.token_methods if exchange.kind == "token" else ("POST",)
    return [name for name in ("GET", "HEAD", "POST") if ("GET" if name == "HEAD" else name) in methods]


def endpoint_for(exchange: Exchange) -> Endpoint | None:
    """Return the endpoint of a request that needs no routing; ``None`` leaves it to the application."""
    if exchange.method != "POST" or exchange.path.endswith("/"):
        return None
    match exchange.kind:
        case "inbound":
            return receive_payload
        case "token":
            return issue_token
        case _:
            return None
