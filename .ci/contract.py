"""Check the tools and blocks of docs/contract-testing.md, and the line on the contract in CHANGELOG.md.

Usage: contract.py NODE_MODULES [--write]. ``--write`` puts the table of tools into the page.
"""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import yaml
from openapi_core import OpenAPI
from openapi_core.exceptions import OpenAPIError
from openapi_core.testing import MockRequest

from sandbox import Sandbox, SandboxServer
from sandbox.platform.endpoints.token import EXAMPLE_CLIENT

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs/contract-testing.md"
FILES = ("openapi.yaml", "openapi-3.0.yaml")
FLOWS = "openapi-flows.yaml"
TABLE = re.compile(r"(?<=<!-- tools -->\n).*?(?=<!-- /tools -->)", re.DOTALL)
VERDICTS = {"none": "unchanged", "patch": "unchanged", "minor": "added", "major": "broken"}
LINE = re.compile(r"^- contract (?P<version>[0-9.]+): (?P<verdict>unchanged|added|broken)\b", re.MULTILINE)


def tried(document: Any, takes: Callable[[str, dict[str, str], bytes], bool]) -> str:
    """Try a validator of a document; return ``works`` or its first wrong verdict."""
    for name, path, headers, body, is_good in (
        _of_flows() if "/api/v1/login" in document["paths"] else _of_orders(document)
    ):
        if takes(path, headers, json.dumps(body).encode()) is not is_good:
            return f"{'refuses' if is_good else 'takes'} {name}"
    return "works"


Probe = tuple[str, str, dict[str, str], dict[str, Any], bool]
"""A request with its name, and whether it keeps to the contract."""


def _of_flows() -> list[Probe]:
    """Return the requests for the document of process flows."""
    json_type, user = {"Content-Type": "application/json", "Accept": "application/json"}, {"email": "ada@example.test"}
    keyed, start, login = {**json_type, "Authorization": "key"}, "/api/v1/flows/1/start", "/api/v1/login"
    return [
        ("a start", start, keyed, {"payload": "1"}, True),
        ("a start without a key", start, json_type, {"payload": "1"}, False),
        ("a start with a wrong field", start, keyed, {"payload": 1}, False),
        ("a login", login, json_type, {**user, "password": "x"}, True),
        ("a login without a password", login, json_type, user, False),
    ]


def _of_orders(document: Any) -> list[Probe]:
    """Return the requests for a document of the inbound API that the demo seed resolves."""
    order = document["paths"]["/v1/acme/orders"]["post"]["requestBody"]["content"]["application/json"]["examples"]
    sample = order["stored"]["value"]
    client = {"client_id": "id", "client_secret": "secret"}
    json_type = {"Content-Type": "application/json", "Accept": "application/json"}
    bearer = {**json_type, "Authorization": "Bearer x"}
    return [
        ("a token request", "/oauth/token", json_type, {"grant_type": "client_credentials", **client}, True),
        ("another grant", "/oauth/token", json_type, {"grant_type": "password", **client}, False),
        ("an order", "/v1/acme/orders", bearer, sample, True),
        ("an order without a token", "/v1/acme/orders", json_type, sample, False),
        ("an order with a wrong field", "/v1/acme/orders", bearer, {**sample, "id": "text"}, False),
    ]


def openapi_core(path: Path) -> str:
    """Hold requests against a document."""
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    contract, base = OpenAPI.from_dict(document), document["servers"][0]["url"]

    def takes(path: str, headers: dict[str, str], body: bytes) -> bool:
        try:
            contract.validate_request(MockRequest(base, "post", path, headers=headers, data=body))
        except OpenAPIError:
            return False
        return True

    return tried(document, takes)


def schemathesis(path: Path) -> str:
    """Return whether Schemathesis finds the operations."""
    import schemathesis as library

    found = list(library.openapi.from_path(str(path)).get_all_operations())
    return "works" if found and all(hasattr(each, "ok") for each in found) else "reads not all operations"


# --- mocks, and the test of a sandbox -------------------------------------------------------------------------------


