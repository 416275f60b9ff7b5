"""Settings: one declarative table that the command line, the environment, YAML files and the control API all read.

A setting is declared once, as a field of ``Settings``: name, type, default, effect, allowed values and whether it may
change while the sandbox runs. ``Settings`` is a frozen value; a change makes a new one, checked as a whole.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Any, Final, cast
from urllib.parse import urlsplit

from sandbox.foundation.environment import ENV_PREFIX
from sandbox.foundation.errors import SettingError, UnknownSettingError, Withheld, did_you_mean
from sandbox.foundation.fields import Described, Field, declared, fields_of
from sandbox.foundation.value_types import (
    NotAllowedError,
    ValueType,
    boolean,
    choice,
    integer,
    line,
    names,
    optional,
    whole_seconds,
)

MIB: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class SettingSpec(Field):
    """The declaration of one setting. ``tag`` says how its default is known, ``runtime`` whether it may change later.

    The value of a ``secret`` is neither in messages nor in what is shown of the settings.
    """

    runtime: bool = True
    tag: str = "ours"
    secret: bool = False

    @property
    def env(self) -> str:
        """The environment variable."""
        return ENV_PREFIX + self.name.upper()

    @property
    def flag(self) -> str:
        """The command line option."""
        return "--" + self.name.replace("_", "-")

    def read(self, value: object) -> Any:
        """Return the value to keep of a value or its text; raise ``SettingError``."""
        try:
            return self.type.parse(self.type.from_text(value) if isinstance(value, str) else value)
        except NotAllowedError:
            raise SettingError(self.name, Withheld() if self.secret else value, self.type.allowed) from None


def _setting(
    default: Any, value_type: ValueType, doc: str, *, runtime: bool = True, tag: str = "ours", secret: bool = False
) -> Any:
    of = partial(SettingSpec, type=value_type, doc=doc, default=default, runtime=runtime, tag=tag, secret=secret)
    return declared(of, default, repr=not secret)


_fixed: Final = partial(_setting, runtime=False)
"""Declares a setting that is read at the start only."""


def _word(values: tuple[str, ...], doc: str, **more: Any) -> Any:
    return _setting(values[0], choice(*values), doc, **more)


def _switch(doc: str, **more: Any) -> Any:
    return _setting(False, boolean(), doc, **more)


def _path(of: str, doc: str) -> Any:
    return _fixed(None, optional(line(f"the path of {of}", bool)), doc)


def is_control_key(text: str) -> bool:
    """Return whether a text can be the key of a control API, which is sent as a bearer token or a password."""
    return _CONTROL_KEY.fullmatch(text) is not None


def is_client_id(text: str) -> bool:
    """Return whether a text can be the id of an OAuth client: a UUID in lower case."""
    return _CLIENT_ID.fullmatch(text) is not None


def is_client_secret(text: str) -> bool:
    """Return whether a text can be the secret of an OAuth client."""
    return 8 <= len(text) <= 255 and text.isascii() and text.isprintable() and text == text.strip()


def is_web_url(text: str) -> bool:
    """Return whether a text can be the URL of a sandbox: http or https, a host, and a possible port."""
    try:
        parts = urlsplit(text)
        parts.port  # noqa: B018 - raises ValueError
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and text.isprintable() and " " not in text


def _is_scope(name: str) -> bool:
    return bool(name) and name.isascii() and name.isprintable() and not set(name) & set(' "\\,')


_SCOPE = "an RFC 6749 scope name: printable ASCII without spaces, quotes, commas and backslashes"
_SCOPE_SCHEMA: Final[Mapping[str, Any]] = {"pattern": r"^[!#-+\--\[\]-~]+$"}
_CONTROL_KEY = re.compile(r"[A-Za-z0-9._~+/-]{16,256}")
_CLIENT_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
CLIENT_SECRET_ALLOWED: Final = "8 to 255 printable ASCII characters without spaces at the ends"  # noqa: S105
CONTROL_KEY_ALLOWED: Final = "16 to 256 letters, digits and . _ ~ + / -"
_BASE_URL = re.compile(r"https?://(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
_HOST_NAME = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*|[0-9a-f]*:(?:[0-9a-f]*:)+[0-9a-f.]*")
_CERTIFICATE_NAME = re.compile(
    r"(?:\*\.)?[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*|[0-9a-f]*:(?:[0-9a-f]*:)+[0-9a-f.]*"
)
_CLASS_PATTERN: Final = r"(?=.{1,200}$)[A-Za-z_][A-Za-z0-9_]*(?:\\[A-Za-z_][A-Za-z0-9_]*)*"
_CLASS: Final = (
    "the name of a PHP class, such as App\\Models\\Company",
    re.compile(_CLASS_PATTERN).fullmatch,
    {"pattern": f"^{_CLASS_PATTERN}$", "maxLength": 200},
)
_RUN_KEY = re.compile(r"[A-Za-z0-9_-]{1,64}")
_DAY = int(timedelta(days=1).total_seconds())
_METHODS: Final = ("GET", "POST")
_200_OR_201 = replace(integer(200, 201), allowed="200 or 201", schema={"type": "integer", "enum": [200, 201]})


def _is_token_path(text: str) -> bool:
    parts = text[1:].split("/")
    return (
        text.startswith("/")
        and not text.startswith(("/v1/", "/_sandbox"))
        and text.isascii()
        and all(re.sub(r"[-_.]", "", part).isalnum() for part in parts)
    )


@dataclass(frozen=True)
class Settings(Described):
    """Every setting of a sandbox, with its default; see ``setting_specs`` for what each does."""

    host: str = _fixed(
        "127.0.0.1",
        line("a host name or address", lambda text: bool(text) and " " not in text),
        "Address to listen on. Beyond loopback the control API needs a key: see control_key.",
    )
    port: int = _fixed(8025, integer(0, 65535), "TCP port to listen on; 0 picks a free one.")
    public_url: str | None = _setting(
        None,
        optional(
            line("an http or https URL without a path", _BASE_URL.fullmatch, {"pattern": f"^({_BASE_URL.pattern})?$"})
        ),
        "Base URL that clients use, for the URLs that the sandbox shows (for example behind a port mapping). "
        "Default: the address listened on, or the Host header of a request.",
    )
    allowed_hosts: tuple[str, ...] = _fixed(
        (),
        names(
            "host names separated by commas, without ports; * for any",
            lambda name: name == "*" or _HOST_NAME.fullmatch(name),
            str.lower,
        ),
        "Further host names under which the control API and the dashboard answer, against DNS rebinding. They"
        " always answer under loopback names, the address listened on and the host of public_url. The "
        "emulated API answers under any name.",
    )
    control_key: str | None = _fixed(
        None,
        optional(line(CONTROL_KEY_ALLOWED, is_control_key, {"pattern": f"^({_CONTROL_KEY.pattern})?$"})),
        "Key that the control API and the dashboard require. Send it as 'Authorization: Bearer KEY', or in a "
        "browser as the password with any user name. Default: none on loopback; on other addresses the "
        "sandbox generates a key at each start and prints it.",
        secret=True,
    )
    no_control_key: bool = _switch(
        "Do not require a key on any address. Every client that reaches the port can then read the journal "
        "and control the sandbox.",
        runtime=False,
    )
    client_id: str | None = _fixed(
        None,
        replace(
            optional(line("a UUID such as 3f0e8d5c-6c5b-4d0e-9a53-0c6f5b0a7d11", is_client_id)), from_text=str.lower
        ),
        "Id of the first OAuth client of the seed. Default: the id in the seed, or a generated one.",
    )
    client_secret: str | None = _fixed(
        None,
        optional(line(CLIENT_SECRET_ALLOWED, is_client_secret, {"pattern": r"^([!-~][ -~]{6,253}[!-~])?$"})),
        "Secret of the first OAuth client of the seed. Default: the secret in the seed, or a new one at each "
        "start, which the sandbox prints.",
        secret=True,
    )
    threads: int = _fixed(16, integer(1, 256), "Worker threads of the server.")
    tls: bool = _switch(
        "Serve HTTPS too, beside HTTP. The sandbox creates a certificate authority; clients have to trust it. "
        "GET /_sandbox/ca.pem returns it.",
        runtime=False,
    )
    tls_port: int = _fixed(8443, integer(0, 65535), "TCP port to listen on for HTTPS; 0 picks a free one.")
    tls_folder: str | None = _path(
        "a folder",
        "Folder that keeps the certificate authority: ca.pem, which clients trust, and ca-key.pem, its "
        "private key. The sandbox creates a missing folder. Default: a new authority at each start, in memory"
        " only.",
    )
    tls_names: tuple[str, ...] = _fixed(
        (),
        names(
            "host names (*.example.test too) and addresses separated by commas, without ports",
            _CERTIFICATE_NAME.fullmatch,
            str.lower,
        ),
        "Further names in the certificate. It always has the hosts of Patchworks, localhost, 127.0.0.1, ::1, "
        "the host listened on and the host of public_url.",
    )
    tls_cert_file: str | None = _path(
        "a PEM file",
        "PEM file with your own certificate and its intermediate certificates. Needs tls_key_file.",
    )
    tls_key_file: str | None = _path("a PEM file", "PEM file with the unencrypted private key of tls_cert_file.")
    signing_key_file: str | None = _path(
        "a PEM file", "PEM file with the RSA private key that signs access tokens. Default: a new key at each start."
    )
    signing_key_bits: int = _fixed(
        2048, integer(2048, 8192, "bits"), "Size of a generated signing key.", tag="framework"
    )
    random_seed: int | None = _fixed(
        None,
        optional(integer(0, 2**63 - 1)),
        "Seed for ids and chances, which makes a run repeatable. Secrets never depend on it.",
    )
    wire_profile: str = _word(
        ("modern", "legacy"),
        "Generation of the platform's framework: Laravel 11 with Passport 13, or Laravel 6 with Passport 8.",
        tag="framework",
    )
    accept: str = _word(
        ("documented", "laravel", "laravel_without_login", "laravel13_without_login"),
        "Form of errors for a client that does not send 'Accept: application/json': the documented JSON, or "
        "the HTML page of the framework. A 401 becomes a redirect to /login (laravel); in an application "
        "without such a route it becomes a 500 page (laravel_without_login, Laravel 6 to 12) or loses its "
        "body (laravel13_without_login, from Laravel 13.4).",
        tag="documented",
    )
    token_path: str = _fixed(
        "/oauth/token",
        line(
            "a path such as /oauth/token (letters, digits, '-', '_', '.', '/'), outside /v1/ and /_sandbox",
            _is_token_path,
        ),
        "Path of the token endpoint.",
        tag="framework",
    )
    token_methods: tuple[str, ...] = _setting(
        _METHODS,
        names("GET, POST or both", lambda name: name in _METHODS, str.upper, low=1, schema={"enum": list(_METHODS)}),
        "Methods that the token endpoint answers; any other gets 405. GET is documented, POST is the framework's.",
        tag="documented",
    )
    token_lifetime: int = _setting(
        _DAY,
        whole_seconds(1, 365 * _DAY),
        "Seconds for which an access token is valid on the sandbox clock.",
        tag="documented",
    )
    required_scope: str = _setting(
        "access-inbound",
        line(_SCOPE, _is_scope, _SCOPE_SCHEMA),
        "Scope that a token needs for inbound URLs. See default_scope for a token request without a scope.",
        tag="unconfirmed",
    )
    default_scope: str = _word(
        ("access-inbound", "none"),
        "Scope of a token whose request named none: the scope that inbound URLs need (see required_scope), or"
        " none. The framework grants none, and the platform probably answers 403 to every payload with such a"
        " token.",
        tag="unconfirmed",
    )
    scopes: tuple[str, ...] = _setting(
        ("access-inbound",),
        names(f"a list of names, each {_SCOPE}", _is_scope, low=1, schema=_SCOPE_SCHEMA),
        "Scopes that the token endpoint knows besides the required one and '*'.",
        tag="unconfirmed",
    )
    inbound_auth: str = _word(
        ("bearer", "basic", "both"),
        "Authentication of payloads: by an access token, by HTTP Basic with the id and the secret of an OAuth"
        " client, or by either. The vendor announces Basic authentication and does not describe it.",
        tag="announced",
    )
    check_order: str = _word(
        ("documented", "framework"),
        "Order of the checks: the token first, or the company and the vanity URL first. With framework an "
        "unknown URL gets 404 without any token, and the message names the class of the unknown object.",
        tag="framework",
    )
    company_class: str = _setting(
        "App\\Models\\Company",
        line(*_CLASS),
        "Class in the message on an unknown company, with check_order = framework.",
        tag="undefined",
    )
    endpoint_class: str = _setting(
        "App\\Models\\Endpoint",
        line(*_CLASS),
        "Class in the message on an unknown vanity URL, with check_order = framework.",
        tag="undefined",
    )
    success_status: int = _setting(200, _200_OR_201, "Status of the answer to an accepted payload.", tag="unconfirmed")
    success_message: str = _setting(
        "Payload stored successfully.",
        line(
            "text of 1 to 500 characters on one line",
            lambda text: 0 < len(text) <= 500,
            {"minLength": 1, "maxLength": 500, "pattern": r"^[^\r\n]+$"},
        ),
        "The message in the answer to an accepted payload.",
        tag="unconfirmed",
    )
    inactive_service: str = _word(
        ("not_found", "forbidden", "accept"),
        "Answer of the URL of an inactive service: 404 like an unknown one, 403, or the answer of an active "
        "one. An observed copy of the platform ignores the status, as accept does.",
        tag="undefined",
    )
    processing: str = _word(
        ("immediate", "scheduled", "off"),
        "Processing of accepted payloads: their service processes them at once, waits for its schedule on the"
        " sandbox clock, or never processes them.",
        tag="undefined",
    )
    processing_retry: int = _setting(
        300,
        whole_seconds(1, _DAY),
        "Seconds on the sandbox clock until the next attempt on a pending item. With processing = scheduled "
        "the next run of the service makes it.",
        tag="undefined",
    )
    resync: str = _word(
        ("allowed", "never"),
        "Whether failed items can be resynced. Inbound connectors have no filters, so the platform may never offer it.",
        tag="unconfirmed",
    )
    inactive_flow: str = _word(
        ("unprocessable", "not_found", "forbidden", "accept"),
        "Answer of the webhooks and callbacks of a process flow that is disabled or has no deployed version: "
        "422, 404, 403, or the answer of an active flow.",
        tag="undefined",
    )
    disabled_flow: str = _word(
        ("accept", "unprocessable"),
        "Answer of the Start API for a disabled flow: a start, or 422 like a flow without a deployed version.",
        tag="undefined",
    )
    flow_payload: str = _word(
        ("reject", "accept"),
        "Answer of the Start API to a body that is no JSON or has no text in `payload`, and to "
        "`flow_variables` that are no JSON object: 422, or a start without them.",
        tag="undefined",
    )
    flow_run_key: str = _setting(
        "flow_run_id",
        line("a name of 1 to 64 letters, digits, - and _", _RUN_KEY.fullmatch, {"pattern": f"^{_RUN_KEY.pattern}$"}),
        "Key of the run's id in the answer of the Start API.",
        tag="undefined",
    )
    flow_signature: str = _word(
        ("forbidden", "unauthenticated", "not_found"),
        "Status of the answer to a wrong or missing signature of a webhook or callback, and to a wrong HMAC "
        "of a webhook: 403, 401 or 404.",
        tag="undefined",
    )
    hmac_encoding: str = _word(
        ("hex", "base64"), "Encoding of a webhook's HMAC in the header X-HMAC-HASH.", tag="undefined"
    )
    core_items: str = _word(
        ("flat", "attributes", "both"),
        "Form of the items in answers of the Core API: their fields beside the id, below `attributes`, or both.",
        tag="unconfirmed",
    )
    core_created_status: int = _setting(
        200, _200_OR_201, "Status of the Core API's answer to a new data pool.", tag="documented"
    )
    core_unknown_query: str = _word(
        ("reject", "ignore"),
        "Answer of the Core API to a filter, include or sort that a list does not have: 400 with the names "
        "that it has, or the list without it.",
        tag="undefined",
    )
    per_page_over_max: str = _word(
        ("clamp", "422"),
        "Answer of the Core API to a `per_page` beyond 100: 100 items, or 422.",
        tag="undefined",
    )
    flow_limits: bool = _switch(
        "Whether requests beyond the limits of process flows get 429. The limits in a minute are 240 to the "
        "APIs, 120 to webhooks and 240 to callbacks for each company, and 20 logins for each address.",
        tag="documented",
    )
    entity_check: str = _word(
        ("reject", "flag", "off"),
        "Treatment of a payload that does not match its entity: 422, acceptance with the mismatch in the "
        "journal, or no check at all.",
        tag="undefined",
    )
    whole_numbers: str = _word(
        ("integers", "numbers"),
        "Type that a whole number in a sample requires: an integer, which refuses 29.99 for a sample with 30,"
        " or any number. A JSON Schema of your own decides for each field.",
        tag="undefined",
        runtime=False,
    )
    blank_payload: str = _word(
        ("reject", "accept"),
        "The answer to a blank payload under every entity_check: refused with the documented 422, or accepted, as "
        "in an observed copy of the platform, with a note in the journal.",
        tag="documented",
    )
    body_limit: int = _setting(
        8 * MIB, integer(1, 1024 * MIB, "bytes"), "Largest body accepted; a larger one gets 413.", tag="undefined"
    )
    rate_limit: bool = _switch("Whether requests beyond the rate limit get 429.", tag="unconfirmed")
    rate_limit_requests: int = _setting(
        60, integer(1, 1_000_000), "Requests that a window allows; X-RateLimit-Limit has the number.", tag="unconfirmed"
    )
    rate_limit_window: int = _setting(
        60,
        whole_seconds(1, _DAY),
        "Length of a window in seconds on the sandbox clock, from its first request.",
        tag="framework",
    )
    rate_limit_key: str = _word(
        ("client", "ip"),
        "Count requests for each OAuth client (for each address where there is none), or for each address always, as "
        "the framework does.",
        tag="undefined",
    )
    rate_limit_counters: str = _word(
        ("separate", "shared"),
        "Whether the token endpoint and the inbound URLs have separate counters. In Laravel 6 they share a "
        "counter if neither route is bound to a host.",
        tag="framework",
    )
    presets_dir: str | None = _path(
        "a folder", "Folder with your own fault presets, as YAML files, beside the included ones."
    )
    log_level: str = _fixed(
        "info",
        choice("debug", "info", "warning", "error"),
        "Content of the log: debug adds health checks and files of pages, info has a line for every other "
        "request, warning and error have only failures of the sandbox itself.",
    )
    log_format: str = _word(
        ("auto", "text", "json"),
        "Form of the log: text for people, JSON for programs (an object a line), or text on a terminal and "
        "JSON elsewhere.",
        runtime=False,
    )
    state_limit: int = _setting(
        1024 * MIB,
        integer(1, 64 * 1024 * MIB, "bytes"),
        "Largest document that PUT /_sandbox/state takes. A saved state is about a third larger than its journal.",
    )
    journal_entries: int = _setting(
        100_000,
        integer(1, 10_000_000),
        "Entries that the journal keeps. Beyond this number it drops the oldest, and counts them.",
    )
    journal_bytes: int = _setting(
        512 * MIB,
        integer(64 * 1024, 64 * 1024 * MIB, "bytes"),
        "Bytes that the journal keeps. Beyond this number it drops the oldest entries, and counts them.",
    )
    journal_file: str | None = _path(
        "a file",
        "File to which the sandbox appends every journal entry, as a line of JSON, before it answers the "
        "request. While it cannot write, requests get 503. Default: none.",
    )

    @classmethod
    def _declarations(cls) -> Sequence[Field]:
        return _SPECS

    def check(self) -> None:
        """Raise ``SettingError`` for a key where none is needed."""
        if self.no_control_key and self.control_key is not None:
            raise SettingError("no_control_key", True, "false where control_key names a key; leave one of them out")

    def changed(self, values: Mapping[str, object], *, runtime: bool = False) -> Settings:
        """Return these settings with ``values`` in place of their own.

        With ``runtime`` only settings that may change while the sandbox runs are allowed. Raise ``SettingError``.
        """
        specs = {spec.name: spec for spec in setting_specs() if spec.runtime or not runtime}
        for name, value in values.items():
            if name not in specs:
                raise _unknown(name, value, list(specs), runtime=runtime)
        return replace(self, **values)  # type: ignore[arg-type]


def setting_specs() -> list[SettingSpec]:
    """Return the declarations in the order of the documents."""
    return list(_SPECS)


_SPECS: Final = tuple(cast("list[SettingSpec]", fields_of(Settings)))


def kept_settings(settings: Settings) -> dict[str, Any]:
    """Return the settings that belong to a saved state: all that may change while it runs, as JSON values.

    Addresses and paths belong to the process and are left out, and so are secrets.
    """
    kept = [spec.name for spec in _SPECS if spec.runtime and not spec.secret and spec.name != "public_url"]
    values = {name: getattr(settings, name) for name in kept}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}


def _unknown(name: str, value: object, known: list[str], *, runtime: bool) -> SettingError:
    if runtime and (spec := next((spec for spec in _SPECS if spec.name == name), None)):
        allowed = f"it at the start only; settings that may change while the sandbox runs: {', '.join(known)}"
        return SettingError(name, Withheld() if spec.secret else value, allowed)
    return UnknownSettingError(name, value, did_you_mean(name, known))
