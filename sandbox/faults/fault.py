"""What every kind of fault has in common."""

from __future__ import annotations

from typing import Any, ClassVar, Final, Literal

from sandbox.foundation.fields import Described

Endpoint = Literal["any", "token", "inbound"]

Handling = Literal["skipped", "rehearsed", "done"]
"""What becomes of the request itself.

``skipped``: it is not handled, unless the rule says ``accept``. ``rehearsed``: it is, because its answer is needed,
but what it asks for is done only where the rule says ``accept``. ``done``: it is handled as ever, and only what the
client gets to see of it changes.
"""

COMPONENTS: Final = "#/components/schemas/"
"""Where the schemas of an OpenAPI document stand."""

EVERYWHERE: Final[tuple[Endpoint, ...]] = ("token", "inbound", "any")


class Fault(Described):
    """A way to fail. Each kind is a frozen dataclass; its docstring is its documentation."""

    __slots__ = ()

    kind: ClassVar[str]
    handling: ClassVar[Handling] = "skipped"
    endpoints: ClassVar[tuple[Endpoint, ...]] = EVERYWHERE
    """Where it makes sense; a rule for another endpoint is refused, one for *any* acts there only."""

    def document(self) -> dict[str, Any]:
        """Return the fault as plain data."""
        return {"kind": self.kind, **super().document()}
