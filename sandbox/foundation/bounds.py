"""The numbers that a saved state may hold, as types that msgspec checks."""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta

MAX_INTEGER: Final = 2**63 - 1
Count = Annotated[int, Meta(ge=0, le=MAX_INTEGER)]
Number = Annotated[int, Meta(ge=1, le=MAX_INTEGER)]
Seconds = Annotated[float, Meta(ge=-1_000_000_000, le=250_000_000_000)]  # 1938 to 9892
