"""The client under test: a command, in a process group of its own, or a function of this process."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import IO, TYPE_CHECKING, Final, TypeAlias

from sandbox.foundation.environment import without_proxy
from sandbox.foundation.errors import InvalidValueError
from sandbox.foundation.real_time import monotonic, wall_time
from sandbox.testing.certify.run import STUCK, Outcome

if TYPE_CHECKING:
    from sandbox.testing.handle import Patchworks

OUTPUT_BYTES: Final = 16_384
"""Bytes of the output that are kept: its end."""

_LOOPBACK: Final = ("127.0.0.1", "localhost")
_PIECE: Final = 65_536
_POLITE_S: Final = 2.0
"""Seconds between SIGTERM and SIGKILL."""

_CHILDREN_S: Final = 5.0
"""Seconds for which children may work on after the command itself has ended."""

_POLL_S: Final = 0.02


IsEnough = Callable[[], bool]


class Command:
    """A command and its arguments. Raise ``InvalidValueError`` where it cannot be run.

    It gets no input. The end of its output is kept. At its time-out the whole process group gets SIGTERM, and two
    seconds later SIGKILL; so do children that work on for more than five seconds after the command has ended.
    """

    is_stuck: Final = False
    """Whether an earlier run still goes on; never, as a process can be killed."""

    def __init__(self, argv: Sequence[str]) -> None:
        self._argv = list(argv)
        self.name = shlex.join(argv)

    def run(
        self, sandbox: Patchworks, environment: Mapping[str, str], timeout_s: float, is_enough: IsEnough = lambda: False
    ) -> Outcome:
        """Run it until it ends, ``timeout_s`` real seconds are over, or ``is_enough``, which is asked often."""
        began = monotonic()
        process = self._started(environment)
        output = _Tail(process.stdout)
        stopped_at: float | None = None
        try:
            _eventually(lambda: process.poll() is not None or is_enough(), timeout_s)
            if process.poll() is None:
                stopped_at = wall_time()
            else:
                left = max(0.0, timeout_s - (monotonic() - began))
                _eventually(lambda: not _has_members(process.pid), min(_CHILDREN_S, left))
            seconds = monotonic() - began
        finally:
            _stop(process)
        code = process.returncode if stopped_at is None else None
        return Outcome(code, seconds, output.text(), stopped_at)

    def _started(self, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
        try:
            return subprocess.Popen(  # noqa: S603 - the user's own command
                self._argv,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env={**os.environ, **without_proxy(_LOOPBACK), **environment},
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or str(error)
            allowed = f"a program that can be run, with its arguments ({why}); look at its path and its permissions"
            raise InvalidValueError("COMMAND", self._argv[0], allowed) from None


class _Tail:
    """Reads the output of a process in a thread of its own, so that no amount of it stops the process."""

    def __init__(self, stream: IO[bytes] | None) -> None:
        assert stream is not None
        self._stream = stream
        self._end = b""
        self._thread = threading.Thread(target=self._read, name="output", daemon=True)
        self._thread.start()

    def _read(self) -> None:
        with self._stream, suppress(OSError, ValueError):
            while piece := os.read(self._stream.fileno(), _PIECE):
                self._end = (self._end + piece)[-OUTPUT_BYTES:]

    def text(self) -> str:
        """Return the end of the output; a process outside the group may still hold the pipe."""
        self._thread.join(_POLITE_S)
        return self._end.decode("utf-8", "replace")


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End a process and its group."""
    for number in (signal.SIGTERM, getattr(signal, "SIGKILL", signal.SIGTERM)):
        _signal(process, number)
        if _eventually(lambda: process.poll() is not None and not _has_members(process.pid), _POLITE_S):
            return


def _signal(process: subprocess.Popen[bytes], number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, number)
        else:  # Windows
            process.kill()


def _has_members(group: int) -> bool:
    if not hasattr(os, "killpg"):
        return False
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # macOS, of a group of zombies
        return False
    return True


def _eventually(is_so: Callable[[], bool], seconds: float) -> bool:
    """Wait for a condition that has no signal; return whether it came."""
    deadline, never = monotonic() + seconds, threading.Event()
    while not is_so():
        if monotonic() >= deadline:
            return False
        never.wait(_POLL_S)
    return True


class Function:
    """A function of this process, which gets the handle of the sandbox.

    An exception is exit code 1, and so is any number but 0 that it returns. A function that does not end in time goes
    on in its thread, and ``is_stuck`` then: no thread can be killed.
    """

    def __init__(self, call: Callable[[Patchworks], object]) -> None:
        self._call = call
        self.name = str(getattr(call, "__qualname__", None) or type(call).__name__)
        self._thread: threading.Thread | None = None

    @property
    def is_stuck(self) -> bool:
        """Whether an earlier run still goes on, so that another would not be judged by its own requests."""
        if self._thread is not None:
            self._thread.join(_POLITE_S)
        return self._thread is not None and self._thread.is_alive()

    def run(
        self, sandbox: Patchworks, environment: Mapping[str, str], timeout_s: float, is_enough: IsEnough = lambda: False
    ) -> Outcome:
        """Call it, and wait until it ends, ``timeout_s`` real seconds are over, or ``is_enough``."""
        ended: list[tuple[int, str]] = []
        if self.is_stuck:
            return Outcome(None, 0.0, STUCK, wall_time())

        def call() -> None:
            try:
                returned = self._call(sandbox)
            except (Exception, SystemExit) as error:  # noqa: BLE001 - it is the client's code
                code = error.code if isinstance(error, SystemExit) else 1
                is_good = code in (0, None)
                ended.append((0 if is_good else 1, "" if is_good else f"{type(error).__name__}: {error}"))
            else:
                is_failure = isinstance(returned, int) and not isinstance(returned, bool) and returned != 0
                ended.append((1 if is_failure else 0, ""))

        began = monotonic()
        thread = self._thread = threading.Thread(target=call, name="client", daemon=True)
        thread.start()
        _eventually(lambda: not thread.is_alive() or is_enough(), timeout_s)
        seconds = monotonic() - began
        if not ended:
            stopped_at = wall_time()
            return Outcome(None, seconds, "", stopped_at)
        return Outcome(ended[0][0], seconds, ended[0][1])


Client: TypeAlias = Command | Function
"""A client that can be run; its name is for reports."""
