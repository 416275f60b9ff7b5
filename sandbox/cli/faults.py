"""``faults``: failure on demand in a running sandbox."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from typing import IO, TYPE_CHECKING, Any, Final

import click
from click.shell_completion import CompletionItem

from sandbox.cli.base import answers, performs
from sandbox.cli.output import table
from sandbox.cli.requests import filters
from sandbox.foundation.strict_json import parse_json, write_json
from sandbox.journal.endpoint_kind import ENDPOINTS
from sandbox.testing import verbs
from sandbox.testing.backend import Verb

if TYPE_CHECKING:
    from sandbox.faults.book import RuleState
    from sandbox.testing.remote.control_api import ControlApi

_MATCH: Final = ("endpoint", "company", "vanity_url", "flow", "reference", "client_id", "method", "json_path")


@click.group()
def faults() -> None:
    """Make requests fail: rules and presets."""


def _show(found: Any) -> None:
    rows = [[state["id"], state["rule"].get("name"), *_columns(state)] for state in found["faults"]]
    click.echo(table(["ID", "NAME", "FAULT", "FOR", "ACTED"], rows) if rows else "no faults")


def _columns(state: dict[str, Any]) -> tuple[str, str, str]:
    rule = state["rule"]
    options = [f"{name}={_short(value)}" for name, value in rule["fault"].items() if name != "kind"]
    conditions = [f"{name}={_short(value)}" for name, value in rule.get("match", {}).items() if value not in (None, {})]
    times = rule.get("times")
    acted = f"{state['hits']}" + ("" if times is None else f" of {times}") + (", used up" if state["used_up"] else "")
    return " ".join([rule["fault"]["kind"], *options]), " ".join(conditions) or "any", acted


def _short(value: object) -> str:
    text = value if isinstance(value, str) else write_json(value, ascii=False)
    return text if len(text) <= 40 else f"{text[:39]}…"


@faults.command("list")
@performs(_show)
def list_faults() -> Verb[list[RuleState]]:
    """List the rules in the order in which they are tried."""
    return verbs.rules()


def _complete_kind(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from sandbox.faults import KINDS

    return [CompletionItem(kind) for kind in KINDS if kind.startswith(incomplete)]


def _complete_preset(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from sandbox.cli.health import default_url
    from sandbox.cli.made_key import find
    from sandbox.foundation.errors import SandboxError
    from sandbox.testing.remote.control_api import ControlApi

    given = context.params
    url = given.get("url") or default_url()
    key = given.get("control_key") or find(url)
    try:
        with closing(ControlApi(url, control_key=key, ca_file=given.get("ca_file"))) as api:
            presets = api.ask(verbs.presets())["presets"]
    except SandboxError:
        return []
    return [CompletionItem(p["name"], help=p["title"]) for p in presets if p["name"].startswith(incomplete)]


@faults.command()
@click.argument("kind", required=False, shell_complete=_complete_kind)
@click.argument("options", nargs=-1, metavar="[NAME=VALUE]...")
@click.option("--rule", type=click.File("rb"), help="Read the whole rule from a JSON file; - reads standard input.")
@click.option("--name", help="Name of the rule in the journal.")
@click.option(
    "--endpoint",
    type=click.Choice(["any", *(kind.name for kind in ENDPOINTS), "processing"]),
    help="Only requests to this endpoint.",
)
@filters("company", "service")
@click.option("--flow", metavar="NAME", help="Only requests to this process flow, or its runs.")
@click.option("--reference", help="Only items with this reference, for the endpoint 'processing'.")
@filters("client_id")
@click.option("--method", help="Only requests with this HTTP method.")
@filters("json_path")
@click.option("--after", type=int, metavar="N", help="Let N matching requests pass first.")
@click.option("--times", type=int, metavar="N", help="Act on N requests only.")
@click.option("--every", type=int, metavar="N", help="Act on every N-th matching request.")
@click.option("--probability", type=float, metavar="CHANCE", help="Act with this chance, from 0 to 1.")
@click.option("--accept", is_flag=True, default=None, help="Store the payload, although the client gets a failure.")
@click.option("--replace", metavar="ID", help="Replace the rule with this id.")
@answers(_show)
def add(api: ControlApi, kind: str | None, options: Sequence[str], rule: IO[bytes] | None, **fields: Any) -> Any:
    """Add a fault rule: a KIND with its options, and conditions.

    The rule acts on the requests that meet every condition.
    """
    if (kind is None) == (rule is None):
        raise click.UsageError("Give a KIND of fault, or a rule with --rule.")
    replace = fields.pop("replace")
    document = _read_rule(rule) if rule is not None else _make_rule(kind, options, fields)
    verb = verbs.add_rule(document) if replace is None else verbs.replace_rule(replace, document)
    return {"faults": [api.ask(verb)]}


def _read_rule(rule: IO[bytes]) -> Any:
    try:
        return parse_json(rule.read())
    except ValueError as error:
        raise click.BadParameter(f"it is not JSON: {error}", param_hint="--rule") from None


def _make_rule(kind: str | None, options: Sequence[str], fields: dict[str, Any]) -> dict[str, Any]:
    given = {name: value for name, value in fields.items() if value is not None}
    match = {name: given.pop(name) for name in _MATCH if name in given}
    rule: dict[str, Any] = {"fault": {"kind": kind, **dict(map(read_option, options))}, **given}
    return {**rule, "match": match} if match else rule


def read_option(text: str) -> tuple[str, Any]:
    """Read ``name=value``; the value is JSON where it can be, else text."""
    name, equals, value = text.partition("=")
    if not equals:
        raise click.BadParameter(f"{text!r} is not NAME=VALUE such as code=503", param_hint="[NAME=VALUE]...")
    try:
        return name, parse_json(value.encode("utf-8", "surrogateescape"))
    except ValueError:
        return name, value


@faults.command()
@performs(lambda found: click.echo(table(["PRESET", "TITLE"], [[p["name"], p["title"]] for p in found["presets"]])))
def presets() -> Verb[dict[str, str]]:
    """List the fault presets."""
    return verbs.presets()


@faults.command()
@click.argument("name", shell_complete=_complete_preset)
@filters("service", "client_id")
@performs(_show)
def preset(name: str, **conditions: str | None) -> Verb[list[RuleState]]:
    """Add the rules of the preset NAME."""
    return verbs.add_preset(name, {field: value for field, value in conditions.items() if value is not None})


@faults.command()
@click.argument("rule_id", metavar="ID")
@performs(lambda _: None, json=False)
def remove(rule_id: str) -> Verb[RuleState]:
    """Remove a rule."""
    return verbs.remove_rule(rule_id)


@faults.command()
@performs(lambda it: click.echo(f"{it['deleted']} rule{'' if it['deleted'] == 1 else 's'} removed"), json=False)
def clear() -> Verb[int]:
    """Remove every rule."""
    return verbs.clear_rules()
