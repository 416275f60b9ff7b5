"""The keyword arguments of the handle's verbs, for type checkers and editors; nothing imports this while it runs.

The sandbox itself checks every value, and tests hold these names against its settings and fault rules.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from typing_extensions import TypedDict


class DurationFields(TypedDict, total=False):
    """A duration in the units of ``timedelta``."""

    weeks: float
    days: float
    hours: float
    minutes: float
    seconds: float
    milliseconds: float
    microseconds: float


class MatchFields(TypedDict, total=False):
    """The requests that a fault rule is for."""

    endpoint: Literal["any", "token", "inbound", "login", "start", "webhook", "callback", "core", "processing"]
    company: str | None
    vanity_url: str | None
    flow: str | None
    reference: str | None
    client_id: str | None
    method: str | None
    headers: Mapping[str, str | None]
    json_path: str | Mapping[str, Any] | None


class RuleFields(MatchFields, total=False):
    """A fault rule without its fault: when it acts, and on which requests."""

    name: str | None
    after: int
    times: int | None
    every: int
    probability: float
    since: datetime | str | None
    until: datetime | str | None
    lasts: float | str | None
    accept: bool
    match: Mapping[str, Any]


class RunTimeSettingFields(TypedDict, total=False):
    """The settings that may change while a sandbox runs."""

    public_url: str | None
    wire_profile: Literal["modern", "legacy"]
    accept: Literal["documented", "laravel", "laravel_without_login", "laravel13_without_login"]
    token_methods: Sequence[str]
    token_lifetime: int | str
    required_scope: str
    scopes: Sequence[str]
    success_status: Literal[200, 201]
    success_message: str
    inactive_service: Literal["not_found", "forbidden", "accept"]
    entity_check: Literal["reject", "flag", "off"]
    body_limit: int
    rate_limit: bool
    rate_limit_requests: int
    rate_limit_window: int | str
    rate_limit_key: Literal["client", "ip"]
    state_limit: int
    default_scope: Literal["access-inbound", "none"]
    inbound_auth: Literal["bearer", "basic", "both"]
    check_order: Literal["documented", "framework"]
    company_class: str
    endpoint_class: str
    processing: Literal["immediate", "scheduled", "off"]
    processing_retry: int | str
    resync: Literal["allowed", "never"]
    inactive_flow: Literal["unprocessable", "not_found", "forbidden", "accept"]
    disabled_flow: Literal["accept", "unprocessable"]
    flow_payload: Literal["reject", "accept"]
    flow_run_key: str
    flow_signature: Literal["forbidden", "unauthenticated", "not_found"]
    hmac_encoding: Literal["hex", "base64"]
    core_items: Literal["flat", "attributes", "both"]
    core_created_status: Literal[200, 201]
    core_unknown_query: Literal["reject", "ignore"]
    per_page_over_max: Literal["clamp", "422"]
    flow_limits: bool
    blank_payload: Literal["reject", "accept"]
    rate_limit_counters: Literal["separate", "shared"]
    journal_entries: int
    journal_bytes: int


class SettingFields(RunTimeSettingFields, total=False):
    """All settings."""

    host: str
    port: int
    allowed_hosts: Sequence[str]
    control_key: str | None
    no_control_key: bool
    threads: int
    tls: bool
    tls_port: int
    tls_folder: str | None
    tls_names: Sequence[str]
    tls_cert_file: str | None
    tls_key_file: str | None
    signing_key_file: str | None
    signing_key_bits: int
    random_seed: int | None
    token_path: str
    client_id: str | None
    client_secret: str | None
    whole_numbers: Literal["integers", "numbers"]
    presets_dir: str | None
    log_level: Literal["debug", "info", "warning", "error"]
    log_format: Literal["auto", "text", "json"]
    journal_file: str | None
