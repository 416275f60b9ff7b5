"""Check what docs/contract-testing.md says of tools, its block for Node, and what CHANGELOG.md says of the contract.

Usage: contract.py NODE_MODULES [--write]. ``--write`` puts the table of tools into the page.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from openapi_core import OpenAPI
from openapi_core.exceptions import OpenAPIError
from openapi_core.testing import MockRequest

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs/contract-testing.md"
FILES = ("openapi.yaml", "openapi-3.0.yaml")
TABLE = re.compile(r"(?<=<!-- tools -->\n).*?(?=<!-- /tools -->)", re.DOTALL)
VERDICTS = {"none": "unchanged", "patch": "unchanged", "minor": "added", "major": "broken"}
LINE = re.compile(r"^- contract (?P<version>[0-9.]+): (?P<verdict>unchanged|added|broken)\b", re.MULTILINE)


def openapi_core(path: Path) -> str:
    """Hold requests against a resolved document of the demo seed; return ``works`` or the first wrong verdict."""
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    contract, base = OpenAPI.from_dict(document), document["servers"][0]["url"]
    order = document["paths"]["/v1/acme/orders"]["post"]["requestBody"]["content"]["application/json"]["examples"]
    sample = order["stored"]["value"]
    client = {"client_id": "id", "client_secret": "secret"}
    bearer = {"Authorization": "Bearer x"}
    for name, path_, headers, body, is_good in (
        ("a token request", "/oauth/token", {}, {"grant_type": "client_credentials", **client}, True),
        ("another grant", "/oauth/token", {}, {"grant_type": "password", **client}, False),
        ("an order", "/v1/acme/orders", bearer, sample, True),
        ("an order without a token", "/v1/acme/orders", {}, sample, False),
        ("an order with a wrong field", "/v1/acme/orders", bearer, {**sample, "id": "text"}, False),
    ):
        request = MockRequest(base, "post", path_, headers=headers, data=json.dumps(body).encode())
        try:
            contract.validate_request(request)
            taken = True
        except OpenAPIError:
            taken = False
        if taken is not is_good:
            return f"{'takes' if taken else 'refuses'} {name}"
    return "works"


def schemathesis(path: Path) -> str:
    """Return whether Schemathesis finds the operations."""
    import schemathesis as library

    found = list(library.openapi.from_path(str(path)).get_all_operations())
    return "works" if found and all(hasattr(each, "ok") for each in found) else "reads not all operations"


def tools(node_modules: Path) -> dict[str, dict[str, str]]:
    """Return the verdict of each tool on each document."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "sandbox.cli", "openapi", "--resolve", "--output", folder]
        subprocess.run(command, check=True, capture_output=True, cwd=ROOT)
        paths = {name: Path(folder, name) for name in FILES}
        script = [str(ROOT / ".ci/clients/contract_tools.mjs"), str(node_modules.parent), *map(str, paths.values())]
        of_node = json.loads(subprocess.run(["node", *script], check=True, capture_output=True, timeout=300).stdout)
        found = {
            name: {file: try_(path) for file, path in paths.items()}
            for name, try_ in (("openapi-core", openapi_core), ("Schemathesis", schemathesis))
        }
        return {**found, **{name: {Path(file).name: said for file, said in by.items()} for name, by in of_node.items()}}


def table(found: dict[str, dict[str, str]]) -> str:
    """Return the table of the page."""
    rows = [
        f"| {name} | {' | '.join('yes' if by[file] == 'works' else f'no: {_short(by[file])}' for file in FILES)} |\n"
        for name, by in found.items()
    ]
    head = "| tool | `openapi.yaml` (3.1) | `openapi-3.0.yaml` (3.0.3) |\n|---|---|---|\n"
    return "".join(["\n", head, *rows, "\n"])


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


def block_for_node_runs(node_modules: Path) -> bool:
    """Return whether the page's block for Node runs, with the page's seed; openapi-backend needs Node 20."""
    version = subprocess.run(["node", "--version"], check=True, capture_output=True, text=True).stdout
    if int(version.lstrip("v").partition(".")[0]) < 20:
        print(f"the block for Node: skipped, openapi-backend needs Node 20, this is {version.strip()}")
        return True
    text = PAGE.read_text(encoding="utf-8")
    seed, block = (
        re.search(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL) for language in ("yaml", "js")
    )
    assert seed is not None
    assert block is not None
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "node_modules").symlink_to(node_modules)
        (folder / "contract.test.mjs").write_text(block[1], encoding="utf-8")
        command = [sys.executable, "-m", "sandbox.cli", "openapi", "--resolve", "--oas", "3.0", "--seed", seed[1]]
        printed = subprocess.run(command, check=True, capture_output=True, cwd=ROOT).stdout
        (folder / "contract-3.0.yaml").write_bytes(printed)
        done = subprocess.run(["node", "--test"], check=False, capture_output=True, text=True, cwd=folder, timeout=120)
    print("the block for Node: " + ("passes" if done.returncode == 0 else f"fails\n{done.stdout}{done.stderr}"))
    return done.returncode == 0


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
    results = [is_told, block_for_node_runs(node_modules), changelog_is_true(node_modules)]
    sys.exit(not all(results))


if __name__ == "__main__":
    main()
