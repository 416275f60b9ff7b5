"""``patchworks-sandbox health``: whether a sandbox is ready, as an exit code for containers and scripts."""

from __future__ import annotations

import contextlib
import http.client
import json
import ssl
import urllib.error
import urllib.request
from http import HTTPStatus
from typing import Final

import click

from sandbox.foundation.environment import ENV_PREFIX, variable
from sandbox.foundation.settings import is_web_url
from sandbox.web.paths import READINESS


def default_url() -> str:
    """Return the URL of a sandbox on this machine, with the port of the environment."""
    return f"http://127.0.0.1:{variable(f'{ENV_PREFIX}PORT') or 8025}"


url_option = click.option(
    "--url",
    envvar=f"{ENV_PREFIX}URL",
    default=default_url,
    metavar="URL",
    help=f"Base URL of the sandbox. [env: {ENV_PREFIX}URL; default: http://127.0.0.1 at {ENV_PREFIX}PORT or 8025]",
)
ca_file_option = click.option(
    "--ca-file",
    envvar=f"{ENV_PREFIX}CA_FILE",
    metavar="FILE",
    help="CA certificate (PEM) for an https URL. Download the sandbox's own from /_sandbox/ca.pem. "
    f"[env: {ENV_PREFIX}CA_FILE]",
)
UNTRUSTED: Final = (
    f"name its authority by --ca-file or {ENV_PREFIX}CA_FILE (GET /_sandbox/ca.pem returns the sandbox's own)"
)


@click.command()
@url_option
@ca_file_option
@click.option("--timeout", type=click.FloatRange(0.1, 600), default=5.0, help="Seconds to wait. [default: 5]")
def health(url: str, ca_file: str | None, timeout: float) -> None:
    """Ask whether a sandbox is ready: exit code 0 if it is, else 1."""
    if not is_web_url(url):
        raise click.BadParameter(f"{url!r} is no http or https URL such as http://127.0.0.1:8025", param_hint="--url")
    address = url.rstrip("/") + READINESS
    handlers: list[urllib.request.BaseHandler] = [urllib.request.ProxyHandler({})]
    if ca_file:
        handlers.append(urllib.request.HTTPSHandler(context=_trusting(ca_file)))
    opener = urllib.request.build_opener(*handlers)
    try:
        with opener.open(address, timeout=timeout) as response:
            answer = json.load(response)
        version = answer["version"]
    except urllib.error.HTTPError as error:
        with error:
            raise click.ClickException(f"{address} answers {error.code}: {_why_not_ready(error)}") from None
    except OSError as error:
        why = getattr(error, "reason", None) or error
        hint = f"; {UNTRUSTED}" if isinstance(why, ssl.SSLCertVerificationError) else ""
        raise click.ClickException(f"no answer from {address}: {why}{hint}") from None
    except (http.client.HTTPException, ValueError, TypeError, KeyError, RecursionError):
        raise click.ClickException(f"{address} does not answer as a sandbox does") from None
    click.echo(f"Patchworks Sandbox {version} is ready at {url}")


def _trusting(ca_file: str) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError as error:  # among them ssl.SSLError
        why = "no certificate in PEM" if isinstance(error, ssl.SSLError) else error.strerror
        raise click.BadParameter(f"{ca_file}: {why}", param_hint="--ca-file") from None


def _why_not_ready(answer: urllib.error.HTTPError) -> str:
    with contextlib.suppress(OSError, ValueError, TypeError, KeyError, RecursionError):
        if answer.code == HTTPStatus.SERVICE_UNAVAILABLE:
            return str(json.load(answer)["detail"])
    return "that is no sandbox that is ready"
