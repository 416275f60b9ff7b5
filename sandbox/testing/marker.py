"""The options of the marker ``@pytest.mark.patchworks``, and how they are applied to the sandbox of a test."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from sandbox.faults.fault import Fault
from sandbox.foundation.errors import InvalidValueError, UnknownNameError, any_of
from sandbox.foundation.settings import setting_specs
from sandbox.state.sandbox import Sandbox
from sandbox.state.seed import Seed, SeedSource, read_seed
from sandbox.state.seed.parts import PresetSeed
from sandbox.testing.contract import read_codes
from sandbox.testing.contract_plugin import MODES
from sandbox.testing.local import SandboxServer

if TYPE_CHECKING:
    from sandbox.testing.handle import Patchworks


@dataclass(frozen=True, slots=True)
class MarkerOptions:
    """The arguments of the marker; each may be left out.

    - ``seed``: the seed in place of the session's: the path of a file, plain data, or a ``Seed``.
    - ``settings``: settings by name; in this process also those that cannot change while a sandbox runs.
    - ``faults``: rules in force from the start: each a fault (``status(503)``), a rule as plain data, or the name of a
      preset.
    - ``isolate``: the test has a company of its own in a sandbox that others share, and sees nothing of theirs.
    - ``intercept``: the sandbox takes the place of the real platform during the test; ``"strict"`` refuses other hosts.
    - ``contract``: ``"fail"`` fails the test if its requests do not conform to the published contract, ``"report"``
      lists them at the end of the session, ``"off"`` does neither. ``allow``: codes of violations that do not count.
    - ``keep_tokens``: the sandbox is cleared in place of reset: the journal is empty and no fault is left, but tokens
      of earlier tests are still good, and settings and the clock are as they were left.
    """

    seed: SeedSource | None = None
    settings: Mapping[str, object] = dataclasses.field(default_factory=dict)
    faults: Iterable[Fault | Mapping[str, Any] | str] = ()
    isolate: bool = False
    intercept: bool | Literal["strict"] = False
    contract: Literal["fail", "report", "off"] | None = None
    allow: Iterable[str] = ()
    keep_tokens: bool = False

    def __post_init__(self) -> None:
        if self.contract not in (None, *MODES):
            raise InvalidValueError("contract", self.contract, any_of(MODES))
        read_codes(self.allow)
        if self.isolate and self.settings:
            raise InvalidValueError("settings", self.settings, "none with isolate: they are everybody's")
        if self.keep_tokens and (self.isolate or self.settings or self.seed is not None):
            raise InvalidValueError("keep_tokens", True, "nothing together with seed, settings or isolate")
        if self.intercept not in (True, False, "strict"):
            raise InvalidValueError("intercept", self.intercept, 'True, False or "strict"')

    @classmethod
    def of(cls, arguments: Mapping[str, Any]) -> MarkerOptions:
        """Read the marker's arguments; raise ``InvalidValueError``, which lists the known ones."""
        known = cls.names()
        for name, value in arguments.items():
            if name not in known:
                raise UnknownNameError(name, value, "argument of the patchworks marker", known)
        return cls(**arguments)

    @classmethod
    def names(cls) -> list[str]:
        """Return the names of the arguments."""
        return [field.name for field in dataclasses.fields(cls)]

    @property
    def needs_own_sandbox(self) -> bool:
        """Whether a sandbox that runs already cannot take them."""
        if self.seed is not None:
            return True
        return bool(self.settings) and any(not spec.runtime for spec in setting_specs() if spec.name in self.settings)


@contextmanager
def apply(
    options: MarkerOptions,
    server: SandboxServer | Patchworks,
    settings: Mapping[str, object] = MappingProxyType({}),
    folders: Sequence[Path] = (),
) -> Iterator[tuple[Patchworks, SandboxServer | None]]:
    """Prepare a sandbox: reset, seeded, configured, with faults. Yield its handle, and its server if it is our own.

    ``settings`` are those of the session, which the options may change; a relative seed file is looked for in
    ``folders``. Where a sandbox of this process cannot take the options, another one replaces it during the test. A
    sandbox behind a URL takes the companies of a seed beside its own; with ``isolate`` it is not reset.
    """
    seed = None if options.seed is None else read_seed(options.seed, folders)
    with ExitStack() as stack:
        if isinstance(server, SandboxServer):
            if options.needs_own_sandbox or server.is_of_another_process:
                sandbox = _another(server, seed, {**settings, **options.settings})
                server = stack.enter_context(SandboxServer(sandbox).on_demand())
            elif options.keep_tokens:
                server.patchworks.clear()
            else:
                server.sandbox.reset()
                if options.settings:
                    server.sandbox.change_settings(options.settings)
            handle, ours = server.patchworks, server
            if options.isolate:
                handle = handle.isolated()
        else:
            handle, ours = _remote(options, server, seed, settings), None
        _add_faults(handle, options.faults)
        if options.intercept:
            stack.enter_context(handle.intercept(strict=options.intercept == "strict"))
        yield handle, ours


def _another(server: SandboxServer, seed: Seed | None, settings: Mapping[str, object]) -> Sandbox:
    sandbox = server.sandbox
    makes_key = any(name.startswith("signing_key") for name in settings)
    if server.is_of_another_process and not sandbox.keys.is_made:
        makes_key = True  # the thread that makes it runs in that process
    signing_key = None if makes_key else sandbox.keys.current()  # making one takes longer than most tests
    return Sandbox(sandbox.seed if seed is None else seed, settings=settings, signing_key=signing_key)


def _remote(
    options: MarkerOptions, patchworks: Patchworks, seed: Seed | None, settings: Mapping[str, object]
) -> Patchworks:
    if options.keep_tokens:
        patchworks.clear()
        return patchworks
    if not options.isolate:
        patchworks.reset()
    if options.isolate or seed is not None:
        patchworks = patchworks.isolated(seed, shared=options.isolate)
    changed: dict[str, Any] = {
        **(seed.settings if seed else {}),
        **({} if options.isolate else settings),
        **options.settings,
    }
    if changed:
        patchworks.configure(**changed)
    _add_faults(patchworks, [f if isinstance(f, PresetSeed) else f.document() for f in (seed.faults if seed else ())])
    return patchworks


def _add_faults(patchworks: Patchworks, faults: Iterable[Fault | Mapping[str, Any] | PresetSeed | str]) -> None:
    for fault in faults:
        match fault:
            case str():
                patchworks.faults.preset(fault)
            case PresetSeed():
                conditions: Mapping[str, Any] = fault.match
                patchworks.faults.preset(fault.name, **conditions)
            case Mapping() if "fault" in fault:
                rule = {name: value for name, value in fault.items() if name not in ("fault", "match")}
                patchworks.faults.add(fault["fault"], **rule, **fault.get("match", {}))
            case _:
                patchworks.faults.add(fault)
