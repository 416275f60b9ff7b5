"""The pages of fault rules: those in force, the presets, and the form that makes or changes one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, TypeAlias

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from sandbox.faults.fault import stage_of
from sandbox.faults.matching import Faultable, Matcher
from sandbox.faults.presets import Preset, load_presets
from sandbox.faults.rules import FaultRule, Match, read_rule, schemas
from sandbox.faults.sequence import steps_of
from sandbox.foundation.errors import InputError, InvalidValueError
from sandbox.foundation.fields import read
from sandbox.journal.endpoint_kind import ISSUERS
from sandbox.journal.entry import Entry
from sandbox.journal.filter import code_of
from sandbox.journal.reasons import find_reason
from sandbox.platform.platform import Platform
from sandbox.platform.processing.items import item_in_processing, items_of
from sandbox.platform.processing.values import Item
from sandbox.web.control.base import current_sandbox
from sandbox.web.dashboard.acts import call
from sandbox.web.dashboard.blueprint import PAGES, pages
from sandbox.web.dashboard.schema_form import SchemaForm

SEARCHED: Final = 2_000
"""The newest requests, or items, that a preview compares with a rule."""

_SHOWN: Final = 10


@pages.get(f"{PAGES}/faults")
def faults() -> str:
    """Show the rules in force and the presets."""
    sandbox = current_sandbox()
    presets, problem = _presets(sandbox.settings.presets_dir)
    return render_template(
        "faults.html",
        rules=sandbox.platform.faults.rules(),
        presets=presets,
        problem=problem,
        services=sandbox.store.services(),
    )


def _presets(folder: str | None) -> tuple[list[Preset], str | None]:
    """Return the presets, and the problem with a user's folder if it has one: a file may be half written."""
    try:
        return list(load_presets(folder).values()), None
    except InputError as error:
        return list(load_presets().values()), str(error)


@pages.route(f"{PAGES}/faults/new", methods=["GET", "POST"])
@pages.route(f"{PAGES}/faults/<rule_id>", methods=["GET", "POST"])
def rule(rule_id: str | None = None) -> Response | tuple[str, int]:
    """Show the form of a rule, with the requests that it would have acted on; make or change the rule.

    The query of a new rule fills the form, by the names of its fields: ``?fault.kind=status&match.vanity_url=orders``.
    """
    platform = current_sandbox().platform
    published = schemas()
    form = SchemaForm(published["FaultRule"], published)
    state = None if rule_id is None else platform.faults.get(rule_id)
    errors: Mapping[str, str] = {}
    if request.method == "POST":
        document = form.read(request.form)
        if request.form.get("do") == "save":
            method, path = ("POST", "/faults") if state is None else ("PUT", f"/faults/{state.id}")
            answer = call(method, path, document)
            if not answer.refusal:
                return redirect(url_for("pages.faults"), 303)
            errors = answer.errors or {"": answer.refusal}
    else:
        document = form.read(request.args) if state is None else state.rule.document()
    fields, others = form.fields(document, errors)
    return (
        render_template(
            "rule.html",
            state=state,
            fields=fields,
            problems=others,
            document=document,
            preview=preview(document, platform),
        ),
        422 if errors else 200,
    )


# --- the preview ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Preview:
    """The requests, or items in processing, that a rule would have looked at and matched, newest first."""

    found: list[Entry | Item]
    count: int
    searched: int
    of_items: bool


_Candidate: TypeAlias = "tuple[Entry | Item, Faultable | None]"
"""A row of a preview, and the value that the matcher reads; ``None`` where no rule looked."""


def preview(document: Mapping[str, Any], platform: Platform) -> Preview | None:
    """Return what the rule of a document matches among the newest requests; ``None`` while its conditions are wrong.

    A rule that is not whole yet is taken for one whose fault can happen anywhere.
    """
    try:
        rule = read_rule(document)
        match, happens = rule.match, _happens(rule)
    except InvalidValueError:
        try:
            match, happens = read(Match, document.get("match", {}), "match"), lambda _: True
        except InvalidValueError:
            return None
    matcher = Matcher(match)
    of_items = match.endpoint == "processing"
    found: list[Entry | Item] = []
    searched = 0
    for shown, looked in islice(_items(platform) if of_items else _requests(platform), SEARCHED):
        searched += 1  # one at a time: what was looked at holds its parsed body
        if looked is not None and happens(looked.kind) and matcher.matches(looked):
            found.append(shown)
    return Preview(found[:_SHOWN], len(found), searched, of_items)


def _happens(rule: FaultRule) -> Callable[[str], bool]:
    steps = steps_of(rule.fault)
    return lambda kind: any(step is None or step.happens_at(stage_of(kind)) for step in steps)


def _requests(platform: Platform) -> Iterator[_Candidate]:
    return ((entry, _received(entry) if _was_admitted(entry) else None) for entry in platform.journal.newest_first())


def _received(entry: Entry) -> Faultable:
    return Faultable(entry.kind, entry.method, entry.subject, entry.client_id, lambda: entry.json, entry.header)


def _items(platform: Platform) -> Iterator[_Candidate]:
    for item in reversed(platform.processing.items()):
        entry = platform.journal.find(item.entry)
        contents = [] if entry is None else items_of(entry.json)
        yield item, item_in_processing(item, entry, contents)


_BEFORE_FAULTS: Final = frozenset(
    {"missing_scope", "rate_limited", "method_not_allowed", "incomplete_body", "body_too_slow", "refused_by_server"}
)


def _was_admitted(entry: Entry) -> bool:
    """Return whether rules looked at a request: they do after it was authenticated."""
    if entry.outcome != "rejected":
        return True
    reason = find_reason(entry.reason)
    if entry.kind in ISSUERS or code_of(entry.reason) in _BEFORE_FAULTS:
        return False
    return reason is None or reason.statuses[0] != 401
