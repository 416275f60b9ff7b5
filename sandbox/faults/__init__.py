"""Failure on demand: the kinds of faults, rules that say when they happen, and the book of the rules in force."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.faults.book import FaultBook as FaultBook
from sandbox.faults.book import RuleState as RuleState
from sandbox.faults.fault import Act as Act
from sandbox.faults.fault import Fault as Fault
from sandbox.faults.kinds import *
from sandbox.faults.rules import FaultRule as FaultRule
from sandbox.faults.rules import Match as Match
from sandbox.faults.rules import make_rule as make_rule
from sandbox.faults.rules import read_rule as read_rule
from sandbox.faults.sequence import KINDS as KINDS
from sandbox.faults.sequence import PASS as PASS
from sandbox.faults.sequence import read_fault as read_fault
from sandbox.faults.sequence import sequence as sequence

if not TYPE_CHECKING:  # a type checker follows the imports above
    __all__ = ["PASS", "Act", "Fault", "FaultBook", "FaultRule", "Match", "RuleState"]
    __all__ += ["KINDS", "make_rule", "read_fault", "read_rule"]
    __all__ += list(KINDS)
