"""The kinds of faults, a module each. ``AnyFault`` is their closed union, ``KINDS`` finds them by name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, TypeAlias

from sandbox.faults.fault import Fault
from sandbox.faults.kinds.bad_signature_token import BadSignatureToken
from sandbox.faults.kinds.connection_reset import ConnectionReset
from sandbox.faults.kinds.empty_response import EmptyResponse
from sandbox.faults.kinds.expired_token import ExpiredToken
from sandbox.faults.kinds.garbage_response import GarbageResponse
from sandbox.faults.kinds.hang import Hang
from sandbox.faults.kinds.latency import Latency
from sandbox.faults.kinds.maintenance import Maintenance
from sandbox.faults.kinds.malformed_json import MalformedJson
from sandbox.faults.kinds.rate_limit import RateLimit
from sandbox.faults.kinds.revoked_token import RevokedToken
from sandbox.faults.kinds.rotated_key import RotatedKey
from sandbox.faults.kinds.sequence import FaultSequence
from sandbox.faults.kinds.short_lived_token import ShortLivedToken
from sandbox.faults.kinds.slow_body import SlowBody
from sandbox.faults.kinds.status import Status
from sandbox.faults.kinds.token_response import TokenResponse
from sandbox.faults.kinds.truncated_body import TruncatedBody

__all__ = [
    "KINDS",
    "AnyFault",
    "BadSignatureToken",
    "ConnectionReset",
    "EmptyResponse",
    "ExpiredToken",
    "FaultSequence",
    "GarbageResponse",
    "Hang",
    "Latency",
    "Maintenance",
    "MalformedJson",
    "RateLimit",
    "RevokedToken",
    "RotatedKey",
    "ShortLivedToken",
    "SingleFault",
    "SlowBody",
    "Status",
    "TokenResponse",
    "TruncatedBody",
]

SingleFault: TypeAlias = (
    Status
    | Latency
    | ConnectionReset
    | EmptyResponse
    | GarbageResponse
    | TruncatedBody
    | MalformedJson
    | SlowBody
    | Hang
    | RateLimit
    | Maintenance
    | ExpiredToken
    | BadSignatureToken
    | ShortLivedToken
    | TokenResponse
    | RevokedToken
    | RotatedKey
)
"""What can happen to one request."""

AnyFault: TypeAlias = SingleFault | FaultSequence

_ALL: Final[tuple[type[Fault], ...]] = (
    Status,
    RateLimit,
    Maintenance,
    Latency,
    SlowBody,
    Hang,
    ConnectionReset,
    EmptyResponse,
    GarbageResponse,
    TruncatedBody,
    MalformedJson,
    ExpiredToken,
    BadSignatureToken,
    ShortLivedToken,
    TokenResponse,
    RevokedToken,
    RotatedKey,
    FaultSequence,
)

KINDS: Final[Mapping[str, type[Fault]]] = MappingProxyType({cls.kind: cls for cls in _ALL})
"""Every kind by name, in the order in which people should meet them."""
