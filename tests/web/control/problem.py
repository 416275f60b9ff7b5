"""Reading problem details."""

from __future__ import annotations

from http import HTTPStatus

from werkzeug.test import TestResponse


def detail(response: TestResponse, status: int) -> str:
    """Return what a problem tells; fail if the response is not one of this status, whole and of the right type."""
    assert response.status_code == status, response.text
    assert response.content_type == "application/problem+json"
    problem = response.get_json()
    assert problem["type"] == "about:blank"
    assert problem["title"] == HTTPStatus(status).phrase
    assert problem["status"] == status
    text: str = problem["detail"]
    return text
