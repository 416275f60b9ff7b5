"""The sandbox itself over HTTP: its health, reset, figures, ledger and certificate authority."""

from __future__ import annotations

from typing import Any, Final

from flask import Response, request
from marshmallow import fields, validate

from sandbox.platform.fidelity import TAGS, Ledger, Row, load_ledger
from sandbox.web.control.base import Blueprint, current_sandbox
from sandbox.web.control.problems import problem
from sandbox.web.control.schemas import AnswerSchema, Instant, answer_of, says, showing
from sandbox.web.environ import CA_PEM
from sandbox.web.health import health_of, unreadiness_of

blueprint = Blueprint("system", __name__, description="Health and reset")
fidelity = Blueprint("fidelity", __name__, description="How each behaviour is known")
authority = Blueprint("authority", __name__, description="The authority behind HTTPS")
metrics = Blueprint("metrics", __name__, description="Figures for a monitoring system")

_PEM_TYPE: Final = "text/plain"  # RFC 7468 calls it a textual encoding; generators of clients know no other type


class HealthSchema(AnswerSchema):
    status = fields.String(validate=validate.Equal("ok"))
    version = fields.String()
    now = Instant(**says("On the sandbox clock."))
    journal_entries = fields.Integer()
    journal_last_seq = fields.Integer(**says("Number of the newest request; 0 before the first."))
    journal_bytes = fields.Integer()
    journal_dropped = fields.Integer()


class LedgerSchema(AnswerSchema):
    rows = fields.List(
        fields.Nested(showing(Row, "LedgerRow", tags=fields.List(fields.String(validate=validate.OneOf([*TAGS])))))
    )
    sources = fields.Dict(keys=fields.String(), values=fields.String())


@blueprint.get("/health", answer=HealthSchema)
def get_health() -> dict[str, Any]:
    """Show that the sandbox is alive."""
    return health_of(current_sandbox())


@blueprint.get("/health/ready", answer=HealthSchema)
@blueprint.problem(503, "The journal file cannot be written; until it can, requests are refused.")
def get_readiness() -> dict[str, Any] | Response:
    """Show that the sandbox can serve: the signing key is made, and the journal file can be written."""
    why = unreadiness_of(current_sandbox())
    return health_of(current_sandbox()) if why is None else problem(503, why)


@blueprint.post("/reset", answer=answer_of("SandboxReset", now=Instant()))
def reset() -> dict[str, Any]:
    """Return to the seed: a new journal, no tokens, the settings of the start, real time, the same clients."""
    return {"now": current_sandbox().reset()}


@fidelity.get("/fidelity", answer=LedgerSchema)
def get_ledger() -> Ledger:
    """List every behaviour of the emulated API with its evidence: documented, of the framework, or of the sandbox."""
    return load_ledger()


@authority.get("/ca.pem")
@authority.response(
    200, {"type": "string"}, content_type=_PEM_TYPE, description="An X.509 certificate in PEM. It is no secret."
)
@authority.problem(404, "The sandbox does not serve HTTPS, or with a certificate of your own.")
def get_authority() -> Response:
    """Return the certificate authority that clients must trust: it issued the certificate of the sandbox."""
    ca_pem: bytes | None = request.environ[CA_PEM]
    if ca_pem is not None:
        headers = {"Content-Disposition": 'attachment; filename="ca.pem"'}
        return Response(ca_pem, content_type=_PEM_TYPE, headers=headers)
    if current_sandbox().initial_settings.tls_cert_file:
        return problem(
            404,
            "the certificate is your own (tls_cert_file): let clients trust the authority that issued it; "
            "without tls_cert_file and tls_key_file the sandbox creates one, which this path returns",
        )
    return problem(404, "the sandbox does not serve HTTPS; start it with: patchworks-sandbox serve --tls")


@metrics.get("/metrics")
@metrics.response(
    200,
    {"type": "string"},
    content_type="text/plain",
    description="Requests to the emulated API by endpoint, status (0: a fault let no answer through) and outcome, how "
    "long they took, tokens issued, faults acted, the size of the journal and how many of its entries were dropped. "
    "Counts grow until the process ends; a reset does not set them back.",
)
def get_metrics() -> Response:
    """Show the figures of the sandbox in the text format of Prometheus, version 0.0.4."""
    from sandbox.web.control.exposition import CONTENT_TYPE, exposition  # prometheus-client takes 10 MB

    return Response(exposition(current_sandbox()), content_type=CONTENT_TYPE)
