"""``patchworks-sandbox serve``: run a sandbox until a signal stops it."""

from __future__ import annotations

import logging
import signal
import sys
import threading
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from sandbox.cli.configuration import Configuration, configured
from sandbox.cli.options import GroupedCommand, serve_options
from sandbox.cli.variables import ignored_settings
from sandbox.foundation import atomic_file
from sandbox.foundation.collector import no_collections, rare_collections
from sandbox.foundation.errors import InputError
from sandbox.foundation.loopback import is_loopback
from sandbox.foundation.strict_json import write_json

if TYPE_CHECKING:
    from sandbox.server.sandbox_server import SandboxServer

_logger: Final = logging.getLogger("patchworks_sandbox")

_SETTLED_S: Final = 0.3
"""Seconds after which a program that waited for the start has its first answer."""


@click.command(cls=GroupedCommand)
@serve_options
def serve(seed_files: tuple[str, ...], seed: str | None, ready_file: str | None, **settings: object) -> None:
    """Run a sandbox until Ctrl-C or SIGTERM.

    With no options it listens on http://127.0.0.1:8025 with the demo seed: company 'acme' with the services 'orders',
    'products' and 'anything', and one OAuth client whose secret is new at each start.

    Each option can also stand in the environment, as PATCHWORKS_SANDBOX_PORT=9000 for --port 9000, or in the YAML file
    of --config-file, as 'port: 9000'.
    """
    stop = _stop_on_signals()
    try:
        with no_collections():
            server = _server(configured(seed_files, seed, settings))
            from sandbox.cli.log import logged
            from sandbox.cli.log_lines import event, is_for_programs
    except InputError as error:
        raise click.ClickException(str(error)) from None
    initial = server.sandbox.initial_settings
    log = logged(sys.stderr, initial.log_level, initial.log_format, redact=server.sandbox.redact)
    resources = click.get_current_context()
    resources.with_resource(log)
    for_programs = is_for_programs(initial.log_format, sys.stderr)
    try:
        if ready_file is not None:
            Path(ready_file).unlink(missing_ok=True)  # that of an earlier run
        server.start()
        if server.control_key is not None:
            from sandbox.cli.made_key import kept

            made_key = None if initial.control_key else server.control_key
            urls = (f"http://localhost:{server.port}", server.tls_base_url)  # base_url may be that of a proxy
            resources.with_resource(kept(made_key, filter(None, urls)))
        if ready_file is not None:
            atomic_file.write(Path(ready_file), [f"{write_json(server.endpoints.ready_document())}\n".encode()])
        _announce(server, for_programs=for_programs, demo=not (seed_files or seed) and is_loopback(initial.host))
        with rare_collections():
            if not stop.wait(_SETTLED_S):
                with suppress(OSError, ImportError):  # with no descriptor left; the first request tries again
                    load_ahead(server)
            while not stop.wait(0.5):  # without a limit, Windows would not deliver Ctrl-C
                pass
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        raise click.ClickException(f"{where}{error.strerror or error}") from None
    finally:
        server.stop()
    if for_programs and _logger.isEnabledFor(logging.INFO):
        _logger.handle(event("stopped"))


def _announce(server: SandboxServer, *, for_programs: bool, demo: bool) -> None:
    """Show that the sandbox is ready: as text, as an event where the log is for programs, or both.

    The log as JSON, if it was asked for, replaces the text. The text is on standard output and the log is not, so
    where the log is JSON for want of a terminal both are there.
    """
    from sandbox.cli.banner import banner, warning_about_the_key
    from sandbox.cli.log_lines import event

    replaces_text = server.sandbox.initial_settings.log_format == "json"
    if replaces_text or (for_programs and _logger.isEnabledFor(logging.INFO)):
        _logger.handle(event("ready", **server.endpoints.ready_document(for_log=True)))
    if not replaces_text:
        click.echo(banner(server.endpoints, demo=demo))
    elif warning := warning_about_the_key(server.endpoints):
        _logger.warning(warning)
    for line in ignored_settings():
        _logger.warning(line)


def load_ahead(server: SandboxServer) -> None:
    """Load what a client of the emulated API needs and a start does not, so that its first request does not.

    The control API is left out: its 9 to 18 MB are for those that call it.
    """
    from sandbox.journal.redaction import redact_body

    for name in ("sandbox.platform.keys", "jwt"):
        import_module(name)
    redact_body(b"name=\n", server.sandbox.store.secrets)


def _server(configuration: Configuration) -> SandboxServer:
    from sandbox.platform.keys import KeyRing

    initial = configuration.settings
    keys = KeyRing.of(initial)
    keys.warm()  # on the other core, while the rest is imported
    from sandbox.server.sandbox_server import SandboxServer
    from sandbox.state.sandbox import Sandbox

    sandbox = Sandbox(configuration.seed, settings=configuration.given, keys=keys)
    sandbox.origins.update({name: str(configuration.origins[name]) for name in sandbox.origins})
    return SandboxServer(sandbox, initial.host, initial.port, threads=initial.threads, tls_port=initial.tls_port)


def _stop_on_signals() -> threading.Event:
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    return stop
