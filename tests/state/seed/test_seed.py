"""Seeds: what the files say, what is refused and where, and that the shipped ones work."""

from __future__ import annotations

import cProfile
import json
import re
import shutil
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from textwrap import indent
from typing import Any

import jsonschema_rs
import pytest
import yaml

from sandbox.foundation import yaml_document as document_module
from sandbox.foundation.errors import SeedError
from sandbox.platform.entity_check import EntityCheck, infer_schema
from sandbox.platform.model import FieldMapping, ServiceOptions
from sandbox.state.seed import demo_seed, demo_seed_file, load_seed, parse_seed
from sandbox.state.seed.parts import ClientSeed, CompanySeed, ConnectorSeed, EntitySeed, Seed, ServiceSeed
from sandbox.state.seed.schema import SCHEMA_FILE
from tests import ROOT

FIXTURES = ROOT / "fixtures"
CLIENT_ID = "3f0e8d5c-6c5b-4d0e-9a53-0c6f5b0a7d11"

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a file into a folder of the test's own."""

    def write(content: str | bytes, name: str = "seed.yaml") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def connector(body: str) -> str:
    """Return a seed file whose only connector has ``body``, which begins on line 5."""
    indented = "".join(f"        {line}\n" for line in body.splitlines())
    return f"companies:\n  - name: Acme\n    connectors:\n      - name: Shop\n{indented}"


def with_connector(**body: Any) -> dict[str, Any]:
    """Return a seed as Python data whose only connector has ``body``."""
    return {"companies": [{"name": "Acme", "connectors": [{"name": "Shop", **body}]}]}


def only_connector(seed: Seed) -> ConnectorSeed:
    [company] = seed.companies
    [found] = company.connectors
    return found


def sample_of(yaml_value: str, write: Write, **environ: str) -> Any:
    """Return what ``yaml_value`` means as an entity's sample."""
    path = write(connector(f"entities:\n  - type: custom\n    name: thing\n    sample: {yaml_value}"))
    [entity] = only_connector(load_seed(path, environ=environ)).entities
    return entity.sample


def refusal(path: Path, **environ: str) -> SeedError:
    with pytest.raises(SeedError) as caught:
        load_seed(path, environ=environ)
    return caught.value


# --- what a seed says ---


def test_full_file_becomes_frozen_values(write: Write) -> None:
    path = write(
        f"""\
companies:
  - name: Acme Ltd
    slug: acme
    connectors:
      - name: Shop
        environment: live
        entities:
          - {{type: orders, name: orders, sample: {{number: "1"}}, json_schema: {{required: [number]}}}}
          - {{type: custom, name: anything}}
        oauth_clients:
          - {{name: CI job, client_id: {CLIENT_ID.upper()}, client_secret: "correct horse"}}
        services:
          - {{vanity_url: New_Orders, entity: orders, active: false}}
          - {{vanity_url: anything, entity: anything}}
settings:
  rate_limit: true
"""
    )

    assert load_seed(path) == Seed(
        companies=(
            CompanySeed(
                name="Acme Ltd",
                slug="acme",
                connectors=(
                    ConnectorSeed(
                        name="Shop",
                        environment="live",
                        entities=(
                            EntitySeed("orders", "orders", {"number": "1"}, {"required": ["number"]}),
                            EntitySeed("custom", "anything"),
                        ),
                        oauth_clients=(ClientSeed("CI job", CLIENT_ID, "correct horse"),),
                        services=(
                            ServiceSeed("new_orders", "orders", active=False),
                            ServiceSeed("anything", "anything"),
                        ),
                    ),
                ),
            ),
        ),
        settings={"rate_limit": True},
    )


@pytest.mark.parametrize(
    "content",
    ["", "# nothing yet\n", "---\n", "~", "\ufeff", "companies:\nsettings:\n", "companies: []\nsettings: {}\n"],
)
def test_file_without_content_is_an_empty_seed(content: str, write: Write) -> None:
    assert load_seed(write(content)) == Seed()


def test_no_file_is_an_empty_seed() -> None:
    assert load_seed() == Seed()


def test_data_gives_the_same_seed_as_a_file(write: Write) -> None:
    data = with_connector(
        entities=[{"type": "orders", "name": "orders", "sample": {"lines": [{"qty": 2, "price": 1.5}], "note": None}}],
        oauth_clients=[{"name": "CI job", "client_id": CLIENT_ID}],
        services=[{"vanity_url": "ORDERS", "entity": "orders"}],
    )

    assert parse_seed(data) == load_seed(write(yaml.safe_dump(data)))


def test_data_may_be_tuples_and_is_copied() -> None:
    sample = {"lines": ({"qty": 2},)}
    data = with_connector(entities=({"type": "orders", "name": "orders", "sample": sample},))
    seed = parse_seed(data)
    sample["lines"][0]["qty"] = 3

    assert only_connector(seed).entities[0].sample == {"lines": [{"qty": 2}]}


