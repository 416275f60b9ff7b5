"""The bodies of the token endpoint's refusals, as WIRE A has them."""

from __future__ import annotations

import json

_INVALID_REQUEST = (
    "The request is missing a required parameter, includes an invalid parameter value, includes a parameter more than "
    "once, or is otherwise malformed."
)
BAD_REQUEST = b'{\n    "message": "Bad request."\n}'


def oauth_error(profile: str, error: str, description: str, hint: str | None = None) -> bytes:
    """Return the body of an OAuth error."""
    body = {"error": error, "error_description": description}
    if hint is not None:
        body["hint"] = hint
    if profile == "legacy":
        body["message"] = description
    return json.dumps(body, separators=(",", ":")).encode()


def unsupported_grant_type(profile: str) -> bytes:
    """Return the body for a grant that is not client credentials."""
    return oauth_error(
        profile,
        "unsupported_grant_type",
        "The authorization grant type is not supported by the authorization server.",
        "Check that all required parameters have been provided",
    )


def invalid_request(profile: str, parameter: str) -> bytes:
    """Return the body for a missing or malformed parameter."""
    return oauth_error(profile, "invalid_request", _INVALID_REQUEST, f"Check the `{parameter}` parameter")


def invalid_client(profile: str) -> bytes:
    """Return the body for credentials that are not good."""
    return oauth_error(profile, "invalid_client", "Client authentication failed")


def invalid_scope(profile: str, scope: str) -> bytes:
    """Return the body for a scope that is not known."""
    return oauth_error(
        profile,
        "invalid_scope",
        "The requested scope is invalid, unknown, or malformed",
        f"Check the `{scope}` scope",
    )
