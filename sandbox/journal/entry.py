"""A request as the journal has it: an ``Exchange`` while it is served, a frozen ``Entry`` once it was answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeAlias

from sandbox.foundation.answer import Headers
from sandbox.foundation.json_value import JsonValue
from sandbox.foundation.real_time import perf_counter
from sandbox.foundation.strict_json import NotJsonError, parse_json
from sandbox.journal.endpoint import OTHER
from sandbox.journal.request import Request


class FaultKind(Protocol):
    """A fault, as far as a journal needs to know it."""

    @property
    def kind(self) -> str:
        """Its name."""


class Act(Protocol):
    """A fault that acts on a request."""

    @property
    def fault(self) -> FaultKind:
        """What happens."""


class Issuance(Protocol):
    """A token that was issued to a request that is still being served."""

    @property
    def link(self) -> TokenLink:
        """The token as the journal knows it."""

    def note_origin(self, request: int) -> None:
        """Note the number of the request's journal entry."""

    def withdraw(self) -> None:
        """Forget the token, because its request was refused after all."""


@dataclass(frozen=True, slots=True)
class TokenLink:
    """An access token as the journal knows it: not the token itself, but where it is from.

    ``request`` is the sequence number of the token request that issued it; times are Unix seconds on the sandbox clock.
    """

    fingerprint: str
    request: int | None
    issued_at: float
    expires_at: float

    def issued_by(self, request: int) -> TokenLink:
        """Return the link with the sequence number of the token request."""
        return TokenLink(self.fingerprint, request, self.issued_at, self.expires_at)

    def note(self, at: float) -> str:
        """Return where it is from and whether it was late: ``token of request 12, expired 4 s before``."""
        origin = "a token of an unknown request" if self.request is None else f"token of request {self.request}"
        late = seconds(round(at - self.expires_at, 3))
        return origin if at < self.expires_at else f"{origin}, expired {late} s before"


def seconds(amount: float) -> str:
    """Return seconds as a person writes them, to the microsecond."""
    return f"{amount:.6f}".rstrip("0").rstrip(".")


Kind: TypeAlias = str
"""The name of an endpoint, or ``OTHER``."""
Outcome = Literal["accepted", "rejected", "faulted"]


@dataclass(slots=True)
class Exchange:
    """A request that is being served, and the notes that its entry will hold.

    ``received_at`` is Unix seconds on the sandbox clock, ``wall_time`` on the machine's.
    """

    request: Request
    received_at: float
    wall_time: float
    started: float = field(default_factory=perf_counter)
    kind: Kind = OTHER
    subject: Mapping[str, str] = field(default_factory=dict)
    """The values in the path of the endpoint, such as the company."""
    client_id: str | None = None
    reason: str | None = None
    act: Act | None = None
    """The fault that acts on the request."""
    fault: str | None = None
    effect: str | None = None
    accepted: bool = False
    token: TokenLink | None = None
    issuance: Issuance | None = None
    """The token that was issued to the request; its link in the entry gets the number of the entry."""
    rate: tuple[int, int] | None = None
    """The limit of the throttle and the requests that are left."""
    misplaced_secret: str | None = field(default=None, repr=False)
    """A client secret that came where none belongs, such as in the client id."""
    failure: Exception | None = field(default=None, repr=False)
    """The defect of the sandbox that kept it from an answer."""

    @property
    def method(self) -> str:
        """The HTTP method."""
        return self.request.method

    @property
    def company(self) -> str | None:
        """The company in the path."""
        return self.subject.get("company")

    @property
    def vanity_url(self) -> str | None:
        """The vanity URL in the path."""
        return self.subject.get("vanity_url")

    def header(self, name: str) -> str | None:
        """Return the value of a request header, the last one if it is repeated; case does not matter."""
        return self.request.header(name)

    def json(self) -> JsonValue:
        """Return the body parsed as JSON; raise ``NotJsonError``."""
        return self.request.json()


@dataclass(frozen=True, slots=True)
class Entry:
    """A request that was answered. Times are Unix seconds: ``received_at`` sandbox, ``wall_time`` machine."""

    journal: str
    """Id of the journal it is in."""
    seq: int
    kind: Kind
    received_at: float
    wall_time: float
    duration_ms: float
    method: str
    path: str
    query: str
    headers: Headers
    body: bytes
    body_size: int
    client_id: str | None
    company: str | None
    vanity_url: str | None
    outcome: Outcome
    accepted: bool
    """Whether what the request asked for was done, also where a fault kept the client from learning it."""
    reason: str | None
    status: int
    """Of the answer; 0 where a fault let none through."""
    fault: str | None
    """The name or id of the rule that acted."""
    effect: str | None
    """What it made the client see."""
    token: TokenLink | None
    """The token it came with, good or not, if it was issued here; of a token request the token it issued."""
    response_headers: Headers
    response_body: bytes
    cost: int
    """About how many bytes it takes."""

    @property
    def id(self) -> str:
        """What it is told by in all journals of a sandbox."""
        return f"{self.journal}-{self.seq}"

    @property
    def token_fingerprint(self) -> str | None:
        """What stands for its token."""
        return None if self.token is None else self.token.fingerprint

    @property
    def token_note(self) -> str | None:
        """Which request its token is from, and by how much it was late: ``token of request 12, expired 4 s before``."""
        return None if self.token is None else self.token.note(self.received_at)

    @property
    def json(self) -> JsonValue:
        """The body parsed as JSON, anew at each call; ``None`` when it is not JSON."""
        try:
            return parse_json(self.body)
        except NotJsonError:
            return None

    @property
    def text(self) -> str | None:
        """The body as text, or ``None`` when it is not UTF-8."""
        try:
            return self.body.decode("utf-8")
        except UnicodeDecodeError:
            return None
