"""The page of settings: the value of each, its origin, what is known of it, and a form where it may change now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from sandbox.foundation.settings import Settings, SettingSpec, setting_specs
from sandbox.foundation.strict_json import write_json
from sandbox.platform.fidelity import Row, load_ledger
from sandbox.state.sandbox import Sandbox
from sandbox.web.control.base import current_sandbox
from sandbox.web.control.settings import schemas
from sandbox.web.dashboard.acts import call
from sandbox.web.dashboard.blueprint import PAGES, pages
from sandbox.web.dashboard.schema_form import Field, SchemaForm

_CHANGED = "changed while it runs"


@dataclass(frozen=True, slots=True)
class Shown:
    """A setting as the page shows it. ``undo`` is the body that returns it to the value of the start."""

    spec: SettingSpec
    value: str
    origin: str
    field: Field | None
    undo: str
    rows: list[Row]


@pages.route(f"{PAGES}/settings", methods=["GET", "POST"])
def settings() -> Response | tuple[str, int]:
    """List the settings, those first that may change now, and change one."""
    name, errors = request.form.get("setting", ""), {}
    if request.method == "POST":
        answer = call("PATCH", "/settings", write_json({name: _given(name)}).encode())
        if not answer.refusal:
            return redirect(url_for("pages.settings", _anchor=f"setting-{name}"), 303)
        errors = answer.errors or {name: answer.refusal}
    shown, others = _shown(current_sandbox(), errors)
    return render_template("settings.html", settings=shown, problems=others), 422 if errors else 200


def _form() -> SchemaForm:
    return SchemaForm(schemas()["Settings"], {})


def _given(name: str) -> object:
    """Return the value that the form gives a setting; an empty text is null where the setting can be without one."""
    document = _form().read(request.form)
    nullable = any(spec.name == name and "null" in spec.type.schema["type"] for spec in setting_specs())
    return document.get(name, None if nullable else "")


def _shown(sandbox: Sandbox, errors: Mapping[str, str]) -> tuple[list[Shown], list[str]]:
    given = {name: request.form[name] for name in errors if name in request.form}
    values = {spec.name: _plain(sandbox.settings, spec) for spec in setting_specs()}
    fields, others = _form().fields({**values, **given}, errors)
    by_name = {field.name: field for field in fields}
    rows: dict[str, list[Row]] = {}
    for row in load_ledger().rows:
        for name in row.settings:
            rows.setdefault(name, []).append(row)
    shown = [
        Shown(
            spec,
            "(not shown)" if spec.secret and values[spec.name] is not None else write_json(values[spec.name]),
            origin := _origin(sandbox, spec),
            by_name.get(spec.name),
            write_json({spec.name: _plain(sandbox.initial_settings, spec)}) if origin == _CHANGED else "",
            rows.get(spec.name, []),
        )
        for spec in sorted(setting_specs(), key=lambda spec: not spec.runtime)
    ]
    return shown, others


def _plain(settings: Settings, spec: SettingSpec) -> object:
    value = getattr(settings, spec.name)
    return list(value) if isinstance(value, tuple) else value


def _origin(sandbox: Sandbox, spec: SettingSpec) -> str:
    if getattr(sandbox.settings, spec.name) != getattr(sandbox.initial_settings, spec.name):
        return _CHANGED
    if spec.name in sandbox.origins:
        return sandbox.origins[spec.name]
    if spec.name not in sandbox.seed.settings:
        return "default"
    return f"seed {sandbox.seed.setting_places.get(spec.name, '')}".strip()