def test_secret_stays_out_of_the_repr() -> None:
    seed = parse_seed(with_connector(oauth_clients=[{"name": "CI job", "client_secret": "correct horse"}]))

    assert "correct horse" not in repr(seed)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12", 12),
        ("-0", 0),
        ("12.50", 12.5),
        ("-1.5e3", -1500.0),
        ("1e2", 100.0),
        ("true", True),
        ("FALSE", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("yes", "yes"),
        ("on", "on"),
        ("010", "010"),
        ("+1", "+1"),
        ("1_000", "1_000"),
        ("12:30", "12:30"),
        ("0x1F", "0x1F"),
        (".inf", ".inf"),
        ("2026-01-31", "2026-01-31"),
        ("'12'", "12"),
        ('"true"', "true"),
        ("'~'", "~"),
        ("<<", "<<"),
        ("Zoë 😀", "Zoë 😀"),
        ("{1: a, true: b, ~: c}", {"1": "a", "true": "b", "~": "c"}),
        ("[a, [], {}]", ["a", [], {}]),
    ],
)
def test_values_are_those_of_yaml_1_2(text: str, value: Any, write: Write) -> None:
    found = sample_of(text, write)

    assert (found, type(found)) == (value, type(value))


# --- environment variables ---


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("${NAME}", "shop"),
        ("'${NAME}'", "shop"),
        ("a-${NAME}-${NAME}", "a-shop-shop"),
        ("${NAME:-other}", "shop"),
        ("${MISSING:-other}", "other"),
        ("${MISSING:-}", ""),
        ("${EMPTY}", ""),
        ("${EMPTY:-other}", "other"),
        ("${NUMBER}", "5"),
        ("${LOOKS_LIKE_ONE}", "${NAME}"),
        ("$${NAME}", "${NAME}"),
        ("$NAME $$ $ }", "$NAME $$ $ }"),
    ],
)
def test_text_takes_variables_from_the_environment(text: str, value: str, write: Write) -> None:
    environ = {"NAME": "shop", "EMPTY": "", "NUMBER": "5", "LOOKS_LIKE_ONE": "${NAME}"}

    assert sample_of(text, write, **environ) == value


def test_environment_of_the_process_is_the_default(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEED_TEST_SECRET", "correct horse")
    path = write(connector("oauth_clients:\n  - name: CI job\n    client_secret: ${SEED_TEST_SECRET}"))

    assert only_connector(load_seed(path)).oauth_clients[0].client_secret == "correct horse"


@pytest.mark.parametrize("key", ["client_id", "client_secret"])
def test_null_counts_as_left_out_and_an_empty_variable_is_refused(key: str, write: Write) -> None:
    clients = "oauth_clients:\n  - name: CI job\n    {}: {}"
    left_out = write(connector(clients.format(key, "~")))
    assert getattr(only_connector(load_seed(left_out)).oauth_clients[0], key) is None

    empty = refusal(write(connector(clients.format(key, "${SEED_TEST_EMPTY}"))), SEED_TEST_EMPTY="")
    assert f"oauth_clients[0].{key}: " in str(empty)


def test_keys_and_python_data_take_no_variables(write: Write) -> None:
    data = with_connector(entities=[{"type": "custom", "name": "${NAME}", "sample": {"${NAME}": 1}}])

    assert only_connector(parse_seed(data)).entities[0].name == "${NAME}"
    assert sample_of('{"${NAME}": 1}', write) == {"${NAME}": 1}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("${MISSING}", "the environment variable MISSING is not set; set it or write ${MISSING:-default}"),
        ("${1}", "${ must begin ${NAME} or ${NAME:-default}; write $${ for a literal ${"),
        ("${NAME", "${ must begin ${NAME} or ${NAME:-default}; write $${ for a literal ${"),
        ("${NOT_UTF8}", "the environment variable NOT_UTF8 is not UTF-8; set it to text"),
    ],
)
def test_variable_that_cannot_be_filled_in_is_refused(text: str, message: str, write: Write) -> None:
    path = write(connector(f"oauth_clients:\n  - name: CI job\n    client_secret: {text}"))

    error = refusal(path, NOT_UTF8="\udce9")

    assert (error.line, str(error)) == (7, f"{path}:7: {message}")


# --- several files ---


def test_later_file_is_merged_on_top_of_the_earlier(write: Write) -> None:
    base = write(
        """\
companies:
  - name: Acme
    slug: acme
    connectors:
      - name: Shop
        environment: live
        entities: [{type: orders, name: orders}]
        oauth_clients: [{name: CI job}, {name: Nightly}]
        services: [{vanity_url: orders, entity: orders}]
settings: {threads: 4, rate_limit: false}
""",
        "base.yaml",
    )
    overlay = write(
        f"""\
companies:
  - name: Acme Limited
    slug: acme
    connectors:
      - name: Shop
        oauth_clients: [{{name: CI job, client_id: {CLIENT_ID}}}]
        services: [{{vanity_url: Orders, entity: orders, active: false}}, {{vanity_url: more, entity: orders}}]
      - name: Warehouse
  - name: Other
settings: {{rate_limit: true}}
""",
        "overlay.yaml",
    )

    shop = ConnectorSeed(
        "Shop",
        "live",
        (EntitySeed("orders", "orders"),),
        (ClientSeed("CI job", CLIENT_ID), ClientSeed("Nightly")),
        (ServiceSeed("orders", "orders", active=False), ServiceSeed("more", "orders")),
    )
    acme = CompanySeed("Acme Limited", "acme", (shop, ConnectorSeed("Warehouse")))
    expected = Seed((acme, CompanySeed("Other")), {"threads": 4, "rate_limit": True})

    assert load_seed(base, str(overlay)) == expected


