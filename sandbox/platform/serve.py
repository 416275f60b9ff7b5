"""The answers of the pipeline where an endpoint has none: a refusal, a failure, an entry that was not kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from sandbox.foundation.answer import Answer
from sandbox.foundation.errors import NotKeptError, RefusalError
from sandbox.journal.journal import Exchange
from sandbox.platform.html_errors import as_page, expects_json
from sandbox.platform.platform import Platform
from sandbox.platform.wire import OAUTH_ERRORS

Endpoint: TypeAlias = Callable[[Exchange, Platform], Answer]
"""Answers a request, or raises a ``RefusalError``."""


def _not_kept(platform: Platform, exchange: Exchange, error: NotKeptError, base_url: str) -> Answer:
    """Close a journal entry that could not be kept, and return the answer: whatever was done does not count."""
    exchange.accepted = False
    exchange.act = exchange.fault = exchange.effect = None
    if exchange.issuance is not None:
        exchange.issuance.withdraw()
        exchange.issuance = None
    exchange.reason = str(error)
    answer = _as_accepted(platform, exchange, platform.wire.server_error(503), base_url)
    if exchange.method == "HEAD":
        answer = answer.without_body()
    platform.journal.close(exchange, answer.status, answer.headers, answer.body, keep=False)
    return answer


def _refused(platform: Platform, exchange: Exchange, error: RefusalError, base_url: str) -> Answer:
    """Return the platform's answer to a refusal and note the reason in the exchange."""
    exchange.reason = error.reason
    answer = platform.wire.refusal(error, exchange)
    return answer if isinstance(error, OAUTH_ERRORS) else _as_accepted(platform, exchange, answer, base_url)


def _failed(platform: Platform, exchange: Exchange, error: Exception, base_url: str) -> Answer:
    """Return the answer to a failure of the sandbox itself; it is logged with the journal entry."""
    exchange.failure = error
    exchange.accepted = False
    exchange.reason = "internal_error: the sandbox itself failed, see its log"
    return _as_accepted(platform, exchange, platform.wire.server_error(), base_url)


def _as_accepted(platform: Platform, exchange: Exchange, error: Answer, base_url: str) -> Answer:
    """Return an error in the form that the setting ``accept`` and the client's header ask for."""
    if platform.settings.accept == "laravel" and not expects_json(exchange):
        return as_page(error, base_url)
    return error
