"""The JSON bodies of the emulated API, for its OpenAPI document. They describe; the wire module writes."""

from __future__ import annotations

from marshmallow import RAISE, Schema, fields, validate


class _StrictSchema(Schema):
    class Meta:
        """Bodies are exact: no key beyond those documented."""

        unknown = RAISE


class TokenSchema(_StrictSchema):
    """A successful token response (RFC 6749 §5.1)."""

    token_type = fields.String(required=True, validate=validate.Equal("Bearer"))
    expires_in = fields.Integer(
        required=True, strict=True, validate=validate.Range(min=1), metadata={"description": "Lifetime in seconds."}
    )
    access_token = fields.String(
        required=True, metadata={"description": "An RS256-signed JWT. Treat it as opaque and keep it for its lifetime."}
    )


class OAuthErrorSchema(_StrictSchema):
    """An OAuth error (RFC 6749 §5.2); also the JSON that is answered to a body that cannot be read."""

    error = fields.String(
        required=True,
        validate=validate.OneOf(["unsupported_grant_type", "invalid_request", "invalid_client", "invalid_scope"]),
    )
    error_description = fields.String(required=True)
    hint = fields.String()
    message = fields.String(metadata={"description": "Legacy wire profile only: the error description again."})


class MessageSchema(_StrictSchema):
    """What happened, in words."""

    message = fields.String(required=True)


class ServerErrorSchema(_StrictSchema):
    """A failure of the platform; `error` tells the reason when a payload could not be stored."""

    message = fields.String(required=True)
    error = fields.String()


class InvalidPayloadSchema(_StrictSchema):
    """The payload is blank or does not match the entity; `errors` names every failing field by its dotted path."""

    message = fields.String(required=True)
    errors = fields.Dict(
        required=True,
        keys=fields.String(),
        values=fields.List(fields.String(), validate=validate.Length(min=1)),
        validate=validate.Length(min=1),
    )