@pytest.mark.parametrize(
    ("first", "second", "merged"),
    [
        ("name: A", "name: A", [("A", None)]),
        ("name: A", "{name: A, slug: aa}", [("A", "aa")]),
        ("{name: A, slug: aa}", "name: A", [("A", "aa")]),
        ("{name: A, slug: aa}", "{name: B, slug: aa}", [("B", "aa")]),
        ("{name: A, slug: aa}", "{name: A, slug: bb}", [("A", "aa"), ("A", "bb")]),
        ("name: A", "name: B", [("A", None), ("B", None)]),
    ],
)
def test_companies_of_two_files_are_one_by_slug_or_name(
    first: str, second: str, merged: list[tuple[str, str | None]], write: Write
) -> None:
    paths = [write(f"companies:\n  - {company}\n", name) for company, name in ((first, "a"), (second, "b"))]

    assert [(company.name, company.slug) for company in load_seed(*paths).companies] == merged


def test_rule_broken_by_two_files_names_a_place_in_each(write: Write) -> None:
    entities = "entities: [{type: orders, name: orders}]\n"
    service = "services:\n  - vanity_url: orders\n    entity: orders"
    first = write(connector(entities + service), "first.yaml")
    second = write(connector(entities + service).replace("Shop", "Warehouse"), "second.yaml")

    with pytest.raises(SeedError) as caught:
        load_seed(first, second)

    assert str(caught.value) == (
        f"{second}:7: companies[0].connectors[0].services[0].vanity_url: 'orders' is taken by {first}:7; "
        "choose one that is unique in the company"
    )


# --- what is refused in the structure ---

NAME = "use text of 1 to 255 characters, not only spaces"
COMPANY = "use a mapping with the keys name, slug, connectors, flows, api_keys and users"
CLIENT_NAME = "use text of 3 to 255 characters, not only spaces"
UUID = "use a UUID such as 3f0e8d5c-6c5b-4d0e-9a53-0c6f5b0a7d11"
SECRET = "use 8 to 255 printable ASCII characters, no space at either end"
URL = "use 3 to 36 letters, digits, - and _"
SLUG = "use 2 to 63 lower-case letters, digits and hyphens"


@pytest.mark.parametrize(
    ("content", "line", "message"),
    [
        ("text", 1, "'text' is not allowed; use a mapping with the keys companies, settings and faults"),
        ("[]", 1, "a list is not allowed; use a mapping with the keys companies, settings and faults"),
        ("\ncompanys: []", 2, "companys: is unknown; did you mean 'companies'? known: companies, settings, faults"),
        ("zzz: 1", 1, "zzz: is unknown; known: companies, settings, faults"),
        ("companies: {}", 1, "companies: a mapping is not allowed; use a list of companies, each with a name"),
        (
            "companies:\n  - Acme",
            2,
            f"companies[0]: 'Acme' is not allowed; {COMPANY}",
        ),
        ("companies:\n\n  - slug: acme", 3, "companies[0]: the key 'name' is missing; add it"),
        ("companies:\n  - name:\n      5", 2, f"companies[0].name: 5 is not allowed; {NAME}; quotes make it text"),
        ("companies:\n  - name: ' '", 2, f"companies[0].name: ' ' is not allowed; {NAME}"),
        ("companies:\n  - name: ''", 2, f"companies[0].name: '' is not allowed; {NAME}"),
        ("companies:\n  - name: A\n    slug: a", 3, f"companies[0].slug: 'a' is not allowed; {SLUG}"),
        ("companies:\n  - name: A\n    slug: Acme", 3, f"companies[0].slug: 'Acme' is not allowed; {SLUG}"),
        ("settings: 5", 1, "settings: 5 is not allowed; use a mapping of setting names to values"),
    ],
)
def test_wrong_structure_is_refused_with_its_line(content: str, line: int, message: str, write: Write) -> None:
    path = write(content)

    error = refusal(path)

    assert (error.file, error.line, str(error)) == (str(path), line, f"{path}:{line}: {message}")


@pytest.mark.parametrize(
    ("body", "line", "message"),
    [
        ("environment: prod", 5, "environment: 'prod' is not allowed; use test or live"),
        (
            "entities: {}",
            5,
            "entities: a mapping is not allowed; use a list of entities, each with a type and a name",
        ),
        ("entities:\n  - name: orders", 6, "entities[0]: the key 'type' is missing; add it"),
        (
            "entities:\n  - {type: a, name: b, sample: 1,\n     sample_file: c.json}",
            6,
            "entities[0]: has both sample and sample_file; keep one of them",
        ),
        (
            "entities:\n  - type: a\n    name: b\n    json_schema: []",
            8,
            "entities[0].json_schema: a list is not allowed; use a mapping that is a JSON Schema",
        ),
        ("oauth_clients:\n  - name: CI", 6, f"oauth_clients[0].name: 'CI' is not allowed; {CLIENT_NAME}"),
        (
            "oauth_clients:\n  - name: CI job\n    client_id: 5-6",
            7,
            f"oauth_clients[0].client_id: '5-6' is not allowed; {UUID}",
        ),
        (
            "oauth_clients:\n  - name: CI job\n    client_secret: short77",
            7,
            f"oauth_clients[0].client_secret: a value of 7 characters is not allowed; {SECRET}",
        ),
        (
            "oauth_clients:\n  - name: CI job\n    client_secret: ' with spaces '",
            7,
            f"oauth_clients[0].client_secret: a value of 13 characters is not allowed; {SECRET}",
        ),
        (
            "oauth_clients:\n  - name: CI job\n    client_secret: geheimnisträger",
            7,
            f"oauth_clients[0].client_secret: a value of 15 characters is not allowed; {SECRET}",
        ),
        (
            "oauth_clients:\n  - name: CI job\n    client_secret: 123456789",
            7,
            f"oauth_clients[0].client_secret: a value of 9 characters is not allowed; {SECRET}; quotes make it text",
        ),
        (
            "services:\n  - entity: a\n    vanity_url: ab",
            7,
            f"services[0].vanity_url: 'ab' is not allowed; {URL}",
        ),
        (
            "services:\n  - entity: a\n    vanity_url: new orders",
            7,
            f"services[0].vanity_url: 'new orders' is not allowed; {URL}",
        ),
        (
            "services:\n  - entity: a\n    vanity_url: abc\n    active: yes",
            8,
            "services[0].active: 'yes' is not allowed; use true or false",
        ),
        (
            "services:\n  - entity: a\n    vanity_url: abc\n    vanityUrl: abc",
            8,
            "services[0].vanityUrl: is unknown; did you mean 'vanity_url'? known: vanity_url, entity, active, \
destination, schedule, time_zone, page_size, max_attempts, type, reference, mappings, notes",
        ),
    ],
)
def test_wrong_value_in_a_connector_is_refused_with_its_line(body: str, line: int, message: str, write: Write) -> None:
    path = write(connector(body))

    error = refusal(path)

    assert str(error) == f"{path}:{line}: companies[0].connectors[0].{message}"


