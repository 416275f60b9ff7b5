"""The page on log and metrics tells what there is: its lines have the form of real ones, its table every metric."""

from __future__ import annotations

import io
import json
import re

from prometheus_client.parser import text_string_to_metric_families

from sandbox.cli.log import logged
from tests.conftest import Integration
from tests.journeys.docs.blocks import ROOT, blocks

PAGE = "docs/how-to/watch.md"


def _expire(integration: Integration) -> str:
    token = integration.token()
    integration.control("POST", "/clock/advance", {"duration": "25h"})
    return token


def test_line_for_programs_is_a_real_one(integration: Integration) -> None:
    shown = json.loads(next(blocks(PAGE, "json")).code)
    token, stream = _expire(integration), io.StringIO()
    with logged(stream, "info", "json"):
        integration.post({"order": 1}, "/v1/acme/orders", token)

    real = json.loads(stream.getvalue())
    assert list(shown) == list(real)
    differing = {name for name in shown if shown[name] != real[name]}
    assert differing <= {"time", "request_id", "duration_ms", "client_id"}


def test_lines_for_people_are_real_ones(integration: Integration) -> None:
    shown = next(blocks(PAGE, "text")).code.splitlines()
    stream = io.StringIO()
    with logged(stream, "info", "text"):
        integration.request_token()
    token = _expire(integration)
    with logged(stream, "info", "text"):
        integration.post({"order": 1}, "/v1/acme/orders", token)
        integration.control("GET", "/requests")

    assert list(map(_form, shown)) == list(map(_form, stream.getvalue().splitlines()))


def _form(line: str) -> str:
    line = re.sub(r"^[\d:.]{12}", "TIME", re.sub(r"\d+\.\d ms", "DURATION", line))
    return re.sub(r"(client|id)=[\w-]+", r"\1=", line)


def test_table_has_every_metric(integration: Integration) -> None:
    families = text_string_to_metric_families(integration.control("GET", "/metrics").text)
    real = {f"{family.name}_total" if family.type == "counter" else family.name for family in families}

    shown = re.findall(r"^\| `(patchworks_sandbox_\w+)` \|", (ROOT / PAGE).read_text(encoding="utf-8"), re.MULTILINE)
    assert set(shown) == real
