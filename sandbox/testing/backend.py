"""The seam between a test's handle and the sandbox, which is in this process, behind a URL or shared with others."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import KW_ONLY, dataclass, field
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

    from sandbox.journal.assertions.verify import EntrySource
    from sandbox.journal.assertions.view import JournalRecorder
    from sandbox.state.sandbox import Sandbox
    from sandbox.testing.tenant.ownership import Ownership

T = TypeVar("T")


@dataclass(frozen=True)
class Verb(Generic[T]):
    """One act upon a sandbox, with its arguments: a request of the control API and what does the same here."""

    route: str
    """Method and path of the control API: ``POST /clock/advance``; empty where it has none."""
    here: Callable[[Sandbox], T]
    """Performs it on a sandbox of this process."""
    read: Callable[[Any], T]
    """Makes the value of the control API's answer; of a verb with ``more``, of the list of all pages."""
    body: Mapping[str, Any] | None = None
    _: KW_ONLY
    query: Mapping[str, object] = field(default_factory=dict)
    owned: Callable[[Backend, Ownership], object] | None = None
    """Raises ``NotFoundError`` unless a company that shares a sandbox has the thing that the verb acts upon."""
    isolated: Callable[[Backend, Ownership], T] | str | None = None
    """How such a company performs it.

    Like everybody (``None``), by verbs of its parent, or not at all: the text names what would disturb the others.
    """
    more: Callable[[list[Any]], Mapping[str, object] | None] | None = None
    """Returns the query of the next page, given the pages read so far; ``None`` after the last."""
    longer_s: float = 0.0
    """Seconds more than usual that the answer may take."""
    kept_clients: Callable[[T], Collection[str]] | None = None
    """Of a verb that replaces everything: returns the ids of the OAuth clients whose secrets stay."""
    empties_journal: bool = False
    """Whether it empties the journal; a company that shares the sandbox then no longer sees what came before."""
    only_here: str = ""
    """Of a verb without a route: why there is none."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """The OAuth client with which an integration gets its tokens."""

    client_id: str
    client_secret: str = field(repr=False)


class Place(Protocol):
    """The sandbox as clients reach it. Where it is not of this process, the last two raise ``NotInProcessError``."""

    @property
    def base_url(self) -> str:
        """Base URL, without a trailing slash."""

    @property
    def known_url(self) -> str | None:
        """The same; ``None`` where no port is open, as no URL was asked for yet."""

    @property
    def app(self) -> WSGIApplication:
        """The WSGI application."""

    def served_by_tls(self, context: ssl.SSLContext) -> AbstractContextManager[int]:
        """Serve the sandbox over TLS too, on a port of loopback."""


class Backend(Protocol):
    """A running sandbox, or a part of one: its place, its journal, and ``do``, which performs a verb of the table."""

    @property
    def place(self) -> Place:
        """The sandbox as clients reach it."""

    @property
    def sandbox(self) -> Sandbox:
        """The sandbox itself; raise ``NotInProcessError`` where it is not of this process."""

    @property
    def company(self) -> str:
        """Slug of the company that is meant where none is named; raise ``NotFoundError``."""

    @property
    def credentials(self) -> Credentials:
        """An OAuth client of that company; raise ``NotFoundError``."""

    @property
    def known_credentials(self) -> Sequence[Credentials]:
        """The OAuth clients whose secrets are known here, of this company or others."""

    @property
    def journal(self) -> EntrySource:
        """The journal as it is now; a reset puts another in its place."""

    @property
    def recorder(self) -> JournalRecorder:
        """Answers questions about the journal as it is at each moment."""

    def do(self, verb: Verb[T]) -> T:
        """Perform a verb of the table."""
