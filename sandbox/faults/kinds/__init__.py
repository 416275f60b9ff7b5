"""The kinds of faults that can happen to one request or one item, a module each, in the order of the documents.

To add a kind, write its module and put its line into this list. Its class then is in ``SINGLE_KINDS``; its function is
public in ``sandbox.faults``.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from sandbox.faults.fault import Fault

# isort: off
from sandbox.faults.kinds.status import Status, status as status
from sandbox.faults.kinds.rate_limit import RateLimit, rate_limit as rate_limit
from sandbox.faults.kinds.maintenance import Maintenance, maintenance as maintenance
from sandbox.faults.kinds.latency import Latency, latency as latency
from sandbox.faults.kinds.slow_body import SlowBody, slow_body as slow_body
from sandbox.faults.kinds.relayed import Relayed, relayed as relayed
from sandbox.faults.kinds.hang import Hang, hang as hang
from sandbox.faults.kinds.connection_reset import ConnectionReset, connection_reset as connection_reset
from sandbox.faults.kinds.empty_response import EmptyResponse, empty_response as empty_response
from sandbox.faults.kinds.garbage_response import GarbageResponse, garbage_response as garbage_response
from sandbox.faults.kinds.truncated_body import TruncatedBody, truncated_body as truncated_body
from sandbox.faults.kinds.malformed_json import MalformedJson, malformed_json as malformed_json
from sandbox.faults.kinds.expired_token import ExpiredToken, expired_token as expired_token
from sandbox.faults.kinds.bad_signature_token import BadSignatureToken, bad_signature_token as bad_signature_token
from sandbox.faults.kinds.short_lived_token import ShortLivedToken, short_lived_token as short_lived_token
from sandbox.faults.kinds.token_response import TokenResponse, token_response as token_response
from sandbox.faults.kinds.revoked_token import RevokedToken, revoked_token as revoked_token
from sandbox.faults.kinds.rotated_key import RotatedKey, rotated_key as rotated_key
from sandbox.faults.kinds.failed import Failed, failed as failed
from sandbox.faults.kinds.pending import Pending, pending as pending
from sandbox.faults.kinds.sent import Sent, sent as sent
# isort: on

SINGLE_KINDS: Final[Mapping[str, type[Fault]]] = MappingProxyType(
    {
        known.kind: known
        for known in list(globals().values())
        if isinstance(known, type) and issubclass(known, Fault) and known is not Fault
    }
)
"""Every kind above by its name."""
