"""The schemas of answers that follow from the types of the core."""

from __future__ import annotations

from dataclasses import dataclass, field, make_dataclass

import pytest

from sandbox.web.control.schemas import showing


@dataclass
class Kept:
    name: str
    plain: str = field(default="", repr=False)


@pytest.mark.parametrize(
    "secret", ["client_secret", "password", "signature", "access_token", "key", "signing_key", "salt", "pem", "hash"]
)
def test_field_that_may_be_a_secret_is_in_no_answer_by_accident(secret: str) -> None:
    kind = make_dataclass("Kind", [("name", str), (secret, str)])

    with pytest.raises(TypeError, match=f"Kind.{secret} may be a secret"):
        showing(kind)
    assert [*showing(kind, **{secret: None})().fields] == ["name"]
    assert [*showing(kind, **{secret: "Shown once."})().fields] == ["name", secret]


def test_field_that_a_type_keeps_out_of_its_repr_is_in_no_answer_by_accident() -> None:
    with pytest.raises(TypeError, match=r"Kept\.plain may be a secret"):
        showing(Kept)
    assert [*showing(Kept, plain=None)().fields] == ["name"]
