"""The kinds of faults that can happen to one request or item, in the order of the documents; alike ones in a module.

To add a kind, write its class and its function in the module of its like, and put its line into this list. The class
then is in ``SINGLE_KINDS``; the function is public in ``sandbox.faults``.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from sandbox.faults.fault import Fault

# isort: off
from sandbox.faults.kinds.answers import Status, status as status
from sandbox.faults.kinds.answers import RateLimit, rate_limit as rate_limit
from sandbox.faults.kinds.answers import Maintenance, maintenance as maintenance
from sandbox.faults.kinds.delivery import Latency, latency as latency
from sandbox.faults.kinds.delivery import SlowBody, slow_body as slow_body
from sandbox.faults.kinds.delivery import Relayed, relayed as relayed
from sandbox.faults.kinds.broken import Hang, hang as hang
from sandbox.faults.kinds.broken import ConnectionReset, connection_reset as connection_reset
from sandbox.faults.kinds.broken import EmptyResponse, empty_response as empty_response
from sandbox.faults.kinds.broken import GarbageResponse, garbage_response as garbage_response
from sandbox.faults.kinds.broken import TruncatedBody, truncated_body as truncated_body
from sandbox.faults.kinds.broken import MalformedJson, malformed_json as malformed_json
from sandbox.faults.kinds.tokens import ExpiredToken, expired_token as expired_token
from sandbox.faults.kinds.tokens import BadSignatureToken, bad_signature_token as bad_signature_token
from sandbox.faults.kinds.tokens import ShortLivedToken, short_lived_token as short_lived_token
from sandbox.faults.kinds.tokens import TokenResponse, token_response as token_response
from sandbox.faults.kinds.tokens import RevokedToken, revoked_token as revoked_token
from sandbox.faults.kinds.tokens import RotatedKey, rotated_key as rotated_key
from sandbox.faults.kinds.items import Failed, failed as failed
from sandbox.faults.kinds.items import Pending, pending as pending
from sandbox.faults.kinds.items import Sent, sent as sent
# isort: on

SINGLE_KINDS: Final[Mapping[str, type[Fault]]] = MappingProxyType(
    {
        known.kind: known
        for known in list(globals().values())
        if isinstance(known, type) and issubclass(known, Fault) and known is not Fault
    }
)
"""Every kind above by its name."""
