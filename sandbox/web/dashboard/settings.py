"""The page of settings: the value of each, its origin, what is known of it, and a form where it may change now."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from sandbox.foundation.settings import Settings, SettingSpec, setting_specs
from sandbox.platform.fidelity import Row, load_ledger
from sandbox.state.sandbox import Sandbox
from sandbox.web.control.base import current_sandbox
from sandbox.web.control.setting_views import schemas
from sandbox.web.dashboard.acts import call
from sandbox.web.dashboard.blueprint import PAGES, pages
from sandbox.web.dashboard.schema_form import SchemaForm

_CHANGED = "changed while it runs"


@pages.route(f"{PAGES}/settings", methods=["GET", "POST"])
def settings() -> Response | tuple[str, int]:
    """List the settings, those first that may change now, and change one."""
    sandbox, specs, form = current_sandbox(), setting_specs(), SchemaForm(schemas()["Settings"], {})
    name, errors = request.form.get("setting", ""), {}
    if request.method == "POST":
        # An empty text is null where the setting can be without one.
        nullable = any(spec.name == name and "null" in spec.type.schema["type"] for spec in specs)
        value = form.read(request.form).get(name, None if nullable else "")
        answer = call("PATCH", "/settings", {name: value})
        if not answer.refusal:
            return redirect(url_for("pages.settings", _anchor=f"setting-{name}"), 303)
        errors = answer.errors or {name: answer.refusal}
    values = {spec.name: _plain(sandbox.settings, spec) for spec in specs}
    given = {name: request.form[name] for name in errors if name in request.form}
    fields, others = form.fields({**values, **given}, errors)
    rows: dict[str, list[Row]] = {}
    for row in load_ledger().rows:
        for name in row.settings:
            rows.setdefault(name, []).append(row)
    page = render_template(
        "settings.html",
        specs=sorted(specs, key=lambda spec: not spec.runtime),
        values=values,
        at_start={spec.name: _plain(sandbox.initial_settings, spec) for spec in specs},
        origins={spec.name: _origin(sandbox, spec.name) for spec in specs},
        changed=_CHANGED,
        fields={field.name: field for field in fields},
        rows=rows,
        problems=others,
    )
    return page, 422 if errors else 200


def _plain(settings: Settings, spec: SettingSpec) -> object:
    value = getattr(settings, spec.name)
    return list(value) if isinstance(value, tuple) else value


def _origin(sandbox: Sandbox, name: str) -> str:
    if getattr(sandbox.settings, name) != getattr(sandbox.initial_settings, name):
        return _CHANGED
    if name in sandbox.origins:
        return sandbox.origins[name]
    return f"seed {sandbox.seed.setting_places.get(name, '')}".strip() if name in sandbox.seed.settings else "default"
