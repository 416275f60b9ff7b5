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
    ├── RefusalError                   the emulated platform refuses a request: ``sandbox.foundation.refusals``
    └── InputError                     an input of the sandbox itself is wrong
        ├── InvalidValueError          a value is not allowed            (control API: 422)
        │   ├── MissingValueError      a field that must be given is missing
        │   ├── SettingError           … of a setting
        │   │   └── UnknownSettingError    that does not exist
        │   └── UnknownNameError       … of a field or an argument that does not exist
        ├── DocumentError              a YAML file cannot be used; with file and line
        │   └── SeedError              … as a seed
        ├── NotFoundError              there is no such thing            (control API: 404)
        └── ConflictError              it exists already, or is in use   (control API: 409)

The message of an ``InputError`` says what was given, what is allowed and what to do.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import ClassVar, Literal


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
    """A field holds a value that is not allowed; ``code`` is how it is wrong."""

    code: ClassVar[Literal["not_allowed", "missing", "unknown"]] = "not_allowed"

    def __init__(self, field: str, given: object, allowed: str) -> None:
        self.field = field
        self.given = given
        self.allowed = allowed
        super().__init__(f"{field}: {shorten(given)} is not allowed; use {allowed}")

    @property
    def problem(self) -> str:
        """The message without the field."""
        return str(self).removeprefix(f"{self.field}: ")

    def at(self, field: str, given: object = None) -> InvalidValueError:
        """Return the same error about another field, for a document that holds this one; ``given`` may be withheld."""
        return InvalidValueError(field, self.given if given is None else given, self.allowed)


class MissingValueError(InvalidValueError):
    """A field that must be given is missing."""

    code = "missing"

    def __init__(self, field: str, allowed: str) -> None:
        super().__init__(field, None, allowed)
        self.args = (f"{field}: missing; give {allowed}",)

    def at(self, field: str, given: object = None) -> InvalidValueError:
        """Return the same error about another field."""
        return MissingValueError(field, self.allowed)


class SettingError(InvalidValueError):
    """A setting holds a value that is not allowed, or may not change now."""


class UnknownSettingError(SettingError):
    """There is no such setting; ``allowed`` holds the nearest name and those that are known."""

    code = "unknown"

    def __init__(self, field: str, given: object, allowed: str) -> None:
        super().__init__(field, given, allowed)
        self.args = (f"{field}: there is no such setting; {allowed}",)

    def at(self, field: str, given: object = None) -> InvalidValueError:
        """Return the same error about another field."""
        return UnknownSettingError(field, self.given if given is None else given, self.allowed)


class UnknownNameError(InvalidValueError):
    """There is no field or argument of this name; ``allowed`` holds the nearest name and those that are known."""

    code = "unknown"

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

    @property
    def texts(self) -> list[str]:
        """The problems, each without the file, of a document without lines."""
        return [text.removeprefix(f"{self.file}: ") for text in self.message.split("\n")]


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


def any_of(values: Iterable[str]) -> str:
    """Return how a message lists the allowed words: ``a, b or c``."""
    *most, last = values
    return f"{', '.join(most)} or {last}" if most else last


def shorten(value: object, limit: int = 80) -> str:
    """Return ``repr(value)``, cut to ``limit`` characters, for use in a message."""
    return cut(repr(value), limit)


def cut(text: str, limit: int) -> str:
    """Return a text of at most ``limit`` characters; an ellipsis ends one that was longer."""
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
