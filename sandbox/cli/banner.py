"""The text that ``serve`` prints: URLs and credentials, and two lines that can be pasted into a shell."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from sandbox._version import __version__
from sandbox.foundation.loopback import is_everywhere, is_loopback
from sandbox.foundation.strict_json import write_json
from sandbox.platform.model import Service
from sandbox.platform.oauth_clients import NewOAuthClient
from sandbox.state.seed import demo_seed_file
from sandbox.web.addresses import PRODUCTION_HOSTS, Endpoints, TlsEndpoint

_CA_FILE: Final = "patchworks-ca.pem"


def banner(endpoints: Endpoints, *, demo: bool) -> str:
    """Return the text; with ``demo`` the second line posts the demo's order from its file.

    A reader outside a container does not have the file: without ``demo`` the payload is in the line.
    """
    credentials = endpoints.credentials
    lines = [f"Patchworks Sandbox {__version__} is ready.", "", f"  token endpoint  {endpoints.token_url}"]
    lines += [f"  inbound URL     {url}" for url in endpoints.inbound_urls().values()]
    if credentials:
        origin = "the one you gave" if endpoints.sandbox.initial_settings.client_secret else "the one of your seed"
        shown = origin if endpoints.secret_is_given else credentials.secret
        lines += [f"  client id       {credentials.client.id}", f"  client secret   {shown}"]
        lines.append(f"  scope           {endpoints.sandbox.settings.required_scope}")
    lines += [f"  dashboard       {endpoints.control_url}/", f"  API reference   {endpoints.control_url}/docs"]
    lines += _tls_lines(endpoints.tls) if endpoints.tls else []
    lines += _about_other_addresses(endpoints)
    lines += _about_the_key(endpoints)
    if credentials and (service := _usable_service(endpoints, credentials)):
        payload = _order_file() if demo else _sample_of(service, endpoints)
        lines += ["", *_token_lines(endpoints, credentials), "", _post_line(endpoints, service, payload)]
        if endpoints.tls:
            lines += ["", *_by_production_name(endpoints, endpoints.tls, service, payload)]
    return "\n".join([*lines, "", "Ctrl-C stops it."])


def _about_other_addresses(endpoints: Endpoints) -> list[str]:
    """Return the lines on who else reaches a sandbox that listens on every address, as one in a container does."""
    settings, port = endpoints.sandbox.initial_settings, urlsplit(endpoints.base_url).port
    if not is_everywhere(settings.host) or settings.public_url:
        return []
    return [
        f"  from outside    by a published port, if this is a container: docker run -p 127.0.0.1:{port}:{port}",
        "                  (PATCHWORKS_SANDBOX_PUBLIC_URL is the URL in use there, if it is another)",
    ]


def _about_the_key(endpoints: Endpoints) -> list[str]:
    """Return the lines about the key of the control API: a key that the sandbox made is shown, a given one is not."""
    settings = endpoints.sandbox.initial_settings
    if endpoints.control_key is not None:
        shown = "the one you gave" if settings.control_key else endpoints.control_key
        return [
            f"  control key     {shown}",
            "                  (a bearer token to programs; to a browser the password, with any user name)",
        ]
    warning = warning_about_the_key(endpoints)
    return ["", f"Warning: {warning}"] if warning else []


def warning_about_the_key(endpoints: Endpoints) -> str | None:
    """Return what to say of a sandbox that others can reach and that asks for no key."""
    settings = endpoints.sandbox.initial_settings
    if endpoints.control_key is not None or is_loopback(settings.host):
        return None
    return (
        f"{settings.host} is not loopback and --no-control-key was given. Everybody with access to this port can read "
        "the journal and steer the sandbox; keep it to a network you trust."
    )


def _usable_service(endpoints: Endpoints, credentials: NewOAuthClient) -> Service | None:
    """Return the first service that accepts payloads of this client."""
    services = endpoints.sandbox.store.services()
    return next((s for s in services if s.active and s.connector_id == credentials.client.connector_id), None)


def _token_lines(endpoints: Endpoints, credentials: NewOAuthClient) -> list[str]:
    if endpoints.secret_is_given:
        advice, secret = "With the client secret in CLIENT_SECRET, get a token", '"client_secret=$CLIENT_SECRET"'
    else:
        advice, secret = "Get a token", shlex.quote(f"client_secret={credentials.secret}")
    line = (
        f"TOKEN=$(curl -s {shlex.quote(endpoints.token_url)} -d grant_type=client_credentials "
        f"-d client_id={credentials.client.id} --data-urlencode {secret} "
        f"-d {shlex.quote(f'scope={endpoints.sandbox.settings.required_scope}')} "
        """| sed -E 's/.*"access_token":"([^"]+)".*/\\1/')"""
    )
    return [f"{advice}, then send a payload:", "", line]


def _post_line(endpoints: Endpoints, service: Service, payload: str, options: str = "") -> str:
    url = shlex.quote(endpoints.inbound_url(service.vanity_url, service.company))
    headers = """-H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json'"""
    return f"curl -i {options}{url} {headers} --data-binary {shlex.quote(payload)}"


def _tls_lines(tls: TlsEndpoint) -> list[str]:
    kept = "new at each start; --tls-folder keeps one" if tls.has_own_authority else "that of your certificate"
    return [f"  over TLS        {tls.base_url}", f"  authority       {tls.ca_file or kept}"]


def _by_production_name(endpoints: Endpoints, tls: TlsEndpoint, service: Service, payload: str) -> list[str]:
    """Return lines that send the payload by the name of the platform, or to your certificate's own name."""
    if not tls.has_own_authority:
        return ["The same over TLS:", "", _post_line(Endpoints(endpoints.sandbox, tls.base_url), service, payload)]
    host = PRODUCTION_HOSTS[0]
    ca_file = str(tls.ca_file or _CA_FILE)
    fetched = [] if tls.ca_file else [f"curl -s {shlex.quote(endpoints.control_url + '/ca.pem')} -o {_CA_FILE}", ""]
    options = f"--cacert {shlex.quote(ca_file)} --connect-to {shlex.quote(f'{host}:443:{tls.address}')} "
    line = _post_line(Endpoints(endpoints.sandbox, f"https://{host}"), service, payload, options)
    return ["The same over TLS, by the name of the platform:", "", *fetched, line]


def _order_file() -> str:
    """Return the argument by which curl reads the demo's order, with the shortest path."""
    path = (demo_seed_file().parent / "orders" / "order.json").resolve()
    folder = Path.cwd()
    return f"@{path.relative_to(folder) if path.is_relative_to(folder) else path}"


def _sample_of(service: Service, endpoints: Endpoints) -> str:
    """Return a payload that the service accepts: the sample of its entity."""
    entities = endpoints.sandbox.store.entities(service.connector_id)
    sample = next(entity.sample for entity in entities if entity.name == service.entity)
    return write_json({"hello": "sandbox"} if sample is None else sample)