SERVICE = "entities:\n  - {type: a, name: a}\nservices:\n  - entity: a\n    vanity_url: abc\n"


def test_service_of_a_seed_has_its_options(write: Write) -> None:
    options = "schedule: every 2 hours\ndestination: NetSuite\nnotes:\nmappings:\n  - {source: a, destination: b}\n"
    path = write(connector(SERVICE + indent(options, "    ")))

    [company] = load_seed(path).companies
    [service] = company.connectors[0].services
    mapping = FieldMapping("a", "b")
    assert service.options == ServiceOptions("NetSuite", "every 2 hours", mappings=(mapping,))


@pytest.mark.parametrize(
    ("option", "line", "message"),
    [
        ("max_attempts: 16", 10, "max_attempts: 16 is not allowed; use a whole number from 1 to 15"),
        (
            "time_zone: Mars",
            10,
            "time_zone: 'Mars' is not allowed; use a time zone of the IANA database, such ",
        ),
        ("schedule: 0 0 30 2 *", 10, "schedule: '0 0 30 2 *' is not allowed; use a preset (every minute, every 5"),
        ("mappings: [{source: a}]", 10, "mappings[0].destination: missing; give text of 1 to 255 "),
        ("mappings: x", 10, "mappings: 'x' is not allowed; use a list of up to 500 objects with source and "),
        ("page_size:", 10, "page_size: None is not allowed; use a whole number from 1 to 1000"),
    ],
)
def test_wrong_option_of_a_service_is_refused_with_its_line(option: str, line: int, message: str, write: Write) -> None:
    path = write(connector(f"{SERVICE}    {option}"))

    assert str(refusal(path)).startswith(f"{path}:{line}: companies[0].connectors[0].services[0].{message}")


def test_message_never_shows_a_secret(write: Write) -> None:
    path = write(connector("oauth_clients: {name: CI job, client_secret: Tr0ub4dor}"))

    assert "Tr0ub4dor" not in str(refusal(path))


@pytest.mark.parametrize("length", [8, 255])
def test_secret_may_have_the_shortest_and_the_longest_length(length: int) -> None:
    seed = parse_seed(with_connector(oauth_clients=[{"name": "abc", "client_secret": "x" * length}]))

    assert only_connector(seed).oauth_clients[0].client_secret == "x" * length


@pytest.mark.parametrize(
    "body",
    [
        {"oauth_clients": [{"name": "abc", "client_secret": "x" * 256}]},
        {"oauth_clients": [{"name": "abc", "client_secret": "12345678\n"}]},
        {"oauth_clients": [{"name": "abc", "client_id": f"{CLIENT_ID}\n"}]},
        {"oauth_clients": [{"name": "x" * 256}]},
        {"services": [{"vanity_url": "x" * 37, "entity": "a"}]},
        {"services": [{"vanity_url": "été", "entity": "a"}]},
    ],
)
def test_value_beyond_its_limit_is_refused(body: dict[str, Any]) -> None:
    with pytest.raises(SeedError, match="is not allowed"):
        parse_seed(with_connector(**body))


def test_all_errors_of_a_file_are_told_in_the_order_of_their_lines(write: Write) -> None:
    path = write("zzz: 1\ncompanies:\n  - nam: Acme\n    slug: A B\n")

    error = refusal(path)

    assert (error.line, [line.split(": ")[0] for line in str(error).splitlines()]) == (
        1,
        [f"{path}:1", f"{path}:3", f"{path}:3", f"{path}:4"],
    )


def test_message_shows_twenty_errors_and_counts_the_rest(write: Write) -> None:
    lines = str(refusal(write("companies:\n" + "  - slug: acme\n" * 30))).splitlines()

    assert (len(lines), lines[-1]) == (21, "… and 10 more")


# --- what is refused because of another value ---


