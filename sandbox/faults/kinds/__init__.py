"""The kinds of faults that can happen to one request, a module each, in the order of the documents.

To add a kind, write its module and put its line into this list. Its class then is in ``SINGLE_KINDS``; its function is
public in ``sandbox.faults``.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from sandbox.faults.fault import Fault

# isort: off
from sandbox.faults.kinds.status import *
from sandbox.faults.kinds.rate_limit import *
from sandbox.faults.kinds.maintenance import *
from sandbox.faults.kinds.latency import *
from sandbox.faults.kinds.slow_body import *
from sandbox.faults.kinds.hang import *
from sandbox.faults.kinds.connection_reset import *
from sandbox.faults.kinds.empty_response import *
from sandbox.faults.kinds.garbage_response import *
from sandbox.faults.kinds.truncated_body import *
from sandbox.faults.kinds.malformed_json import *
from sandbox.faults.kinds.expired_token import *
from sandbox.faults.kinds.bad_signature_token import *
from sandbox.faults.kinds.short_lived_token import *
from sandbox.faults.kinds.token_response import *
from sandbox.faults.kinds.revoked_token import *
from sandbox.faults.kinds.rotated_key import *
# isort: on

SINGLE_KINDS: Final[Mapping[str, type[Fault]]] = MappingProxyType(
    {
        known.kind: known
        for known in list(globals().values())
        if isinstance(known, type) and issubclass(known, Fault) and known is not Fault
    }
)
"""Every kind above by its name."""
