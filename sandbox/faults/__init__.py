"""Failure on demand: the kinds of faults, rules that say when they happen, and the book of the rules in force.

A fault says what is to happen, never how it is brought about: that is the transport's business.
"""

from __future__ import annotations

from sandbox.faults.book import Act, FaultBook, RuleState
from sandbox.faults.fault import Fault
from sandbox.faults.kinds import KINDS
from sandbox.faults.kinds.bad_signature_token import bad_signature_token
from sandbox.faults.kinds.connection_reset import connection_reset
from sandbox.faults.kinds.empty_response import empty_response
from sandbox.faults.kinds.expired_token import expired_token
from sandbox.faults.kinds.garbage_response import garbage_response
from sandbox.faults.kinds.hang import hang
from sandbox.faults.kinds.latency import latency
from sandbox.faults.kinds.maintenance import maintenance
from sandbox.faults.kinds.malformed_json import malformed_json
from sandbox.faults.kinds.rate_limit import rate_limit
from sandbox.faults.kinds.revoked_token import revoked_token
from sandbox.faults.kinds.rotated_key import rotated_key
from sandbox.faults.kinds.sequence import PASS, sequence
from sandbox.faults.kinds.short_lived_token import short_lived_token
from sandbox.faults.kinds.slow_body import slow_body
from sandbox.faults.kinds.status import status
from sandbox.faults.kinds.token_response import token_response
from sandbox.faults.kinds.truncated_body import truncated_body
from sandbox.faults.rules import FaultRule, Match, make_rule, read_fault, read_rule

__all__ = [
    "KINDS",
    "PASS",
    "Act",
    "Fault",
    "FaultBook",
    "FaultRule",
    "Match",
    "RuleState",
    "bad_signature_token",
    "connection_reset",
    "empty_response",
    "expired_token",
    "garbage_response",
    "hang",
    "latency",
    "maintenance",
    "make_rule",
    "malformed_json",
    "rate_limit",
    "read_fault",
    "read_rule",
    "revoked_token",
    "rotated_key",
    "sequence",
    "short_lived_token",
    "slow_body",
    "status",
    "token_response",
    "truncated_body",
]