@pytest.mark.parametrize(
    ("body", "line", "message"),
    [
        (
            "entities: [{type: a, name: orders}]\nservices:\n  - vanity_url: abc\n    entity: order",
            8,
            "services[0].entity: 'Shop' has no entity 'order'; did you mean 'orders'? known: orders",
        ),
        (
            "services:\n  - vanity_url: abc\n    entity: order",
            7,
            "services[0].entity: 'Shop' has no entity 'order'; known: none",
        ),
        (
            "entities:\n  - {type: a, name: b}\n  - {type: c, name: b}",
            7,
            "entities[1]: is the same as {path}:6; remove one of them or rename it",
        ),
        (
            "oauth_clients:\n  - name: abc\n  - name: abc",
            7,
            "oauth_clients[1]: is the same as {path}:6; remove one of them or rename it",
        ),
        (
            "services:\n  - {vanity_url: abc, entity: b}\n  - {vanity_url: ABC, entity: b}\nentities: []",
            7,
            "services[1]: is the same as {path}:6; remove one of them or rename it",
        ),
        (
            f"oauth_clients:\n  - {{name: abc, client_id: {CLIENT_ID}}}\n  - {{name: abd, client_id: {CLIENT_ID}}}",
            7,
            f"oauth_clients[1].client_id: '{CLIENT_ID}' is taken by {{path}}:6; choose one that is unique in the seed",
        ),
        (
            "entities:\n  - type: a\n    name: b\n    json_schema: {type: strin}",
            8,
            'entities[0].json_schema: is not allowed; use a valid JSON Schema ("strin" is not valid under any',
        ),
        (
            "entities:\n  - {type: a, name: b, sample: {n: [1]},\n     json_schema: {properties: {n: {maxItems: 0}}}}",
            7,
            "entities[0].json_schema: refuses the entity's own sample at n ([1] has more than 0 items); change",
        ),
        (
            "entities:\n  - type: a\n    name: b\n    sample: {}\n    json_schema: {required: [n]}",
            9,
            "entities[0].json_schema: refuses the entity's own sample at n (required); change one of them",
        ),
    ],
)
def test_broken_rule_is_refused_with_its_line(body: str, line: int, message: str, write: Write) -> None:
    path = write(connector(body))

    told = f"{path}:{line}: companies[0].connectors[0].{message.replace('{path}', str(path))}"

    assert str(refusal(path)).startswith(told)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("companies:\n  - name: A\n  - name: A\n", "companies[1]: is the same as {path}:2"),
        ("companies:\n  - {name: A, slug: aa}\n  - {name: B, slug: aa}\n", "companies[1]: is the same as {path}:2"),
        (
            "companies:\n  - name: A\n    connectors: [{name: S}, {name: S}]\n",
            "companies[0].connectors[1]: is the same as {path}:3",
        ),
    ],
)
def test_one_file_may_not_say_a_thing_twice(content: str, message: str, write: Write) -> None:
    path = write(content)

    assert f"{message.replace('{path}', str(path))}; remove one of them or rename it" in str(refusal(path))


def test_file_on_top_of_another_may_not_say_a_thing_twice_either(write: Write) -> None:
    base = write(connector(""), "base.yaml")
    overlay = write("companies:\n  - name: Acme\n    connectors: [{name: Shop}, {name: Shop}]\n  - name: Acme\n")
    with pytest.raises(SeedError) as caught:
        load_seed(base, overlay)

    assert f"companies[0].connectors[1]: is the same as {overlay}:3" in str(caught.value)
    assert f"companies[1]: is the same as {overlay}:2" in str(caught.value)


def test_json_schema_that_refers_to_another_document_is_refused_unfetched() -> None:
    entity = {"type": "a", "name": "b", "json_schema": {"$ref": "https://example.com/schema.json"}}

    with pytest.raises(SeedError, match=r"https://example\.com/schema\.json is not fetched"):
        parse_seed(with_connector(entities=[entity]))


# --- sample files ---


def with_sample_file(name: str) -> str:
    return connector(f"entities:\n  - type: a\n    name: b\n    sample_file: {name}")


def test_sample_file_is_read_from_the_folder_of_the_seed(write: Write) -> None:
    write('\ufeff{"name": "Zoë", "price": 12.50}', "samples/order.json")
    path = write(with_sample_file("samples/order.json"))

    assert only_connector(load_seed(path)).entities[0].sample == {"name": "Zoë", "price": 12.5}


def test_sample_file_must_match_the_hand_written_schema(write: Write) -> None:
    write("{}", "order.json")
    path = write(with_sample_file("order.json") + "            json_schema: {required: [n]}\n")

    assert "refuses the entity's own sample at n" in str(refusal(path))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{\n  x}", "is not JSON: Expecting property name enclosed in double quotes (line 2, column 3)"),
        ("", "is not JSON: Expecting value (line 1, column 1)"),
        ("[NaN]", "NaN is not a number in JSON; write a finite one"),
        ("[1e999]", "1e999 is not a number in JSON; write a finite one"),
        ("[-Infinity]", "-Infinity is not a number in JSON; write a finite one"),
        ('{"a": ["\\ud800"]}', "a[0]: '\\ud800' is not JSON; "),
        ("[" * 100_000, "is nested deeper than 100 levels; make it flatter"),
        ("[" * 102 + "]" * 102, "is nested deeper than 100 levels; make it flatter"),
        (b'{"a":\n "\xe9"}', "is not UTF-8 (line 2, byte 8); save it as UTF-8"),
        ('{"a": [{"b": 1, "c": 2, "b": 1}]}', "the key 'b' is there more than once in one object; leave one of them"),
    ],
    ids=["syntax", "empty", "nan", "too-large", "infinity", "surrogate", "bomb", "deep", "latin-1", "repeated"],
)
def test_sample_file_that_is_not_json_is_refused(content: str | bytes, message: str, write: Write) -> None:
    write(content, "order.json")
    path = write(with_sample_file("order.json"))

    error = refusal(path)

    assert f"{path}:8: companies[0].connectors[0].entities[0].sample_file: 'order.json' " in str(error)
    assert message in str(error)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("missing.json", "'missing.json' cannot be read: No such file or directory"),
        (".", "'.' is a folder; give a file in it"),
        ("../outside.json", "'../outside.json' is outside the folder of the seed file; move it into"),
        ("/etc/hostname", "'/etc/hostname' is outside the folder of the seed file; move it into"),
        ("link.json", "'link.json' is outside the folder of the seed file; move it into"),
        ("loop.json", "'loop.json' cannot be read: "),
        (r'"a\0b"', "embedded null"),
    ],
)
def test_sample_file_that_cannot_be_read_is_refused(name: str, message: str, write: Write) -> None:
    path = write(with_sample_file(name), "folder/seed.yaml")
    outside = write("{}", "outside.json")
    (path.parent / "link.json").symlink_to(outside)
    (path.parent / "loop.json").symlink_to("loop.json")

    error = refusal(path)

    assert error.line == 8
    assert message in str(error)


