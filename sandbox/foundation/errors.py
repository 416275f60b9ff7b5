"""Every error the sandbox raises on purpose, in one tree.

::

    SandboxError
    ├── WaitInterruptedError           a wait ends without a result
    ├── UnreachableError               no sandbox answers at a URL
    ├── ProblemError                   a control API refuses; with its problem details
    ├── NotInProcessError              only a sandbox of this process can do that
    ├── SharedSandboxError             an operation would affect other users of the sandbox
    ├── RefusedHostError               a client called a host that is not allowed
    ├── NotKeptError                   a journal entry could not be written to the journal file
    ├── InputError                     an input of the sandbox itself is wrong
    │   ├── InvalidValueError          a value is not allowed            (control API: 422)
    │   │   ├── SettingError           … of a setting
    │   │   │   └── UnknownSettingError    that does not exist
    │   │   └── UnknownNameError       … of a field or an argument that does not exist
    │   ├── DocumentError              a YAML file cannot be used; with file and line
    │   │   └── SeedError              … as a seed
    │   ├── NotFoundError              there is no such thing            (control API: 404)
    │   └── ConflictError              it exists already, or is in use   (control API: 409)
    └── RefusalError                   the emulated platform refuses a request
        ├── PayloadTooLargeError       413        ├── UnsupportedGrantTypeError  400
        ├── IncompleteBodyError        400        ├── InvalidRequestError        400
        ├── MalformedBodyError         400        ├── InvalidClientError         401
        ├── RouteNotFoundError         404        ├── InvalidScopeError          400
        │   └── UnboundError           404        │
        ├── MethodNotAllowedError      405        ├── UnauthenticatedError       401
        ├── MethodOverrideError        400, 404   │
        ├── TooManyAttemptsError       429        ├── MissingScopeError          403
        ├── InvalidPayloadError        422        ├── UnauthorizedActionError    403
        └── FaultedError               any status, by a fault rule

The message of an ``InputError`` says what was given, what is allowed and what to do. A ``RefusalError`` carries the
data that the wire needs to answer as the platform does, and ``reason``, which only the journal shows.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice


class SandboxError(Exception):
    """Root of the tree."""


class WaitInterruptedError(SandboxError):
    """A wait ends without a result: the sandbox was reset, or is stopping."""


class UnreachableError(SandboxError):
    """No sandbox answers at a URL, or none in time."""


class ProblemError(SandboxError):
    """A control API refuses or fails (RFC 9457); ``errors`` are the fields that are wrong, each with a message.

    Where this tree has an error for it, the error raised is of both classes: ``except NotFoundError`` works for a
    sandbox of this process and for one behind a URL.
    """

    def __init__(self, status: int, detail: str, errors: Sequence[Mapping[str, str]] = ()) -> None:
        self.status = status
        self.detail = detail
        self.errors = tuple(errors)
        Exception.__init__(self, detail)


class NotInProcessError(SandboxError):
    """The operation needs a sandbox of this process; this one is behind a URL."""


class SharedSandboxError(SandboxError):
    """The operation would affect other users of the same sandbox."""


class RefusedHostError(SandboxError, ConnectionRefusedError):
    """A client called ``host`` during a strict interception of other hosts. Clients see a failed connection.

    Without ``intercepted`` hosts it called the real platform outside of a test. ``loop`` is the library of its event
    loop, where that cannot be intercepted.
    """

    def __init__(self, host: str, intercepted: Sequence[str] = (), loop: str = "") -> None:
        self.host = host
        allowed = f"allowed: {', '.join(intercepted)} and this machine's loopback"
        if loop:
            allowed = f"an event loop of {loop} cannot be intercepted, use asyncio's own"
        super().__init__(
            f"intercept(strict=True) refuses {host}; {allowed}"
            if intercepted
            else f"patchworks_intercept refuses {host} outside of tests; call it in a test or a fixture"
        )


class NotKeptError(SandboxError):
    """A journal entry could not be written to the file at ``path``; ``why`` is the message of the system."""

    def __init__(self, path: str, why: str) -> None:
        self.path = path
        self.why = why
        super().__init__(f"journal_file: {why} ({path})")


# --- inputs of the sandbox itself -----------------------------------------------------------------------------------


class InputError(SandboxError):
    """An input of the sandbox is wrong; the message says what is wrong and what to do."""


class InvalidValueError(InputError):
    """A field holds a value that is not allowed."""

    def __init__(self, field: str, given: object, allowed: str) -> None:
        self.field = field
        self.given = given
        self.allowed = allowed
        super().__init__(f"{field}: {shorten(given)} is not allowed; allowed: {allowed}")

    @property
    def problem(self) -> str:
        """The message without the field."""
        return str(self).removeprefix(f"{self.field}: ")

    def at(self, field: str, given: object = None) -> InvalidValueError:
        """Return the same error about another field, for a document that holds this one; ``given`` may be withheld."""
        return InvalidValueError(field, self.given if given is None else given, self.allowed)


class SettingError(InvalidValueError):
    """A setting holds a value that is not allowed, or may not change now."""


class UnknownSettingError(SettingError):
    """There is no such setting; ``allowed`` holds the nearest name and those that are known."""

    def __init__(self, field: str, given: object, allowed: str) -> None:
        super().__init__(field, given, allowed)
        self.args = (f"{field}: there is no such setting; {allowed}",)


class UnknownNameError(InvalidValueError):
    """There is no field or argument of this name; ``allowed`` holds the nearest name and those that are known."""

    def __init__(self, field: str, given: object, kind: str, known: Iterable[str]) -> None:
        self.kind = kind
        self.known = tuple(known)
        super().__init__(field, given, did_you_mean(re.split(r"[. ]", field)[-1], self.known))
        self.args = (f"{field}: there is no such {kind}; {self.allowed}",)

    def at(self, field: str, given: object = None) -> InvalidValueError:
        """Return the same error about another field."""
        return UnknownNameError(field, self.given if given is None else given, self.kind, self.known)


class DocumentError(InputError):
    """A YAML file cannot be used; ``file`` and ``line`` (1-based, 0 when unknown) say where."""

    def __init__(self, file: str, line: int, message: str) -> None:
        self.file = file
        self.line = line
        self.message = message
        where = f"{file}:{line}" if line else file
        super().__init__(f"{where}: {message}")


class SeedError(DocumentError):
    """A seed cannot be used."""


class NotFoundError(InputError):
    """There is no ``kind`` called ``given``; ``known`` lists the names or ids that exist.

    With ``named`` the message also proposes the nearest known name, which makes no sense for ids. Without ``given``
    there is none at all.
    """

    def __init__(self, kind: str, given: object = None, known: Iterable[object] = (), *, named: bool = False) -> None:
        self.kind = kind
        self.given = given
        self.known = [str(name) for name in known]
        if given is None:
            super().__init__(f"there is no {kind}")
            return
        listed = ", ".join(self.known[: 50 if named else 20]) or "none"
        near = guess(given, self.known) if named else ""
        super().__init__(f"there is no {kind} {shorten(given)}; {near}known: {listed}")


class ConflictError(InputError):
    """The operation collides with something that exists."""


class Withheld:
    """The value in an error in place of a secret."""

    def __repr__(self) -> str:
        return "what was given (it is not shown)"


def guess(name: object, known: Sequence[str]) -> str:
    """Return "did you mean …? " with the nearest known name; an empty text where none is near."""
    near = difflib.get_close_matches(str(name).lower(), known, n=1)  # a YAML key may be a number
    return f"did you mean {near[0]!r}? " if near else ""


def did_you_mean(name: object, known: Iterable[str]) -> str:
    """Return how a message about an unknown name ends: the nearest of the known ones, and the first hundred."""
    names = list(islice(known, 100))
    return f"{guess(name, names)}known: {', '.join(names) or 'none'}"


def shorten(value: object, limit: int = 80) -> str:
    """Return ``repr(value)``, cut to ``limit`` characters, for use in a message."""
    return cut(repr(value), limit)


def cut(text: str, limit: int) -> str:
    """Return a text of at most ``limit`` characters; an ellipsis ends one that was longer."""
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


# --- refusals of the emulated platform ------------------------------------------------------------------------------


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
    ``number``, ``string``, ``boolean``, ``array``, ``json`` or ``schema`` (a rule of a hand-written JSON Schema, named
    by ``detail``).
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
