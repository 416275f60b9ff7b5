"""What a test wishes of its sandbox: the marker ``@pytest.mark.patchworks``, and how it is granted."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from os import PathLike
from typing import TYPE_CHECKING, Any, Literal

from sandbox.faults.fault import Fault
from sandbox.foundation.errors import InvalidValueError
from sandbox.foundation.settings import setting_specs
from sandbox.state.sandbox import Sandbox
from sandbox.state.seed import PresetSeed, Seed, load_seed, parse_seed
from sandbox.testing.local import SandboxServer

if TYPE_CHECKING:
    from sandbox.testing.handle import Patchworks


@dataclass(frozen=True, slots=True)
class Wishes:
    """The arguments of the marker; all of them may be left out.

    - ``seed``: what the sandbox holds in place of the session's seed: the path of a file, plain data, or a ``Seed``.
    - ``settings``: settings by name; also those that cannot change while a sandbox runs, where that is in this process.
    - ``faults``: rules in force from the start: each a fault (``status(503)``), a rule as plain data, or the name of a
      preset.
    - ``isolate``: a company of the test's own, so that it sees nothing of others in a sandbox that they share.
    - ``intercept``: the sandbox takes the place of the real platform during the test; ``"strict"`` also refuses any
      other host.
    """

    seed: Seed | Mapping[str, object] | str | PathLike[str] | None = None
    settings: Mapping[str, object] = dataclasses.field(default_factory=dict)
    faults: Iterable[Fault | Mapping[str, Any] | str] = ()
    isolate: bool = False
    intercept: bool | Literal["strict"] = False

    def __post_init__(self) -> None:
        if self.isolate and self.settings:
            raise InvalidValueError("settings", self.settings, "none with isolate: they are everybody's")
        if self.intercept not in (True, False, "strict"):
            raise InvalidValueError("intercept", self.intercept, 'True, False or "strict"')

    @classmethod
    def of(cls, arguments: Mapping[str, Any]) -> Wishes:
        """Read the marker's arguments; raise ``InvalidValueError`` naming those there are."""
        known = [field.name for field in dataclasses.fields(cls)]
        for name, value in arguments.items():
            if name not in known:
                raise InvalidValueError(f"patchworks marker: {name}", value, f"the arguments {', '.join(known)}")
        return cls(**arguments)

    def read_seed(self) -> Seed | None:
        """Return the seed; raise ``SeedError``."""
        match self.seed:
            case None | Seed():
                return self.seed
            case Mapping():
                return parse_seed(self.seed)
            case _:
                return load_seed(self.seed)

    @property
    def needs_own_sandbox(self) -> bool:
        """Whether a sandbox that runs already cannot grant it."""
        if self.seed is not None:
            return True
        return bool(self.settings) and any(not spec.runtime for spec in setting_specs() if spec.name in self.settings)


@contextmanager
def granted(wishes: Wishes, server: SandboxServer | Patchworks) -> Iterator[tuple[Patchworks, SandboxServer | None]]:
    """Make a sandbox what a test wishes: reset, seeded, configured, with faults. Also return the server, if it is ours.

    A sandbox of this process is replaced by another one where it has to be. One behind a URL takes the companies of a
    seed beside its own, and with ``isolate`` it is not even reset.
    """
    with ExitStack() as stack:
        if isinstance(server, SandboxServer):
            if wishes.needs_own_sandbox:
                server = stack.enter_context(SandboxServer(_another(server.sandbox, wishes)))
            else:
                server.sandbox.reset()
                if wishes.settings:
                    server.sandbox.change_settings(wishes.settings)
            handle, ours = server.patchworks, server
            if wishes.isolate:
                handle = handle.isolated()
        else:
            handle, ours = _remote(wishes, server), None
        _add_faults(handle, wishes.faults)
        if wishes.intercept:
            stack.enter_context(handle.intercept(strict=wishes.intercept == "strict"))
        yield handle, ours


def _another(sandbox: Sandbox, wishes: Wishes) -> Sandbox:
    makes_key = any(name.startswith("signing_key") for name in wishes.settings)
    signing_key = None if makes_key else sandbox.keys.current()  # making one takes longer than most tests
    return Sandbox(wishes.read_seed() or sandbox.seed, settings=wishes.settings, signing_key=signing_key)


def _remote(wishes: Wishes, patchworks: Patchworks) -> Patchworks:
    seed = wishes.read_seed()
    if not wishes.isolate:
        patchworks.reset()
    if wishes.isolate or seed is not None:
        patchworks = patchworks.isolated(seed, shared=wishes.isolate)
    settings = {**(seed.settings if seed else {}), **wishes.settings}
    if settings:
        patchworks.configure(**settings)
    for fault in seed.faults if seed else ():
        match fault:
            case PresetSeed():
                patchworks.faults.preset(fault.name, **fault.match)
            case rule:
                _add_faults(patchworks, [rule.document()])
    return patchworks


def _add_faults(patchworks: Patchworks, faults: Iterable[Fault | Mapping[str, Any] | str]) -> None:
    for fault in faults:
        match fault:
            case str():
                patchworks.faults.preset(fault)
            case Mapping() if "fault" in fault:
                rule = {name: value for name, value in fault.items() if name not in ("fault", "match")}
                patchworks.faults.add(fault["fault"], **rule, **fault.get("match", {}))
            case _:
                patchworks.faults.add(fault)
