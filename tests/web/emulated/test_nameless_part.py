"""A part of a form that has no name is none of its fields."""

from __future__ import annotations

from tests.conftest import Integration


def test_part_without_a_name_is_ignored(integration: Integration) -> None:
    fields = [f'; name="{name}"\r\n\r\n{value}' for name, value in integration.credentials().items()]
    parts = "".join(f"--cut\r\nContent-Disposition: form-data{field}\r\n" for field in ["\r\n\r\nnameless", *fields])
    response = integration.http.post(
        "/oauth/token", data=f"{parts}--cut--\r\n", content_type="multipart/form-data; boundary=cut"
    )

    assert response.status_code == 200
