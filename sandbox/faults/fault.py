"""A kind of fault, with the hooks in which it does its work, and an ``Act``: a fault that acts on one request.

The platform calls the hooks and knows no kind by name. A kind overrides those that it needs; the others change nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Literal, NamedTuple, TypeAlias

from sandbox.faults.effects import Cancellation, Effect
from sandbox.foundation.answer import Answer
from sandbox.foundation.fields import Described
from sandbox.foundation.refusals import FaultedError, RefusalError
from sandbox.journal.endpoint_kind import ENDPOINTS, EndpointKind

Handling = Literal["skipped", "rehearsed", "done"]
"""The fate of the request itself.

``skipped``: it is not handled, unless the rule says ``accept``. ``rehearsed``: it is handled, because the fault needs
its answer, but what it asks for is done only if the rule says ``accept``. ``done``: it is handled as without a fault,
and the fault changes only what the client receives.
"""

Trait = Literal["issues_tokens", "takes_bearer"]
"""A trait of an ``EndpointKind``."""

Rate: TypeAlias = tuple[int, int]
"""The limit of the throttle and the requests that are left, which the X-RateLimit headers show."""

PROCESSING: Final = EndpointKind(
    "processing",
    requests="items in processing",
    accepted="The item was synced.",
    subject=("company", "vanity_url", "flow", "reference"),
)
"""The stage in which a service or a flow processes accepted payloads; rules name it like an endpoint."""

STAGES: Final = (*ENDPOINTS, PROCESSING)
"""Everything that a rule can name as its endpoint."""


def stage_of(name: str) -> EndpointKind | None:
    """Return the stage of that name; ``None`` for any other."""
    return next((stage for stage in STAGES if stage.name == name), None)


COMPONENTS: Final = "#/components/schemas/"
"""Where an OpenAPI document has its schemas."""

DEFAULT_RETRY_AFTER_S: Final = 60
"""``Retry-After`` in seconds where neither the fault nor the end of its rule gives another."""


@dataclass(frozen=True, slots=True)
class TokenTerms:
    """The terms on which a token is issued; ``start`` is Unix seconds on the sandbox clock."""

    start: float
    lifetime_s: int
    trusted_key: bool = True
    """Whether the key in use signs it, or one that is never in use."""


class Spoiled(NamedTuple):
    """The credentials that a fault spoils, and the reason why they are refused from now on."""

    whose: Literal["request", "client", "all", "key"]
    """The token of the request, the tokens of its OAuth client, all tokens, or all by a new signing key."""
    reason: str


class Fault(Described):
    """A way to fail. Each kind is a frozen dataclass; its docstring is its documentation."""

    __slots__ = ()

    kind: ClassVar[str]
    handling: ClassVar[Handling] = "skipped"
    needs: ClassVar[tuple[Trait, ...]] = ()
    """An endpoint must have one of these traits. Without any the fault happens at every path, known or not."""
    processes: ClassVar[bool] = False
    """Whether it acts on items in processing, and on no request."""
    makes_key: ClassVar[bool] = False
    """Whether the request on which the fault acts may have to wait until a key is made."""

    @classmethod
    def happens_at(cls, endpoint: EndpointKind | None) -> bool:
        """Return whether the fault can happen at an endpoint; ``None`` is a path of no endpoint."""
        if cls.processes or endpoint is PROCESSING:
            return cls.processes and endpoint is PROCESSING
        return not cls.needs or (endpoint is not None and any(getattr(endpoint, trait) for trait in cls.needs))

    def document(self) -> dict[str, Any]:
        """Return the fault as plain data."""
        return {"kind": self.kind, **super().document()}

    # --- hooks ------------------------------------------------------------------------------------------------------

    def token_terms(self, terms: TokenTerms) -> TokenTerms:
        """Return the terms on which the platform issues a token."""
        return terms

    def spoiled(self, act: Act) -> Spoiled | None:
        """Return the tokens that it spoils, which refuses the request with 401, if it spoils any."""
        return None

    def refusal(self, act: Act, now: float) -> RefusalError:
        """Return the refusal in place of the platform's answer; ``now`` is Unix seconds on the sandbox clock.

        The default is for kinds whose ``effect`` leaves nothing of the answer.
        """
        return FaultedError(act.reason, 500)

    def refused_rate(self, rate: Rate | None) -> Rate | None:
        """Return the rate that the headers of the refusal show; without one they are left out."""
        return rate

    def effect(self, act: Act, answer: Answer) -> Effect:
        """Return what the client is to see in place of ``answer``, the platform's answer or refusal."""
        return answer


@dataclass(frozen=True, slots=True)
class Act:
    """A fault that acts on one request. ``chance`` is drawn evenly from [0, 1), for a fault that needs one."""

    label: str
    """The name of the rule, else its id."""
    fault: Fault
    accept: bool
    chance: float
    window_left: float | None
    """Seconds until the rule's time window is over, if it has an end."""
    cancellation: Cancellation
    accept_encoding: str | None = None
    """The header of that name of the request."""

    @property
    def handles(self) -> bool:
        """Whether the request is handled before the fault happens."""
        return self.accept or self.fault.handling != "skipped"

    @property
    def accepts(self) -> bool:
        """Whether what the request asks for is done."""
        return self.accept or self.fault.handling == "done"

    @property
    def replaces_answer(self) -> bool:
        """Whether the client sees nothing of the platform's answer."""
        return self.fault.handling == "skipped"

    @property
    def reason(self) -> str:
        """The reason of a refusal, for the journal."""
        return f"fault: {self.label}"

    def retry_after(self, given: float | None) -> int:
        """Return ``Retry-After`` in whole seconds: as given, else what is left of the time window, else 60."""
        if given is None:
            given = self.window_left
        return DEFAULT_RETRY_AFTER_S if given is None else max(1, math.ceil(given))