def test_python_data_has_no_sample_files() -> None:
    data = with_connector(entities=[{"type": "a", "name": "b", "sample_file": "order.json"}])

    with pytest.raises(SeedError, match="works in a seed file only; give the payload as sample"):
        parse_seed(data)


# --- files that are no seed ---


@pytest.fixture(params=["libyaml", "pure Python"])
def _any_parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "pure Python":
        monkeypatch.setattr(document_module, "_Loader", yaml.SafeLoader)


@pytest.mark.usefixtures("_any_parser")
@pytest.mark.parametrize(
    ("content", "line", "message"),
    [
        ("a: 1\nb: 'x\n", 3, "is not YAML: found unexpected end of stream (while scanning a quoted scalar)"),
        ("a: b\n c: d", 2, "is not YAML: mapping values are not allowed"),
        ("\ta: 1", 1, "is not YAML: found character"),
        ("a: *b", 1, "anchors and aliases (&b, *b) are not allowed; write the value out"),
        ("a: 1\nb: &c 5", 2, "anchors and aliases (&c, *c) are not allowed; write the value out"),
        ("&c a: 1", 1, "anchors and aliases (&c, *c) are not allowed; write the value out"),
        ("a: !!python/name:os.system x", 1, "tags (tag:yaml.org,2002:python/name:os.system) are not allowed"),
        ("a: !!str 5", 1, "tags (tag:yaml.org,2002:str) are not allowed; remove it, quotes make a value text"),
        ("a:\n  !secret b: 1", 2, "tags (!secret) are not allowed"),
        ("a: !!set {b}", 1, "tags (tag:yaml.org,2002:set) are not allowed"),
        ("a: 1\nb: 2\n'a': 3", 3, "'a' is already on line 1; remove one of them"),
        ("? [a, b]\n: 1", 1, "a key must be text, not a list or a mapping; quotes make it text"),
        ("a: 1\n---\nb: 2", 3, "a second document begins here; remove the --- above it"),
        ("a: é\nb: \x07", 2, "the character '\\x07' is not allowed in YAML; remove it"),
        ("[" * 100_000, 1, "is nested deeper than 100 levels; make it flatter"),
        ("a:\n  " + "- " * 100_000 + "1", 2, "is nested deeper than 100 levels; make it flatter"),
        ("a: 1\nb: 1e999", 2, "1e999 is not a number in JSON; write a finite one"),
    ],
    ids=lambda value: value[:16] if isinstance(value, str) else None,
)
def test_file_that_is_not_plain_yaml_is_refused(content: str, line: int, message: str, write: Write) -> None:
    path = write(content)

    error = refusal(path)

    assert error.line == line
    assert f"{path}:{line}: {message}" in str(error)


def test_limit_of_libyaml_itself_is_told_as_ours(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """As libyaml 0.2.6 stops, which comes with PyYAML 6.0.4."""
    mark = yaml.Mark("seed.yaml", 0, 2, 0, None, None)
    stopped = yaml.scanner.ScannerError("while increasing flow level", mark, "exceeded maximum nesting depth", mark)

    def parse(*_: Any, **__: Any) -> Iterator[yaml.Event]:
        yield from ()
        raise stopped

    monkeypatch.setattr(yaml, "parse", parse)

    error = refusal(write("anything"))

    assert (error.line, error.message) == (3, "is nested deeper than 100 levels; make it flatter")


@pytest.mark.usefixtures("_any_parser")
def test_half_a_character_is_refused(write: Write) -> None:
    path = write('settings:\n  "\\ud800": "\\ud800"')

    assert refusal(path).line == 2


@pytest.mark.usefixtures("_any_parser")
def test_entity_bomb_is_refused_at_once(write: Write) -> None:
    lines = ["a0: &a0 [x, x]", *(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 60))]
    path = write("\n".join(lines))

    assert "anchors and aliases (&a0, *a0) are not allowed" in str(refusal(path))


def test_seed_that_is_not_utf8_is_refused(write: Write) -> None:
    path = write("companies:\n  - name: Café".encode("latin-1"))

    assert str(refusal(path)) == f"{path}: is not UTF-8 (line 2, byte 24); save it as UTF-8"


def test_seed_of_more_than_eight_mebibytes_is_refused(write: Write) -> None:
    largest = b"#" * 8 * 1024 * 1024
    path = write(largest + b"#")

    assert str(refusal(path)) == f"{path}: is larger than 8 MiB; split it into several files"
    assert load_seed(write(largest)) == Seed()


