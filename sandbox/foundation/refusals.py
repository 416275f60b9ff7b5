"""The refusals of the emulated platform, which are errors of one tree.

::

    RefusalError
    ├── PayloadTooLargeError       413        ├── UnsupportedGrantTypeError  400
    ├── IncompleteBodyError        400        ├── InvalidRequestError        400
    ├── MalformedBodyError         400        ├── InvalidClientError         401
    ├── RouteNotFoundError         404        ├── InvalidScopeError          400
    │   └── UnboundError           404        │
    ├── MethodNotAllowedError      405        ├── UnauthenticatedError       401
    ├── MethodOverrideError        400, 404   │
    ├── TooManyAttemptsError       429        ├── MissingScopeError          403
    ├── InvalidPayloadError        422        ├── UnauthorizedActionError    403
    ├── MessageError               any status, of process flows
    └── FaultedError               any status, by a fault rule

A refusal carries the data that the wire needs to answer as the platform does, and ``reason``, which only the journal
shows.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sandbox.foundation.errors import SandboxError, cut


class RefusalError(SandboxError):
    """The emulated platform refuses a request; ``reason`` is for the journal only."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class PayloadTooLargeError(RefusalError):
    """The body is larger than the limit, both in bytes (FACTS 1.16, 1.23)."""

    def __init__(self, size: int | None, limit: int) -> None:
        given = f"{size} bytes" if size is not None else "a body of unknown length"
        super().__init__(f"payload_too_large: {given}, the limit is {limit}")


class IncompleteBodyError(RefusalError):
    """The sender stopped before the end of the body that it announced."""


class MalformedBodyError(RefusalError):
    """A JSON body of the token endpoint cannot be read (WIRE A)."""


class UnsupportedGrantTypeError(RefusalError):
    """RFC 6749 §5.2 ``unsupported_grant_type``."""


class InvalidRequestError(RefusalError):
    """RFC 6749 §5.2 ``invalid_request``: ``parameter`` is missing or no text; ``cause`` says why, if known."""

    def __init__(self, parameter: str, problem: str = "missing", cause: str = "") -> None:
        self.parameter = parameter
        super().__init__(f"{problem}_{parameter}{cause and f': {cause}'}")


class InvalidClientError(RefusalError):
    """RFC 6749 §5.2 ``invalid_client``: unknown client, wrong secret or revoked client."""


class InvalidScopeError(RefusalError):
    """RFC 6749 §5.2 ``invalid_scope``: ``scope`` is the first unknown one."""

    def __init__(self, scope: str) -> None:
        self.scope = scope
        separator = "; scopes are separated by blanks" if "," in scope else ""
        super().__init__(f"unknown_scope: {scope}{separator}")


class UnauthenticatedError(RefusalError):
    """The bearer token is missing or not good (RFC 6750 §3.1, WIRE B)."""


class MissingScopeError(RefusalError):
    """The token is good but lacks the required scope (WIRE B)."""


class UnauthorizedActionError(RefusalError):
    """The token belongs to another connector (FACTS 1.18)."""


class RouteNotFoundError(RefusalError):
    """Nothing answers at this path: unknown route, company or vanity URL (WIRE D)."""


class UnboundError(RouteNotFoundError):
    """A part of the path names nothing; the framework's message names ``model``, the class of the part (FACTS 1.29)."""

    def __init__(self, reason: str, model: str) -> None:
        self.model = model
        super().__init__(reason)


class MethodNotAllowedError(RefusalError):
    """The path exists, but not with this method; ``allowed`` are the methods that exist (WIRE D).

    ``asked_by`` is the place where a POST asks for the method (WIRE E).
    """

    def __init__(self, method: str, allowed: Sequence[str], asked_by: str | None = None) -> None:
        self.method = method
        self.allowed = tuple(allowed)
        place = "" if asked_by is None else f", which {asked_by} asks for"
        super().__init__(f"method_not_allowed: {cut(method, 80)}{place}")


class MethodOverrideError(RefusalError):
    """A POST asks for a method that is none (WIRE E)."""


class TooManyAttemptsError(RefusalError):
    """The rate limit is used up; ``retry_after_s`` in seconds, ``reset_at`` in Unix seconds (WIRE D)."""

    def __init__(self, retry_after_s: int, reset_at: int) -> None:
        self.retry_after_s = retry_after_s
        self.reset_at = reset_at
        super().__init__(f"rate_limited: the window opens again in {retry_after_s} s")


class MessageError(RefusalError):
    """An endpoint of process flows answers ``status`` with a message of its own (FLOWS 2, 3 and 6).

    ``is_compact``: the application writes it, and not the framework.
    """

    def __init__(self, reason: str, status: int, message: str, *, is_compact: bool = False) -> None:
        self.status = status
        self.message = message
        self.is_compact = is_compact
        super().__init__(reason)


class FaultedError(RefusalError):
    """A fault rule acts: the platform answers ``status``, with ``Retry-After`` where that is given, in seconds."""

    def __init__(self, reason: str, status: int, retry_after_s: int | None = None) -> None:
        self.status = status
        self.retry_after_s = retry_after_s
        super().__init__(reason)


@dataclass(frozen=True, slots=True)
class Violation:
    """One way in which a payload fails its entity.

    ``path`` is dotted with indexes (``items.1.id``); ``rule`` names what was expected: ``required``, ``integer``,
    ``number``, ``string``, ``boolean``, ``array``, ``json``, ``min`` or ``max`` (a number that ``detail`` names),
    ``min_length`` or ``max_length`` (characters), or ``schema`` (a rule of a hand-written JSON Schema, named by
    ``detail``).
    """

    path: str
    rule: str
    detail: str = ""
    reason: str = ""
    """The words of the journal, where path and rule would mislead."""


def bracketed(path: str) -> str:
    """Return a dotted path with its indexes in brackets: ``items[1].id``."""
    return re.sub(r"(^|\.)(\d+)(?=\.|$)", r"[\2]", path)


class InvalidPayloadError(RefusalError):
    """The payload is blank or does not match the expected entity (FACTS 1.16, 1.21)."""

    def __init__(self, code: str, violations: Sequence[Violation]) -> None:
        self.code = code
        self.violations = tuple(violations)
        first, *more = self.violations
        others = f" (and {len(more)} more)" if more else ""
        super().__init__(f"{code}: {first.reason or f'{bracketed(first.path)} {first.detail or first.rule}'}{others}")
