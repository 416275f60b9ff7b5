"""The options of the marker ``@pytest.mark.patchworks``, and how they are applied to the sandbox of a test."""

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
    """

    seed: Seed | Mapping[str, object] | str | PathLike[str] | None = None
    settings: Mapping[str, object] = dataclasses.field(default_factory=dict)
    faults: Iterable[Fault | Mapping[str, Any] | str] = ()
    isolate: bool = False
    intercept: bool | Literal["strict"] = False
    contract: Literal["fail", "report", "off"] | None = None
    allow: Iterable[str] = ()

    def __post_init__(self) -> None:
        if self.contract not in (None, *MODES):
            raise InvalidValueError("contract", self.contract, ", ".join(MODES))
        read_codes(self.allow)
        if self.isolate and self.settings:
            raise InvalidValueError("settings", self.settings, "none with isolate: they are everybody's")
        if self.intercept not in (True, False, "strict"):
            raise InvalidValueError("intercept", self.intercept, 'True, False or "strict"')

    @classmethod
    def of(cls, arguments: Mapping[str, Any]) -> MarkerOptions:
        """Read the marker's arguments; raise ``InvalidValueError``, which lists the known ones."""
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
        """Whether a sandbox that runs already cannot take them."""
        if self.seed is not None:
            return True
        return bool(self.settings) and any(not spec.runtime for spec in setting_specs() if spec.name in self.settings)


@contextmanager
def apply(
    options: MarkerOptions, server: SandboxServer | Patchworks
) -> Iterator[tuple[Patchworks, SandboxServer | None]]:
    """Prepare a sandbox: reset, seeded, configured, with faults. Yield its handle, and its server if it is our own.

    Where a sandbox of this process cannot take the options, another one replaces it during the test. A sandbox behind a
    URL takes the companies of a seed beside its own; with ``isolate`` it is not reset.
    """
    with ExitStack() as stack:
        if isinstance(server, SandboxServer):
            if options.needs_own_sandbox:
                server = stack.enter_context(SandboxServer(_another(server.sandbox, options)))
            else:
                server.sandbox.reset()
                if options.settings:
                    server.sandbox.change_settings(options.settings)
            handle, ours = server.patchworks, server
            if options.isolate:
                handle = handle.isolated()
        else:
            handle, ours = _remote(options, server), None
        _add_faults(handle, options.faults)
        if options.intercept:
            stack.enter_context(handle.intercept(strict=options.intercept == "strict"))
        yield handle, ours


def _another(sandbox: Sandbox, options: MarkerOptions) -> Sandbox:
    makes_key = any(name.startswith("signing_key") for name in options.settings)
    signing_key = None if makes_key else sandbox.keys.current()  # making one takes longer than most tests
    return Sandbox(options.read_seed() or sandbox.seed, settings=options.settings, signing_key=signing_key)


def _remote(options: MarkerOptions, patchworks: Patchworks) -> Patchworks:
    seed = options.read_seed()
    if not options.isolate:
        patchworks.reset()
    if options.isolate or seed is not None:
        patchworks = patchworks.isolated(seed, shared=options.isolate)
    settings = {**(seed.settings if seed else {}), **options.settings}
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