class Server:
    """A server at a URL."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def send(self, path: str, headers: dict[str, str], body: bytes) -> Any:
        """Return the JSON of the answer, or ``None`` if it is a refusal."""
        request = urllib.request.Request(self._url + path, body, headers)
        try:
            with self._opener.open(request, timeout=60) as answer:
                return json.load(answer)
        except urllib.error.HTTPError:
            return None

    def takes(self, path: str, headers: dict[str, str], body: bytes) -> bool:
        """Return whether a request is taken."""
        return self.send(path, headers, body) is not None


def specmatic_test(path: Path, jar: Path) -> str:
    """Let Specmatic send the requests of a document to a sandbox that has the client of its examples."""
    client_id, secret = EXAMPLE_CLIENT
    sandbox = Sandbox(settings={"client_id": client_id, "client_secret": secret})
    with SandboxServer(sandbox) as server, tempfile.TemporaryDirectory() as folder:
        url = server.patchworks.base_url
        client = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret}
        token = Server(url).send("/oauth/token", {"Content-Type": "application/json"}, json.dumps(client).encode())
        done = subprocess.run(
            ["java", "-jar", str(jar), "test", str(path), f"--testBaseURL={url}"],
            env={**os.environ, "bearer": token["access_token"]},
            cwd=folder,  # it writes reports
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
    found = re.search(r"Tests run: (\d+), Successes: (\d+)", done.stdout)
    passed = found is not None and found[1] == found[2] != "0" and done.returncode == 0
    return "works" if passed else f"{found[0] if found else done.stdout[-300:]}"


@contextmanager
def mock(*command: str) -> Iterator[Server]:
    """Start a mock server, which gets its port as its last argument; yield it when it listens."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        server = subprocess.Popen([*command, str(port)], cwd=folder, stdout=subprocess.DEVNULL)
        try:
            deadline = time.monotonic() + 120
            while time.monotonic() < deadline and server.poll() is None:
                with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                    break
                time.sleep(0.2)
            yield Server(f"http://127.0.0.1:{port}")
        finally:
            server.terminate()
            server.wait(timeout=30)


def specmatic_stub(path: Path, jar: Path) -> str:
    """Hold requests against the server that Specmatic makes of a document."""
    with mock("java", "-jar", str(jar), "stub", str(path), "--host", "127.0.0.1", "--port") as stub:
        return tried(yaml.safe_load(path.read_text(encoding="utf-8")), stub.takes)


def mockoon(path: Path, program: Path) -> str:
    """Return whether the server that Mockoon makes of a document answers as its examples do; it refuses nothing."""
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    with mock("node", str(program), "start", "--data", str(path), "--port") as server:
        for address in ("/oauth/token", "/v1/acme/orders"):
            responses = document["paths"][address]["post"]["responses"]["200"]["content"]["application/json"]
            expected = [each["value"] for each in responses["examples"].values()]
            if server.send(address, {"Content-Type": "application/json"}, b"{}") not in expected:
                return f"answers {address} otherwise than the examples do"
    return "works"


