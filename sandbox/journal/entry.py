"""A request in the journal: an ``Exchange`` while it is served, a frozen ``Entry`` after that."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, TypeAlias, get_args

import msgspec
from msgspec import Meta, Struct

from sandbox.foundation.answer import Headers
from sandbox.foundation.bounds import Count, Number, Seconds
from sandbox.foundation.json_value import JsonValue
from sandbox.foundation.real_time import perf_counter
from sandbox.foundation.strict_json import NotJsonError, parse_json
from sandbox.journal.endpoint_kind import ISSUERS, KINDS, OTHER
from sandbox.journal.request import Request


class TokenLink(Struct, frozen=True, gc=False):
    """The token that a request came with or got, without the token itself.

    ``request`` is the sequence number of the token request that issued it. Times are Unix seconds on the sandbox clock.
    """

    fingerprint: str
    request: Count | None
    issued_at: Seconds
    expires_at: Seconds

    def note(self, at: float) -> str:
        """Return the origin, and by how much the token was late: ``token of request 12, expired 4 s before``."""
        origin = "a token of an unknown request" if self.request is None else f"token of request {self.request}"
        late = seconds(round(at - self.expires_at, 3))
        return origin if at < self.expires_at else f"{origin}, expired {late} s before"


def seconds(amount: float) -> str:
    """Return seconds as a person writes them, to the microsecond."""
    return f"{amount:.6f}".rstrip("0").rstrip(".")


Kind: TypeAlias = str
"""The name of an endpoint, or ``OTHER``."""
Outcome = Literal["accepted", "rejected", "faulted"]
OUTCOMES: Final[tuple[Outcome, ...]] = get_args(Outcome)
INSTANT: Final = "instant"
Instant: TypeAlias = Annotated[Seconds, INSTANT]
"""Unix seconds that JSON for people shows as a date and time."""


class Exchange(Struct, eq=False):
    """A request that is being served, and the notes that its entry will hold.

    ``received_at`` is Unix seconds on the sandbox clock, ``wall_time`` on the machine's.
    """

    request: Request
    received_at: float
    wall_time: float
    started: float = msgspec.field(default_factory=perf_counter)
    kind: Kind = OTHER
    subject: Mapping[str, str] = msgspec.field(default_factory=dict)
    """The values in the path of the endpoint, such as the company."""
    client_id: str | None = None
    reason: str | None = None
    act: object = None
    """The act of the fault that acts on the request, if there is one: a ``sandbox.faults.fault.Act``."""
    fault: str | None = None
    effect: str | None = None
    delay_ms: float = 0.0
    """The time that the fault adds until the client has the whole answer."""
    accepted: bool = False
    token: TokenLink | None = None
    """The token that came with the request or was issued to it."""
    structured: bool = False
    """Whether the service takes JSON only, because its entity has a structure."""
    rate: tuple[int, int] | None = None
    """The limit of the throttle and the requests that are left."""
    reads_query: bool = False
    """Whether its fields are in the query: a GET, or a POST that asks to be taken for one."""
    failure: Exception | None = None
    """The defect of the sandbox that kept it from an answer."""
    credentials: tuple[str, str] | None = None
    """The value of the Authorization header and what the journal shows in its place, where that is known already."""

    def __repr__(self) -> str:
        return f"Exchange({self.request!r}, kind={self.kind!r})"

    @property
    def issued(self) -> TokenLink | None:
        """The token that was issued to the request; its link in the entry gets the number of the entry."""
        return self.token if self.kind in ISSUERS else None


class Entry(Struct, frozen=True, gc=False, kw_only=True):
    """A journal entry; bodies are byte for byte, in base64.

    This class is the one definition of an entry: `sandbox.journal.form` derives from it the JSON of the control API,
    the entries of a saved state and the schema of both. A field that may be absent from older documents has a default.
    """

    journal: str
    seq: Annotated[Number, Meta(description="Counts entries, without gaps.")]
    kind: Annotated[Kind, Meta(extra_json_schema={"enum": list(KINDS)})]
    received_at: Annotated[Instant, Meta(description="On the sandbox clock.")]
    wall_time: Annotated[Instant, Meta(description="On the machine's clock.")]
    duration_ms: float
    method: str
    path: str
    query: str
    headers: Headers
    body_size: Annotated[Count, Meta(description="Bytes received or announced.")]
    body: bytes
    client_id: str | None
    subject: Mapping[str, str]
    """The values in the path of the endpoint by name, such as the company."""
    outcome: Outcome
    accepted: Annotated[
        bool, Meta(description="Whether what it asked for was done, also where a fault hid that from the client.")
    ]
    reason: str | None
    status: Annotated[int, Meta(ge=0, le=999, description="Of the answer; 0 where a fault let none through.")]
    fault: Annotated[str | None, Meta(description="Name or id of the fault rule that acted.")]
    effect: Annotated[str | None, Meta(description="What the fault made the client see.")]
    delay_ms: Annotated[
        float, Meta(description="What the fault added to `duration_ms` until the client had the whole answer.")
    ] = 0.0
    closed_after_ms: Annotated[
        float | None, Meta(description="When the client hung up before it had the whole answer; null where it did not.")
    ] = None
    token: TokenLink | None
    """The token that came with the request, if it was issued here; of a token request, the token that was issued."""
    structured: Annotated[
        bool, Meta(description="Whether the service took JSON only then, because its entity had a structure.")
    ] = False
    response_headers: Headers
    response_body: bytes

    def __hash__(self) -> int:
        return hash((self.journal, self.seq))

    @property
    def company(self) -> str | None:
        """The company in the path."""
        return self.subject.get("company")

    @property
    def vanity_url(self) -> str | None:
        """The vanity URL in the path."""
        return self.subject.get("vanity_url")

    @property
    def flow(self) -> str | None:
        """The name of the process flow."""
        return self.subject.get("flow")

    @property
    def target(self) -> tuple[str | None, str | None, str | None]:
        """The service or the flow that its payload is for."""
        return self.company, self.vanity_url, self.flow

    @property
    def hook(self) -> str | None:
        """The id of the webhook or callback."""
        return self.subject.get("hook")

    @property
    def run(self) -> str | None:
        """The id of the run that it began, where it was accepted."""
        return self.subject.get("run")

    @property
    def id(self) -> str:
        """The id, which no other entry of the sandbox has."""
        return f"{self.journal}-{self.seq}"

    @property
    def answered_ms(self) -> float:
        """Milliseconds until the client had the whole answer, with the delay of a fault, or until it hung up."""
        return round(self.duration_ms + self.delay_ms, 3) if self.closed_after_ms is None else self.closed_after_ms

    @property
    def fault_kind(self) -> str | None:
        """The kind of the fault that acted."""
        return self.effect and self.effect.partition(":")[0]

    @property
    def token_fingerprint(self) -> str | None:
        """The fingerprint of its token."""
        return None if self.token is None else self.token.fingerprint

    @property
    def token_note(self) -> str | None:
        """The origin of its token, and by how much that was late: ``token of request 12, expired 4 s before``."""
        return None if self.token is None else self.token.note(self.received_at)

    def header(self, name: str) -> str | None:
        """Return the value of a request header, the last one if it is repeated; case does not matter."""
        return next((value for key, value in reversed(self.headers) if key.lower() == name.lower()), None)

    @property
    def json(self) -> Any:
        """The body parsed as JSON, at each call again; ``None`` when it is not JSON.

        Its type is for the test to know, as with ``requests``' ``json()``.
        """
        try:
            return parse_json(self.body)
        except NotJsonError:
            return None

    @property
    def as_stored(self) -> JsonValue:
        """The payload as the platform probably stores it; the body is the bytes that came."""
        from sandbox.journal.sent_input import as_stored  # few ask for it

        return as_stored(self.query, self.header("Content-Type") or "", self.body)

    @property
    def text(self) -> str | None:
        """The body as text, or ``None`` when it is not UTF-8."""
        try:
            return self.body.decode("utf-8")
        except UnicodeDecodeError:
            return None
