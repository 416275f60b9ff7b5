"""The part of the pytest plugin that fails or reports tests whose requests do not conform to the published contract.

The mode of a test is that of its marker, of ``--patchworks-contract``, or of the ini option ``patchworks_contract``,
in this order.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import pytest

from sandbox.foundation.errors import SandboxError
from sandbox.testing.contract import read_codes

if TYPE_CHECKING:
    from sandbox.testing.handle import Patchworks

HANDLES: Final[pytest.StashKey[list[Patchworks]]] = pytest.StashKey()
"""The handles of the sandboxes that a test uses."""

OF_SESSION: Final[pytest.StashKey[Patchworks]] = pytest.StashKey()
"""The handle that wider scopes use, of the whole session."""

MODES: Final = ("fail", "report", "off")
_PROBLEM: Final = pytest.StashKey[str]()
_OVER: Final = pytest.StashKey[int]()
"""The number of the last request to the session's sandbox in the tests that are over."""

REPORTED: Final = "patchworks_contract"
"""Attribute of a test's report with what was found; xdist carries it to the terminal."""


def judge(item: pytest.Item) -> None:
    """Hold the requests of a test that has passed against the contract."""
    handles = handles_of(item)
    if handles and (mode := contract_mode(item)) != "off":
        allow = read_codes(_of_marker(item, "allow", ())) | read_codes(item.config.getini("patchworks_contract_allow"))
        over = 0 if HANDLES in item.stash else item.config.stash.get(_OVER, 0)
        after = over if over <= handles[0].backend.journal.last_seq else 0  # a reset begins at 1 again
        # Of several, one may stay unused; that of the session may have been used by a fixture.
        is_used = HANDLES not in item.stash or any(len(handle.requests) for handle in handles)
        at_least = 0 if is_used else 1
        found = (handle.contract_problem(at_least=at_least, allow=allow, after=after) for handle in handles)
        problems = [problem for problem in found if problem is not None]
        if problems and mode == "fail":
            pytest.fail("\n".join(problems), pytrace=False)
        item.stash[_PROBLEM] = "\n".join(problems)


def forget(item: pytest.Item) -> None:
    """Forget the handles of a test that is over, which may run again, and the requests to that of the session."""
    if HANDLES in item.stash:
        del item.stash[HANDLES]
    elif contract_mode(item) != "off":
        for handle in handles_of(item):
            with suppress(SandboxError):
                item.config.stash[_OVER] = handle.backend.journal.last_seq


def handles_of(item: pytest.Item) -> list[Patchworks]:
    """Return the handles of a test: its own, or that of the session if it uses no other."""
    uses_session = "patchworks_session" in getattr(item, "fixturenames", ()) and OF_SESSION in item.config.stash
    return item.stash.get(HANDLES, [item.config.stash[OF_SESSION]] if uses_session else [])


def contract_mode(item: pytest.Item) -> str:
    """Return how contract violations count in a test: ``fail``, ``report`` or ``off``."""
    of_session = item.config.getoption("--patchworks-contract") or item.config.getini("patchworks_contract")
    mode: str = _of_marker(item, "contract", None) or of_session
    return mode


def shows_violations(item: pytest.Item, call: pytest.CallInfo[None]) -> bool:
    """Return whether the requests of a failed test are shown with their violations."""
    if contract_mode(item) != "off":
        return True
    return call.excinfo is not None and type(call.excinfo.value).__name__ == "NotConformingError"


def _of_marker(item: pytest.Item, name: str, default: Any) -> Any:
    found = (marker.kwargs[name] for marker in item.iter_markers("patchworks") if name in marker.kwargs)
    return next(found, default)


def note(report: pytest.TestReport, item: pytest.Item) -> None:
    """Put what was found into the report of a test, so that it reaches the terminal from each worker."""
    if problem := item.stash.get(_PROBLEM, ""):
        setattr(report, REPORTED, problem)
