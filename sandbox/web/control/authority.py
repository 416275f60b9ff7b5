"""The certificate authority of the server, for clients to trust."""

from __future__ import annotations

from typing import Final

from flask import Response, current_app

from sandbox.web.control.base import Blueprint, answers, current_sandbox, problems
from sandbox.web.control.problems import problem
from sandbox.web.paths import PREFIX

blueprint = Blueprint("authority", __name__, url_prefix=PREFIX, description="The authority behind HTTPS")

CA_PEM: Final = "patchworks_sandbox_ca_pem"
"""Key of the application's extension that holds it, or ``None``."""
_MEDIA_TYPE: Final = "application/x-pem-file"


@blueprint.get("/ca.pem")
@answers(blueprint, _MEDIA_TYPE, "An X.509 certificate in PEM. It is no secret.", {"type": "string"})
@problems(blueprint, not_found="The sandbox does not serve HTTPS, or with a certificate of your own.")
def get_authority() -> Response:
    """Return the certificate authority to trust: the one that issued what the sandbox shows over HTTPS."""
    ca_pem: bytes | None = current_app.extensions[CA_PEM]
    if ca_pem is None:
        return problem(404, _why_none())
    headers = {"Content-Disposition": 'attachment; filename="ca.pem"'}
    return Response(ca_pem, content_type=_MEDIA_TYPE, headers=headers)


def _why_none() -> str:
    if current_sandbox().initial_settings.tls_cert_file:
        return (
            "the certificate is your own (tls_cert_file): let clients trust the authority that issued it; "
            "without tls_cert_file and tls_key_file the sandbox makes one, which is told here"
        )
    return "the sandbox does not serve HTTPS; start it with: patchworks-sandbox serve --tls"
