"""Try it: a token and a payload from the page, and the lines that do the same elsewhere."""

from __future__ import annotations

import json

from flask import render_template

from sandbox.platform.model import Service
from sandbox.platform.store import Store
from sandbox.web.control.base import base_url, current_sandbox
from sandbox.web.dashboard.blueprint import PAGES, pages


@pages.get(f"{PAGES}/try")
def try_it() -> str:
    """Show the form."""
    store = current_sandbox().store
    choices = [
        {
            "service": service,
            "url": f"{base_url()}/v1/{service.company}/{service.vanity_url}",
            "clients": store.clients(service.connector_id),
            "sample": _sample(store, service),
        }
        for service in store.services()
    ]
    return render_template("try_it.html", choices=choices, token_path=current_sandbox().settings.token_path)


def _sample(store: Store, service: Service) -> str:
    """Return a payload that the service accepts: its entity's sample."""
    samples = [entity.sample for entity in store.entities(service.connector_id) if entity.name == service.entity]
    sample = samples[0] if samples and samples[0] is not None else {"hello": "sandbox"}
    return json.dumps(sample, indent=2, ensure_ascii=False)
