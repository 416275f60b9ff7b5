"""Process flows and their runs as frozen values: of a store, of a seed and of a saved state (FLOWS 2 to 6).

A value of a seed has ``None`` where the sandbox generates one. Times are aware UTC datetimes on the sandbox clock;
those of runs are Unix seconds.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final, Literal

from msgspec import Meta, Struct

from sandbox.foundation.bounds import Count, Number, Seconds
from sandbox.platform.model import KeptSecret

Algorithm = Literal["sha256", "ripemd128"]
"""The hash functions of a webhook's HMAC (FLOWS 4)."""

Format = Literal["json", "xml", "txt"]
"""The types of an answer."""

Trigger = Literal["API", "Manual", "Webhook", "Callback", "Retry"]
"""The cause of a run, those that the sandbox has of the documented ones."""

STARTED: Final = 1
SUCCESS: Final = 2
FAILURE: Final = 3
STOPPED: Final = 4
"""The statuses of the Core API that runs of the sandbox have; 5 is partial success."""

STATUSES: Final = {STARTED: "started", SUCCESS: "success", FAILURE: "failure", STOPPED: "stopped"}
"""Their names."""

WEBHOOK_PATH: Final = "/api/v1/{company}/{id}"
"""The path of the URL of a webhook or callback (FLOWS 4)."""

START_PATH: Final = "/api/v1/flows/{id}/start"
"""The path on which the Start API starts a flow (FLOWS 3)."""

ULID: Final = "^[0-9a-hjkmnp-tv-z]{26}$"
_ID: Final = Meta(pattern=ULID)
_SIGNATURE: Final = Meta(pattern="^[A-Za-z0-9._~-]{8,255}$")


class _Discreet(Struct, frozen=True):
    """A value with secrets: its repr shows the first field only."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({getattr(self, self.__struct_fields__[0])!r})"


class Hmac(_Discreet, frozen=True):
    """The signature that a webhook asks for over the body; ``key`` is ``None`` in a state without secrets."""

    algorithm: Algorithm
    key: Annotated[str, Meta(min_length=8, max_length=255)] | None = None


class CustomAnswer(Struct, frozen=True):
    """The answer of a webhook in place of the documented one; a body that is no text is written as JSON."""

    status: Annotated[int, Meta(ge=200, le=599)] = 200
    body: Any = ""
    format: Format = "json"


class Hook(_Discreet, frozen=True):
    """A trigger of a flow by a URL: a webhook or callback."""

    id: Annotated[str, _ID] | None = None
    signature: Annotated[str, _SIGNATURE] | None = None


class Webhook(Hook, frozen=True):
    """A webhook trigger of a flow."""

    hmac: Hmac | None = None
    answer: CustomAnswer | None = None


class Callback(Hook, frozen=True):
    """A callback trigger of a flow; ``returns`` is the data of its answer, ``None`` for the payload itself."""

    returns: Any = None
    format: Format = "json"


class FlowSeed(Struct, frozen=True):
    """A flow of a seed.

    ``versions`` are the ids of its versions, one where there is none. ``deployed`` is the id of one of them, ``True``
    for the last one, ``False`` where none is deployed.
    """

    name: str
    enabled: bool = True
    deployed: int | bool = True
    versions: tuple[Number, ...] = ()
    webhooks: tuple[Webhook, ...] = ()
    callbacks: tuple[Callback, ...] = ()

    @property
    def hooks(self) -> tuple[Hook, ...]:
        """Its webhooks and callbacks."""
        return (*self.webhooks, *self.callbacks)


class ApiKeySeed(_Discreet, frozen=True):
    """An API key of a seed."""

    name: str
    key: str | None = None


class UserSeed(_Discreet, frozen=True):
    """A user of a seed."""

    email: str
    password: str


class Flow(Struct, frozen=True):
    """A process flow of a company."""

    id: Number
    company: str
    name: str
    enabled: bool
    versions: Annotated[tuple[Number, ...], Meta(min_length=1)]
    """The ids of its versions, oldest first; no other flow has one of them."""
    deployed: Number | None
    """The id of the version that is deployed."""
    webhooks: tuple[Webhook, ...]
    callbacks: tuple[Callback, ...]
    created_at: datetime
    updated_at: datetime

    @property
    def current(self) -> int:
        """The id of the version that is deployed, else of the last one."""
        return self.deployed or self.versions[-1]

    @property
    def hooks(self) -> tuple[Hook, ...]:
        """Its webhooks and callbacks."""
        return (*self.webhooks, *self.callbacks)


class ApiKey(Struct, frozen=True):
    """A key of the APIs for process flows, which never expires (FLOWS 2); the key itself is not kept."""

    id: Number
    company: str
    name: str
    secret: KeptSecret | None
    revoked: bool
    created_at: datetime

    @property
    def last_four(self) -> str:
        """The end of its text."""
        return "" if self.secret is None else self.secret.last_four


class User(Struct, frozen=True):
    """A user that may log in; the password itself is not kept."""

    id: Number
    company: str
    email: str
    secret: KeptSecret | None
    created_at: datetime


class LastFlowIds(Struct, frozen=True):
    """The highest numbers given so far, also to what is gone."""

    flow: Count
    version: Count
    api_key: Count
    user: Count


class FlowsSnapshot(Struct, frozen=True):
    """The flows, API keys and users, oldest first."""

    flows: tuple[Flow, ...]
    api_keys: tuple[ApiKey, ...]
    users: tuple[User, ...]
    last_ids: LastFlowIds


class FlowRun(Struct, frozen=True, kw_only=True, gc=False):
    """A run of a flow, begun by a request.

    ``ends_at`` and ``failed`` are its outcome, which is known from the beginning; a run without an end never ends.
    """

    id: str
    number: Count = 0
    """Counts the runs that were accepted; the integer ids of its payload, log and place in the queue are made of it."""
    flow_id: Number
    flow: str
    company: str
    version: Number
    trigger: Trigger
    started_at: Seconds
    environment: str | None = None
    """The virtual environment that the request named."""
    variables: str | None = None
    """The flow variables that the request gave, a JSON object as text."""
    user_id: Number | None = None
    """The user that started it; ``None`` for an API key, a webhook or a callback."""
    entry: str | None = None
    """Id of the journal entry of its request."""
    ends_at: Seconds | None = None
    failed: bool = False
    stopped: bool = False
    """Whether it was taken out of the queue."""
    message: str | None = None
    """The message of its log about the failure."""
    retries: str | None = None
    """Id of the run that it repeats."""

    def status(self, now: float) -> int:
        """Return its status at a time."""
        if self.ends_at is None or now < self.ends_at:
            return STARTED
        if self.stopped:
            return STOPPED
        return FAILURE if self.failed else SUCCESS


class FlowRunsSnapshot(Struct, frozen=True, kw_only=True):
    """Runs. ``read`` is the number of the newest journal entry that was taken."""

    read: Count
    runs: tuple[FlowRun, ...]
    begun: tuple[FlowRun, ...]
    """Those whose journal entry was not taken yet."""
    lost: Annotated[Count, Meta(description="Runs that were dropped before they had a number.")] = 0
