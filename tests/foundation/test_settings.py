"""Settings: every one is declared once, read from text as from values, and refused with what is allowed."""

from __future__ import annotations

import dataclasses
import json
from datetime import timedelta
from typing import Any

import pytest

from sandbox.foundation.errors import SettingError
from sandbox.foundation.settings import MIB, Settings, setting_specs

SPECS = {spec.name: spec for spec in setting_specs()}


def test_every_field_has_a_specification_and_its_default_is_allowed() -> None:
    assert list(SPECS) == [field.name for field in dataclasses.fields(Settings)]
    for spec in SPECS.values():
        assert spec.read(spec.default) == spec.default == getattr(Settings(), spec.name)


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS.keys())
def test_specification_tells_people_what_they_need(spec: Any) -> None:
    assert spec.doc.endswith(".")
    assert spec.type.allowed
    assert spec.tag in ("documented", "framework", "unconfirmed", "announced", "undefined", "ours")
    assert spec.env == f"PATCHWORKS_SANDBOX_{spec.name.upper()}"
    assert spec.flag == f"--{spec.name.replace('_', '-')}"
    assert json.dumps(spec.type.schema)


def test_documented_defaults() -> None:
    settings = Settings()

    assert (settings.host, settings.port) == ("127.0.0.1", 8025)
    assert (settings.token_path, settings.token_methods) == ("/oauth/token", ("GET", "POST"))
    assert (settings.token_lifetime, settings.required_scope) == (86_400, "access-inbound")
    assert (settings.body_limit, settings.success_status) == (8 * MIB, 200)
    assert (settings.rate_limit, settings.rate_limit_requests, settings.rate_limit_window) == (False, 60, 60)
    assert (settings.journal_entries, settings.journal_bytes) == (100_000, 512 * MIB)
    assert (settings.wire_profile, settings.accept, settings.inactive_service) == ("modern", "documented", "not_found")


@pytest.mark.parametrize(
    ("name", "given", "value"),
    [
        ("host", "0.0.0.0", "0.0.0.0"),
        ("port", "0", 0),
        ("port", " 65535 ", 65_535),
        ("public_url", None, None),
        ("public_url", "", None),
        ("public_url", "https://patchworks.test:8443", "https://patchworks.test:8443"),
        ("public_url", "http://[::1]:8025", "http://[::1]:8025"),
        ("allowed_hosts", "", ()),
        ("allowed_hosts", "Sandbox.test, ci", ("sandbox.test", "ci")),
        ("allowed_hosts", "*", ("*",)),
        ("allowed_hosts", "::1,FD00::1,::ffff:127.0.0.1", ("::1", "fd00::1", "::ffff:127.0.0.1")),
        ("threads", "256", 256),
        ("tls", "yes", True),
        ("tls_port", "0", 0),
        ("tls_folder", "", None),
        ("tls_names", "", ()),
        (
            "tls_names",
            "Shop.Example, *.example.test,::1,192.0.2.1",
            ("shop.example", "*.example.test", "::1", "192.0.2.1"),
        ),
        ("signing_key_file", "/keys/a b.pem", "/keys/a b.pem"),
        ("signing_key_file", "", None),
        ("random_seed", "42", 42),
        ("random_seed", "", None),
        ("random_seed", 2**63 - 1, 2**63 - 1),
        ("wire_profile", "legacy", "legacy"),
        ("token_path", "/oauth2/v1.0/get_token-x", "/oauth2/v1.0/get_token-x"),
        ("token_methods", "GET,POST", ("GET", "POST")),
        ("token_methods", " post , POST", ("POST",)),
        ("token_methods", ["get"], ("GET",)),
        ("token_methods", ("POST", "GET"), ("POST", "GET")),
        ("token_lifetime", "24h", 86_400),
        ("token_lifetime", "PT1H30M", 5_400),
        ("token_lifetime", "90", 90),
        ("token_lifetime", 90.0, 90),
        ("token_lifetime", timedelta(days=365), 365 * 86_400),
        ("required_scope", "orders:write", "orders:write"),
        ("scopes", "a, b,a", ("a", "b")),
        ("success_status", "201", 201),
        ("success_message", "Danke für die Daten", "Danke für die Daten"),
        ("entity_check", "flag", "flag"),
        ("body_limit", 1, 1),
        ("rate_limit", "on", True),
        ("rate_limit", " Yes ", True),
        ("rate_limit", "TRUE", True),
        ("rate_limit", "1", True),
        ("rate_limit", "off", False),
        ("rate_limit", "no", False),
        ("rate_limit", "0", False),
        ("rate_limit", "false", False),
        ("rate_limit", True, True),
        ("rate_limit_window", "1m", 60),
        ("journal_bytes", 64 * 1024, 64 * 1024),
    ],
    ids=str,
)
def test_setting_is_read_from_values_and_text(name: str, given: object, value: object) -> None:
    assert getattr(Settings().changed({name: given}), name) == value
    assert getattr(Settings(**{name: given}), name) == value  # type: ignore[arg-type]