def test_folder_is_refused(tmp_path: Path) -> None:
    assert str(refusal(tmp_path)) == f"{tmp_path}: is a folder; give a file in it"


@pytest.mark.parametrize("name", ["missing.yaml", "a\0b"])
def test_missing_seed_is_refused_with_an_example(name: str, tmp_path: Path) -> None:
    error = refusal(tmp_path / name)

    assert error.line == 0
    assert f"there is no such file; write one after the example of {demo_seed_file()}" in str(error)


def test_seed_that_may_not_be_read_is_refused(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write("")

    def forbidden(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", forbidden)

    assert str(refusal(path)) == f"{path}: cannot be read: Permission denied"


# --- Python data that is no seed ---


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"companies": [{"nam": "A"}]}, "companies[0]: the key 'name' is missing; add it"),
        (
            {"companies": [{"name": "A", "connectors": [{"name": "B"}, {"name": 5}]}]},
            f"companies[0].connectors[1].name: 5 is not allowed; {NAME}; quotes make it text",
        ),
        (
            with_connector(oauth_clients=[{"name": "abc"}, {"name": "abc"}]),
            "companies[0].connectors[0].oauth_clients[1]: is the same as companies[0].connectors[0].oauth_clients[0]",
        ),
        ({"companies": [{"name": Path("A")}]}, "is not JSON; use mappings with text keys, lists, text"),
        ({1: 2}, "{1: 2} is not JSON"),
        ({"settings": {"a": float("nan")}}, "settings.a: nan is not JSON"),
        ({"settings": {"a": "\ud800"}}, "settings.a: '\\ud800' is not JSON"),
        ({"settings": {"\ud800": 1}}, "settings: {'\\ud800': 1} is not JSON"),
        ([], "a list is not allowed; use a mapping with the keys companies, settings and faults"),
    ],
)
def test_wrong_data_is_refused_with_its_path(data: Any, message: str) -> None:
    with pytest.raises(SeedError) as caught:
        parse_seed(data)

    assert (caught.value.file, caught.value.line) == ("seed", 0)
    assert message in str(caught.value)


def test_data_nested_too_deeply_is_refused() -> None:
    data: Any = {}
    for _ in range(100_000):
        data = [data]

    with pytest.raises(SeedError, match="is nested deeper than 100 levels; make it flatter"):
        parse_seed({"settings": data})


# --- what is shipped ---


def test_demo_seed_is_the_documented_one() -> None:
    [company] = demo_seed().companies
    [shop] = company.connectors

    assert (company.name, company.slug, shop.name, shop.environment) == ("Acme Ltd", "acme", "Acme web shop", "test")
    assert [(entity.type, entity.name, entity.sample is None) for entity in shop.entities] == [
        ("orders", "orders", False),
        ("products", "products", False),
        ("custom", "anything", True),
    ]
    assert [(service.vanity_url, service.entity) for service in shop.services] == [
        ("orders", "orders"),
        ("products", "products"),
        ("anything", "anything"),
    ]
    assert [(client.name, client.client_secret) for client in shop.oauth_clients] == [("Demo integration", None)]
    assert shop.oauth_clients[0].client_id


def test_demo_seed_is_found_in_a_checkout_and_in_an_installation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(document_module, "__file__", str(tmp_path / "sandbox/foundation/yaml_document.py"))
    in_checkout = demo_seed_file()
    shutil.copytree(FIXTURES, tmp_path / "sandbox/_fixtures")

    assert in_checkout == tmp_path / "fixtures/seed.yaml"
    assert demo_seed_file() == tmp_path / "sandbox/_fixtures/seed.yaml"
    assert demo_seed().companies


def test_seed_files_point_editors_at_the_schema() -> None:
    first_line = (FIXTURES / "seed.yaml").read_text(encoding="utf-8").splitlines()[0]

    assert (FIXTURES / first_line.partition("$schema=")[2]).resolve() == SCHEMA_FILE.resolve()


def test_schema_describes_every_key_and_its_examples_are_good() -> None:
    schema = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
    by_hand = [part for name, part in schema["$defs"].items() if name.islower()]  # faults describe themselves
    described = [value for part in (schema, *by_hand) for value in part["properties"].values()]
    bare = [value for value in described if not {"title", "description"} <= value.keys()]
    wrong = [
        example
        for value in described
        for example in value.get("examples", ())
        if "${" not in str(example) and not jsonschema_rs.is_valid({**value, "$defs": schema["$defs"]}, example)
    ]

    assert (bare, wrong) == ([], [])


@pytest.mark.parametrize(
    ("sample", "payload"),
    [
        ("orders/order.json", "orders/order.json"),
        ("orders/order.json", "orders/batch.json"),
        ("products/product.json", "products/product.json"),
        ("products/product.json", "products/batch.json"),
    ],
)
def test_sample_payloads_match_their_entity(sample: str, payload: str) -> None:
    check = EntityCheck(infer_schema(json.loads((FIXTURES / sample).read_text(encoding="utf-8"))))

    assert check.violations(json.loads((FIXTURES / payload).read_text(encoding="utf-8"))) == []


def orders() -> list[Any]:
    """Return the orders of the fixtures with exact numbers."""
    texts = [(FIXTURES / "orders" / name).read_text(encoding="utf-8") for name in ("order.json", "batch.json")]
    order, batch = (json.loads(text, parse_float=Decimal) for text in texts)
    return [order, *batch]


