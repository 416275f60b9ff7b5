"""Every block of the page on contract testing runs, and the page knows every kind of violation.

``.ci/checks/contract`` runs the block for Node and writes the table of tools; ``.ci/checks/prism`` runs Prism.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from click.testing import CliRunner
from openapi_core import OpenAPI
from openapi_core.exceptions import OpenAPIError
from openapi_core.testing import MockRequest

from sandbox.cli import main
from sandbox.journal.contract_rules import RULES
from sandbox.platform.endpoints import violations_of
from sandbox.platform.endpoints.token import EXAMPLE_CLIENT
from sandbox.state.seed import parse_seed
from sandbox.testing.handle import Patchworks
from tests.conftest import Integration
from tests.journeys.docs.blocks import ROOT, blocks, run_python
from tests.testing.plugin.running import run

pytest_plugins = ["pytester"]

PAGE = "docs/contract-testing.md"
TEXT = (ROOT / PAGE).read_text(encoding="utf-8")
[SEED] = [block.code for block in blocks(PAGE, "yaml")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the seed of the page, in which its commands that write documents have run."""
    folder = tmp_path_factory.mktemp("contract")
    (folder / "seed.yaml").write_text(SEED, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for block in blocks(PAGE, "sh"):
            command, _, target = block.code.strip().partition(" > ")
            if "openapi" in command:
                result = CliRunner().invoke(main, command.split()[1:])
                assert result.exit_code == 0, result.output
                if target:
                    (folder / target).write_text(result.output, encoding="utf-8")
    return folder


@pytest.fixture(autouse=True)
def _in_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)


def test_page_begins_with_the_command_that_writes_the_document() -> None:
    assert next(blocks(PAGE, "sh")).line < 5


def test_commands_of_the_page_write_the_documents(folder: Path) -> None:
    assert sorted(path.name for path in folder.glob("*.yaml")) == [
        "contract.yaml",
        "openapi-3.0.yaml",
        "openapi-control.yaml",
        "openapi-flows.yaml",
        "openapi.yaml",
        "seed.yaml",
    ]
    assert "/v1/acme/orders" in yaml.safe_load((folder / "contract.yaml").read_text(encoding="utf-8"))["paths"]


def test_every_command_of_the_page_is_run_or_is_of_another_program() -> None:
    programs = {block.code.split()[0] for block in blocks(PAGE, "sh")}
    others = {block.code.split()[1] for block in blocks(PAGE, "console")}

    assert (programs, others) == ({"patchworks-sandbox"}, {"npx"})


@pytest.mark.parametrize("code", RULES)
def test_page_explains_every_code(code: str) -> None:
    assert f"`{code}`" in TEXT


def test_command_of_the_page_tells_a_pass_from_a_failure(
    patchworks: Patchworks, monkeypatch: pytest.MonkeyPatch
) -> None:
    [block] = [block for block in blocks(PAGE, "sh") if "violations" in block.code]
    program, *arguments = block.code.split()
    monkeypatch.setenv("PATCHWORKS_SANDBOX_URL", patchworks.base_url)
    headers = {"Accept": "application/json", "Authorization": "Bearer x", "Content-Type": "text/plain"}

    def exit_code() -> int:
        return CliRunner().invoke(main, arguments).exit_code

    codes = [exit_code()]
    requests.post(patchworks.inbound("anything").url, data=b"x", headers=headers, timeout=5)
    codes.append(exit_code())
    requests.post(patchworks.base_url + "/V1/acme/anything", data=b"x", headers=headers, timeout=5)
    codes.append(exit_code())

    assert (program, codes) == ("patchworks-sandbox", [3, 0, 1])


def test_ini_of_the_page_is_taken(pytester: pytest.Pytester) -> None:
    [block] = blocks(PAGE, "ini")
    pytester.makeini(block.code)

    result = run(pytester, "def test_one(patchworks): push(patchworks, {})")

    result.assert_outcomes(passed=1)


# --- the example client ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "status"), [("token", 200), ("unknown_scope", 400), ("invalid_client", 401)])
def test_examples_can_be_sent_as_they_are(
    make_integration: Callable[..., Integration], folder: Path, name: str, status: int
) -> None:
    integration = make_integration(client_secret=EXAMPLE_CLIENT[1])
    operation = yaml.safe_load((folder / "openapi.yaml").read_text(encoding="utf-8"))["paths"]["/oauth/token"]["post"]
    for content_type, content in operation["requestBody"]["content"].items():
        sent = content["examples"][name]["value"]
        as_json = {"json": sent} if "json" in content_type else {"data": sent, "content_type": content_type}
        response = integration.http.post("/oauth/token", **as_json)

        assert response.status_code == status
        answer = operation["responses"][str(status)]["content"]["application/json"]["examples"][name]["value"]
        assert (response.json or {}).keys() == answer.keys()
    assert f"--client-secret {EXAMPLE_CLIENT[1]}`" in TEXT


