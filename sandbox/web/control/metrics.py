"""The counts of a sandbox, for Prometheus."""

from __future__ import annotations

from flask import Response

from sandbox.web.control.base import Blueprint, answers, current_sandbox
from sandbox.web.paths import PREFIX

blueprint = Blueprint("metrics", __name__, url_prefix=PREFIX, description="Figures for a monitoring system")


@blueprint.get("/metrics")
@answers(
    blueprint,
    "text/plain",
    "Requests to the emulated API by endpoint, status (0: a fault let no answer through) and outcome, how long they "
    "took, tokens issued, faults acted, the size of the journal and how many of its entries were dropped. Counts grow "
    "until the process ends; a reset does not set them back.",
    {"type": "string"},
)
def get_metrics() -> Response:
    """Show what the sandbox has done, in the text format of Prometheus, version 0.0.4."""
    from sandbox.web.control.exposition import CONTENT_TYPE, exposition  # 10 MB that few ever need

    return Response(exposition(current_sandbox()), content_type=CONTENT_TYPE)