def tools(node_modules: Path) -> dict[str, dict[str, str]]:
    """Return the verdict of each tool on each document."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "sandbox.cli", "openapi", "--resolve", "--output", folder]
        subprocess.run(command, check=True, capture_output=True, cwd=ROOT)
        paths = {name: Path(folder, name) for name in (*FILES, FLOWS)}
        script = [str(ROOT / ".ci/clients/contract_tools.mjs"), str(node_modules.parent), *map(str, paths.values())]
        of_node = json.loads(subprocess.run(["node", *script], check=True, capture_output=True, timeout=300).stdout)
        jar, mockoon_cli = node_modules / "specmatic/specmatic.jar", node_modules / "@mockoon/cli/bin/run.js"
        found = {
            name: {file: try_(path) for file, path in paths.items() if file in FILES or try_ in READERS}
            for name, try_ in (
                ("openapi-core", openapi_core),
                ("Schemathesis", schemathesis),
                ("Specmatic (test of a sandbox)", partial(specmatic_test, jar=jar)),
                ("Specmatic (stub)", partial(specmatic_stub, jar=jar)),
                ("Mockoon", partial(mockoon, program=mockoon_cli)),
            )
        }
        return {**found, **{name: {Path(file).name: said for file, said in by.items()} for name, by in of_node.items()}}


READERS: tuple[object, ...] = (openapi_core, schemathesis)
"""The tools in Python that read the document of process flows too; the others start servers, which takes long."""


def table(found: dict[str, dict[str, str]]) -> str:
    """Return the table of the page."""
    rows = [
        f"| {name} | {' | '.join(_verdict(by.get(file, 'not tried')) for file in (*FILES, FLOWS))} |\n"
        for name, by in found.items()
    ]
    head = f"| tool | `openapi.yaml` (3.1) | `openapi-3.0.yaml` (3.0.3) | `{FLOWS}` (3.1) |\n|---|---|---|---|\n"
    return "".join(["\n", head, *rows, "\n"])


def _verdict(said: str) -> str:
    return {"works": "yes", "not tried": said}.get(said, f"no: {_short(said)}")


def _short(said: str) -> str:
    return re.split(r"[.:] ", said.replace("|", "/"))[0][:80]


def tools_are_as_told(node_modules: Path, *, write: bool) -> bool:
    """Return whether the page has the table of the tools as they are; ``write`` puts it there."""
    found, text = tools(node_modules), PAGE.read_text(encoding="utf-8")
    for name, by in found.items():
        print(f"{name}: " + ", ".join(f"{file} {said}" for file, said in by.items()))
    if write:
        PAGE.write_text(TABLE.sub(lambda _: table(found), text), encoding="utf-8")
        return True
    told = TABLE.search(text)
    rows = (told[0] if told else "").splitlines()
    stale = [row for row in table(found).splitlines() if row not in rows and "needs Node" not in row]
    if stale:
        print("docs/contract-testing.md says otherwise; run .ci/checks/contract --write:", *stale, sep="\n")
    return not stale


AUTOLOAD = """<?php
require "/usr/share/php/JsonSchema/autoload.php";
require "/usr/share/php/Symfony/Component/Yaml/autoload.php";
"""


def blocks_run(node_modules: Path) -> bool:
    """Return whether the page's blocks for Node, PHP and Java run, with the contract of the page's seed."""
    text = PAGE.read_text(encoding="utf-8")
    blocks = dict(re.findall(r"^```(yaml|js|php|java)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL))
    commands = {
        "js": ("contract.test.mjs", ["node", "--test"]),
        "php": ("contract_test.php", ["php", "-d", "zend.assertions=1", "contract_test.php"]),
        "java": (
            "ContractTest.java",
            ["java", "-ea", "-cp", str(node_modules / "specmatic/specmatic.jar"), "ContractTest.java"],
        ),
    }
    version = subprocess.run(["node", "--version"], check=True, capture_output=True, text=True).stdout
    if int(version.lstrip("v").partition(".")[0]) < 20:
        print(f"the block in js: skipped, openapi-backend needs Node 20, this is {version.strip()}")
        del commands["js"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "node_modules").symlink_to(node_modules)
        (folder / "vendor").mkdir()
        (folder / "vendor/autoload.php").write_text(AUTOLOAD, encoding="utf-8")
        for file, oas in (("contract.yaml", "3.1"), ("contract-3.0.yaml", "3.0")):
            command = [
                sys.executable,
                "-m",
                "sandbox.cli",
                "openapi",
                "--resolve",
                "--oas",
                oas,
                "--seed",
                blocks["yaml"],
            ]
            printed = subprocess.run(command, check=True, capture_output=True, cwd=ROOT).stdout
            (folder / file).write_bytes(printed)
        failed = []
        for language, (file, command) in commands.items():
            (folder / file).write_text(blocks[language], encoding="utf-8")
            done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=folder, timeout=120)
            failed += [language] if done.returncode else []
            print(
                f"the block in {language}: " + (f"fails\n{done.stdout}{done.stderr}" if done.returncode else "passes")
            )
    return not failed


# --- stability ------------------------------------------------------------------------------------------------------


def _released() -> Iterator[tuple[str, str]]:
    """Yield the newest release and its contract, if there is one."""
    listed = subprocess.run(
        ["git", "tag", "--list", "v*", "--sort=-version:refname"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    for tag in listed.stdout.split()[:1]:
        shown = subprocess.run(
            ["git", "show", f"{tag}:openapi.yaml"], cwd=ROOT, capture_output=True, text=True, check=True
        )
        yield tag, shown.stdout


def changes(node_modules: Path, before: str, now: Path) -> tuple[str, list[str]]:
    """Return what the changes of the contract mean, and the breaking ones, by Redocly's diff."""
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder, "released.yaml")
        base.write_text(before, encoding="utf-8")
        program = node_modules / "redocly-diff/bin/cli.js"
        done = subprocess.run(
            ["node", str(program), "diff", str(base), str(now), "--format=json", "--fail-on=none"],
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
    report: dict[str, Any] = json.loads(done.stdout)
    broken = [f"{each['path']} {each['kind']}" for each in report["changes"] if each["impact"] == "major"]
    return VERDICTS[report.get("bump") or "none"], broken


def changelog_is_true(node_modules: Path) -> bool:
    """Return whether CHANGELOG.md says of the contract what has become of it since the last release."""
    unreleased = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8").partition("## Unreleased")[2].partition("\n## ")[0]
    version = yaml.safe_load((ROOT / "openapi.yaml").read_text(encoding="utf-8"))["info"]["version"]
    said = LINE.search(unreleased)
    if said is None or said["version"] != version:
        print(f"CHANGELOG.md, Unreleased: a line '- contract {version}: unchanged | added | broken' is missing")
        return False
    for tag, before in _released():
        verdict, broken = changes(node_modules, before, ROOT / "openapi.yaml")
        bumped = yaml.safe_load(before)["info"]["version"] != version
        print(f"contract since {tag}: {verdict}", *broken, sep="\n  ")
        if (verdict, verdict != "unchanged") != (said["verdict"], bumped):
            print(f"CHANGELOG.md says {said['verdict']}, and info.version {'is another' if bumped else 'is the same'}")
            return False
        return True
    print(f"contract {version}: {said['verdict']}; there is no release (a tag v*) to compare with")
    return True


def main() -> None:
    """Exit with 1 if something is told wrong."""
    warnings.simplefilter("ignore")
    node_modules = Path(sys.argv[1]).resolve()
    is_told = tools_are_as_told(node_modules, write="--write" in sys.argv)
    results = [is_told, blocks_run(node_modules), changelog_is_true(node_modules)]
    sys.exit(not all(results))


if __name__ == "__main__":
    main()