# --- the table of mistakes ------------------------------------------------------------------------------------------

ORDER = {"order": "1001", "lines": [{"sku": "TEA-01", "qty": 2}]}
CLIENT = {"grant_type": "client_credentials", "client_id": "id", "client_secret": "secret"}
GOOD = {"Accept": "application/json", "Authorization": "Bearer x", "Content-Type": "application/json"}
ORDERS, TOKEN = "/v1/acme/orders", "/oauth/token"


def _without(name: str) -> dict[str, str]:
    return {key: value for key, value in GOOD.items() if key != name}


def _of_token(**changes: Any) -> tuple[str, str, dict[str, str], bytes]:
    fields = {name: value for name, value in {**CLIENT, **changes}.items() if value is not None}
    return "POST", TOKEN, _without("Authorization"), json.dumps(fields).encode()


def _of_order(body: bytes = json.dumps(ORDER).encode(), path: str = ORDERS, **headers: str) -> Any:
    return "POST", path, {**GOOD, **{name.replace("_", "-"): value for name, value in headers.items()}}, body


MISTAKES: dict[str, tuple[str, str, dict[str, str], bytes]] = {
    "no `Accept: application/json`": ("POST", ORDERS, _without("Accept"), json.dumps(ORDER).encode()),
    "no bearer token": ("POST", ORDERS, _without("Authorization"), json.dumps(ORDER).encode()),
    "unknown query parameter": _of_order(path=f"{ORDERS}?a=1"),
    "XML where the entity has a structure": _of_order(b"<a/>", Content_Type="application/xml"),
    "malformed JSON": _of_order(b"{"),
    "no body": _of_order(b""),
    "compressed body": _of_order(b"\x1f\x8b", Content_Encoding="gzip"),
    "key of an object twice": _of_order(b'{"order": "1", "order": "2", "lines": []}'),
    "wrong `grant_type`": _of_token(grant_type="password"),
    "no or misspelt credentials": _of_token(client_id=None),
    "field that nothing reads": _of_token(audience="x"),
    "another method": ("PUT", ORDERS, GOOD, json.dumps(ORDER).encode()),
    "trailing slash": _of_order(path=f"{ORDERS}/"),
    "payload of another entity": _of_order(b'{"order": 1001}'),
    "unknown service": _of_order(path="/v1/acme/nothing"),
    "wrong secret": _of_token(),
}
ROWS = dict(re.findall(r"^\| ([^|]+) \| ([^|]+ \| (?:yes|no)) \|$", TEXT, re.MULTILINE))


@pytest.fixture
def of_page(make_integration: Callable[..., Integration]) -> Integration:
    """An integration with a sandbox of the seed of the page."""
    from sandbox import Sandbox

    return Integration(Sandbox(parse_seed(yaml.safe_load(SEED))))


def test_table_has_every_mistake() -> None:
    assert set(MISTAKES) <= set(ROWS)


@pytest.mark.parametrize("mistake", MISTAKES)
def test_table_is_true(of_page: Integration, folder: Path, mistake: str) -> None:
    method, path, headers, body = MISTAKES[mistake]
    if mistake in ("payload of another entity", "unknown service"):
        headers = {**headers, "Authorization": f"Bearer {of_page.token()}"}
    reported, refused = (part.strip().strip("`") for part in ROWS[mistake].split("|"))

    response = of_page.http.open(path, method=method, headers=headers, data=body)

    found = [violation.code for violation in violations_of(next(of_page.sandbox.journal.newest_first()))]
    if reported.isdecimal():
        assert (response.status_code, found) == (int(reported), [])
    else:
        assert found == [reported]
    assert _is_refused(folder, method, path, headers, body) is (refused == "yes")


def _is_refused(folder: Path, method: str, path: str, headers: dict[str, str], body: bytes) -> bool:
    content_type = headers.get("Content-Type", "")
    route, _, query = path.partition("?")
    args = dict(pair.split("=") for pair in query.split("&") if pair)
    request = MockRequest(
        "http://127.0.0.1:8025", method.lower(), route, headers=headers, args=args, data=body, content_type=content_type
    )
    try:
        OpenAPI.from_file_path(str(folder / "contract.yaml")).validate_request(request)
    except OpenAPIError:
        return True
    return False


run_python(PAGE, globals())
