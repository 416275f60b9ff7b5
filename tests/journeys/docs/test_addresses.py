"""One place, ``[project.urls]``, has the public addresses; while it has none, no document shows a link."""

from __future__ import annotations

import importlib.metadata
from email.message import Message
from typing import Any

import pytest

from docs._site.addresses import site_addresses
from sandbox.testing.certify.report import Report, as_sarif
from sandbox.web.emulated.document import general_document
from sandbox.web.project import contact

REPOSITORY = "https://git.example/team/patchworks-sandbox"
SITE = "https://docs.example/patchworks"


@pytest.mark.parametrize(
    ("urls", "environ", "addresses"),
    [
        ({}, {}, {}),
        ({"Documentation": SITE}, {}, {"site_url": f"{SITE}/"}),
        (
            {"Repository": REPOSITORY},
            {"GITHUB_REPOSITORY": "fork/of-it"},
            {"repo_url": REPOSITORY, "repo_name": "Source", "edit_uri": "edit/main/docs/"},
        ),
        (
            {},
            {"GITHUB_REPOSITORY": "team/it", "GITHUB_SERVER_URL": "https://github.example"},
            {"repo_url": "https://github.example/team/it", "repo_name": "Source", "edit_uri": "edit/main/docs/"},
        ),
    ],
    ids=["no address", "only the site", "the repository before the workflow's", "the workflow's repository"],
)
def test_addresses_of_the_site(urls: dict[str, str], environ: dict[str, str], addresses: dict[str, str]) -> None:
    assert site_addresses(urls, environ) == addresses


@pytest.fixture
def urls(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> dict[str, str]:
    named: dict[str, str] = request.param
    metadata = Message()
    for name, url in named.items():
        metadata["Project-URL"] = f"{name}, {url}"
    monkeypatch.setattr(importlib.metadata, "metadata", lambda _name: metadata)
    return named


def sarif_driver() -> dict[str, Any]:
    driver: dict[str, Any] = as_sarif(Report("true", (), ()))["runs"][0]["tool"]["driver"]
    return driver


@pytest.mark.parametrize("urls", [{}], indirect=True)
def test_nothing_is_linked_while_there_is_no_address(urls: dict[str, str]) -> None:
    assert contact() == {"name": "Patchworks Sandbox"}
    assert "externalDocs" not in general_document()
    assert "informationUri" not in sarif_driver()
    assert [rule["id"] for rule in sarif_driver()["rules"] if "helpUri" in rule] == []


@pytest.mark.parametrize("urls", [{"Repository": REPOSITORY, "Documentation": SITE}], indirect=True)
def test_every_link_comes_from_the_addresses(urls: dict[str, str]) -> None:
    assert general_document()["info"]["contact"] == {"name": "Patchworks Sandbox", "url": REPOSITORY}
    assert general_document()["externalDocs"]["url"] == SITE
    assert sarif_driver()["informationUri"] == SITE
    assert {rule["helpUri"] for rule in sarif_driver()["rules"]} >= {f"{SITE}/certify.html#caches_token"}