_NOT_WHOLE = [
    None,
    "",
    "x",
    "1.5",
    "1_0",
    "0x10",
    "--5",
    "5 5",
    1.5,
    float("nan"),
    float("inf"),
    True,
    [],
    {},
    "9" * 30,
    10**400,
]
REFUSED: dict[str, list[object]] = {
    "host": ["", "a b", "a\nb", None, 5],
    "port": [*_NOT_WHOLE, -1, "-1", 65_536, "65536"],
    "public_url": [
        *("ftp://a", "http://", "http:///", "https://a/", "http://a/b", "http://a?b", "http://a#b", "http://u@a", "a"),
        *("http://a b", "http://a\n", "http://a:", "http://a:123456", "http://ä", 5, []),
    ],
    "tls_names": ["a_b", "*", "a.*.b", "-a", "a:8025", "http://a", "a,,b", [5], None],
    "allowed_hosts": ["a b", "http://a", "a:8025", "a,,b", ["a", ""], [5], None, 5, "a/b"],
    "threads": [*_NOT_WHOLE, 0, 257],
    "signing_key_file": ["a\nb", 5, True],
    "signing_key_bits": [*_NOT_WHOLE, 2047, 8193],
    "random_seed": [-1, "x", 1.5, True, 2**63, []],
    "wire_profile": ["", "Modern", "laravel", None, 5, [], {}],
    "accept": ["json", None],
    "token_path": [
        *(
            "",
            "/",
            "oauth/token",
            "/oauth//token",
            "/oauth/token/",
            "/v1/token",
            "/_sandbox/token",
            "/ä",
            "/a b",
            "/a?b",
        ),
        *("/..", "/a/../b", "/a%20b", "/a\n", None, 5),
    ],
    "token_methods": ["", "PUT", "GET,PUT", "GET,,POST", ",", [], ["GET", 5], None, 5, {"GET": 1}],
    "token_lifetime": [
        *(0, "0", -1, "-1h", "1.5s", 0.5, True, None, "", "x", "1y", [], 365 * 86_400 + 1, "53w", float("nan")),
        *(float("inf"), 10**400, "9" * 400, "²"),
    ],
    "required_scope": ["", "a b", 'a"b', "a\\b", "a,b", "ä", "a\tb", None, 5],
    "scopes": ["", "a b", "a,,b", [], [""], [5], None],
    "success_status": [199, 202, "ok", None, True, 200.5],
    "success_message": ["", "x" * 501, "a\nb", "a\rb", None, 5],
    "inactive_service": ["404", None],
    "entity_check": [True, "on", None],
    "body_limit": [*_NOT_WHOLE, 0, 1024 * MIB + 1],
    "rate_limit": ["", "maybe", 1, 0, None, [], 2.0],
    "rate_limit_requests": [*_NOT_WHOLE, 0, 1_000_001],
    "rate_limit_window": [0, 86_401, "x", None],
    "rate_limit_key": ["token", None],
    "journal_entries": [*_NOT_WHOLE, 0, 10_000_001],
    "journal_bytes": [*_NOT_WHOLE, 64 * 1024 - 1, 64 * 1024 * MIB + 1],
}


@pytest.mark.parametrize(
    ("name", "given"),
    [(name, given) for name, values in REFUSED.items() for given in values],
    ids=lambda value: repr(value)[:20],
)
def test_bad_value_is_refused_with_what_is_allowed(name: str, given: object) -> None:
    with pytest.raises(SettingError) as caught:
        Settings().changed({name: given})

    assert (caught.value.field, caught.value.given, caught.value.allowed) == (name, given, SPECS[name].type.allowed)
    assert str(caught.value).startswith(f"{name}: ")
    assert str(caught.value).endswith(f"is not allowed; use {SPECS[name].type.allowed}")


def test_change_makes_a_new_value_and_leaves_the_old() -> None:
    before = Settings()
    after = before.changed({"token_lifetime": "1h", "rate_limit": "on"}, runtime=True)

    assert (after.token_lifetime, after.rate_limit) == (3_600, True)
    assert before == Settings()
    assert after.changed({}) == after
    with pytest.raises(dataclasses.FrozenInstanceError):
        after.port = 1  # type: ignore[misc]


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("token_lifetme", "did you mean 'token_lifetime'? "),
        ("rate-limit", "did you mean 'rate_limit'? "),
        ("wireprofile", "did you mean 'wire_profile'? "),
        ("zzz", ""),
        (5, ""),
    ],
)
def test_unknown_setting_gets_a_suggestion_and_all_names(name: Any, hint: str) -> None:
    with pytest.raises(SettingError) as caught:
        Settings().changed({name: 1})

    assert str(caught.value) == f"{name}: there is no such setting; {hint}known: {', '.join(SPECS)}"


@pytest.mark.parametrize("name", [spec.name for spec in SPECS.values() if not spec.runtime])
def test_setting_of_the_start_is_not_changed_at_run_time(name: str) -> None:
    with pytest.raises(SettingError, match=f"^{name}: .* use it at the start only; settings that may change while"):
        Settings().changed({name: SPECS[name].default}, runtime=True)

    assert Settings().changed({name: SPECS[name].default}) == Settings()


@pytest.mark.parametrize("name", [spec.name for spec in SPECS.values() if spec.runtime])
def test_other_settings_are_changed_at_run_time(name: str) -> None:
    assert Settings().changed({name: SPECS[name].default}, runtime=True) == Settings()


def test_unknown_setting_at_run_time_is_offered_only_what_can_change() -> None:
    with pytest.raises(SettingError) as caught:
        Settings().changed({"prot": 1}, runtime=True)

    assert "port," not in caught.value.allowed
    assert "wire_profile" in caught.value.allowed


def test_one_bad_value_refuses_the_whole_change() -> None:
    with pytest.raises(SettingError, match=r"^threads: "):
        Settings().changed({"port": 1, "threads": 0})
