"""The kinds of faults that can happen to one request or item, in the order of the documents; alike ones in a module.

To add a kind, write its class in the module of its like and put it into these lists. It then is in ``SINGLE_KINDS``,
and public in ``sandbox.faults`` by the name that a test calls. A function takes the place of the class where its
arguments differ from the fields.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from sandbox.faults.fault import Fault

# isort: off
from sandbox.faults.kinds.answers import Status, RateLimit, Maintenance, status as status
from sandbox.faults.kinds.delivery import Latency, SlowBody, Relayed, latency as latency, relayed as relayed
from sandbox.faults.kinds.broken import Hang, ConnectionReset, EmptyResponse, GarbageResponse, TruncatedBody
from sandbox.faults.kinds.broken import MalformedJson, garbage_response as garbage_response
from sandbox.faults.kinds.tokens import ExpiredToken, BadSignatureToken, ShortLivedToken, TokenResponse, RevokedToken
from sandbox.faults.kinds.tokens import RotatedKey, token_response as token_response
from sandbox.faults.kinds.items import Failed, Pending, Sent
# isort: on

rate_limit = RateLimit
maintenance = Maintenance
slow_body = SlowBody
hang = Hang
connection_reset = ConnectionReset
empty_response = EmptyResponse
truncated_body = TruncatedBody
malformed_json = MalformedJson
expired_token = ExpiredToken
bad_signature_token = BadSignatureToken
short_lived_token = ShortLivedToken
revoked_token = RevokedToken
rotated_key = RotatedKey
failed = Failed
pending = Pending
sent = Sent

SINGLE_KINDS: Final[Mapping[str, type[Fault]]] = MappingProxyType(
    {
        known.kind: known
        for known in list(globals().values())
        if isinstance(known, type) and issubclass(known, Fault) and known is not Fault
    }
)
"""Every kind above by its name."""