@pytest.mark.parametrize("order", orders(), ids=lambda order: order["number"])
def test_totals_of_sample_orders_add_up(order: Any) -> None:
    lines, totals = order["lines"], order["totals"]
    taxed = [*((line["total"], line) for line in lines), (order["shipping"]["price"], order["shipping"])]

    assert totals["subtotal"] == sum(line["unit_price"] * line["quantity"] for line in lines)
    assert totals["discount"] == sum(line["discount"] for line in lines) == sum(d["amount"] for d in order["discounts"])
    assert totals["total"] == totals["subtotal"] - totals["discount"] + totals["shipping"]
    assert totals["total"] == sum(payment["amount"] for payment in order["payments"])
    assert totals["shipping"] == order["shipping"]["price"]
    assert totals["tax"] == sum(item["tax"] for _, item in taxed) == sum(tax["amount"] for tax in order["taxes"])
    for line in lines:
        assert line["total"] == line["unit_price"] * line["quantity"] - line["discount"]
    for gross, item in taxed:
        assert item["tax"] == (gross * item["tax_rate"] / (100 + item["tax_rate"])).quantize(Decimal("0.01"))


@pytest.mark.parametrize("path", sorted(FIXTURES.rglob("*.json")), ids=lambda path: path.name)
def test_sample_payloads_are_fictitious_and_not_plain_ascii(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    hosts = re.findall(r"(?:@|https://)([a-z.]+)", text)

    assert not text.isascii()
    assert all(host.endswith(("example.com", "example.org", "example.net")) for host in hosts)


def readme_seeds() -> list[str]:
    return re.findall(
        r"^```yaml\n(.*?)^```", (FIXTURES / "README.md").read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )


@pytest.mark.parametrize("content", readme_seeds(), ids=range(len(readme_seeds())))
def test_every_example_of_the_readme_loads(content: str, write: Write, tmp_path: Path) -> None:
    shutil.copytree(FIXTURES / "orders", tmp_path / "orders")

    assert load_seed(write(content), environ={"PATCHWORKS_CLIENT_SECRET": "correct horse"}).companies


def test_readme_explains_every_key() -> None:
    schema = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
    by_hand = [part for name, part in schema["$defs"].items() if name.islower()]
    keys = {key for part in (schema, *by_hand) for key in part["properties"]}
    explained = re.findall(
        r"^\| `(?:\w+\[\]\.)?(\w+)` \|", (FIXTURES / "README.md").read_text(encoding="utf-8"), re.MULTILINE
    )

    assert set(explained) == keys


def test_readme_shows_real_messages(write: Write) -> None:
    seed = """\
companies:
  - name: My Shop
    slug: my-shop
    connectors:
      - name: Web shop
        entities:
          - type: orders
            name: orders
        oauth_clients:
          - name: CI job
        services:
          - vanity_url: {url}
            entity: order
"""
    errors = [str(refusal(write(seed.format(url=url), "my-seed.yaml"))) for url in ("new orders", "orders")]
    shown = re.findall(r"^my-seed\.yaml:.*$", (FIXTURES / "README.md").read_text(encoding="utf-8"), re.MULTILINE)

    assert [error.rpartition("/")[2] for error in errors] == shown


def test_ten_times_as_many_clients_and_services_take_ten_times_the_work(write: Write) -> None:
    calls = [_calls_to_load(write, count) for count in (200, 2_000)]

    assert calls[1] < 11 * calls[0]


def _calls_to_load(write: Write, count: int) -> int:
    """Load a seed with so many clients and services; return how many functions were called for it."""
    clients = "".join(
        f"  - name: client {n}\n    client_id: {n:08x}-0000-4000-8000-000000000000\n    client_secret: secret-{n:08}\n"
        for n in range(count)
    )
    services = "".join(f"  - vanity_url: orders-{n}\n    entity: orders\n" for n in range(count))
    path = write(connector(f"entities: [{{type: a, name: orders}}]\noauth_clients:\n{clients}services:\n{services}"))
    profile = cProfile.Profile()
    seed = profile.runcall(lambda: only_connector(load_seed(path)))

    assert (len(seed.oauth_clients), len(seed.services)) == (count, count)
    return sum(entry.callcount for entry in profile.getstats())


def test_options_of_a_service_survive_in_the_data_of_a_seed(write: Write) -> None:
    options = "schedule: every 2 hours\npage_size: 7\nmappings:\n  - {source: a, destination: b}\n"
    seed = load_seed(write(connector(SERVICE + indent(options, "    "))))

    assert parse_seed(seed.data()).companies == seed.companies


@pytest.mark.parametrize(
    "part",
    [
        {"connectors": [{"name": "S", "oauth_clients": [{"name": "job", "client_id": "misplaced-secret"}]}]},
        {"connectors": [{"name": "S", "oauth_clients": ["misplaced-secret"]}]},
        {"users": [{"email": "misplaced-secret", "password": "long enough"}]},
        {"users": ["ada@example.test:misplaced-secret"]},
        {"api_keys": ["misplaced-secret"]},
        {"flows": [{"name": "F", "webhooks": [{"hmac": "misplaced-secret"}]}]},
        {"flows": [{"name": "F", "callbacks": [{"id": "misplaced-secret"}]}]},
    ],
    ids=lambda part: next(iter(part)),
)
def test_text_beside_a_secret_is_in_no_message(part: dict[str, Any]) -> None:
    with pytest.raises(SeedError, match=r"a value of [0-9]+ characters is not allowed; use ") as refused:
        parse_seed({"companies": [{"name": "Acme", **part}]})

    assert "misplaced" not in str(refused.value)
