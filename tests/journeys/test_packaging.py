"""What others start the sandbox with: the image's files, compose.yaml and the GitHub action."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import ssl
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from sandbox import __version__
from sandbox.cli.serve import serve
from sandbox.cli.variables import known_variables
from sandbox.foundation.settings import setting_specs
from sandbox.state.seed import SeedText, load_seed
from sandbox.web.addresses import PRODUCTION_HOSTS
from sandbox.web.control.guard import OPEN_PATHS
from tests import ROOT

ACTION = ROOT / ".github/actions/setup-sandbox"
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))


class Started(NamedTuple):
    """What the step of the action said, and what it handed on."""

    status: int
    said: str
    outputs: dict[str, str]
    variables: dict[str, str]


def _pairs(path: Path) -> dict[str, str]:
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return dict(line.split("=", 1) for line in lines)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Started]]:
    """Run the action's step as a runner does; whatever it started ends with the test."""
    outputs, variables = tmp_path / "output", tmp_path / "env"

    def run(**inputs: str) -> Started:
        step = {
            "FOLDER": str(tmp_path),
            "SEED_FILE": "",
            "OPTIONS": "",
            "CONTROL_KEY": "",
            "PORT": "0",
            "TIMEOUT_S": "30",
            **inputs,
        }
        files = {"GITHUB_OUTPUT": str(outputs), "GITHUB_ENV": str(variables)}
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("PATCHWORKS_")}
        done = subprocess.run(
            [sys.executable, ACTION / "start.py"],
            env={**inherited, **step, **files, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return Started(done.returncode, done.stdout + done.stderr, _pairs(outputs), _pairs(variables))

    yield run
    if (ready := tmp_path / "ready.json").exists():
        os.kill(json.loads(ready.read_text(encoding="utf-8"))["pid"], signal.SIGTERM)


@pytest.fixture
def action() -> dict[str, Any]:
    """The action's own description."""
    document: dict[str, Any] = yaml.safe_load((ACTION / "action.yml").read_text(encoding="utf-8"))
    return document


def test_action_starts_a_sandbox_and_tells_the_job_where_it_is(start: Callable[..., Started]) -> None:
    started = start()

    assert started.status == 0, started.said
    base_url = started.outputs["base-url"]
    assert started.variables == {
        "PATCHWORKS_SANDBOX_URL": base_url,
        "PATCHWORKS_TOKEN_URL": f"{base_url}/oauth/token",
        "PATCHWORKS_COMPANY": "acme",
        "PATCHWORKS_CLIENT_ID": started.outputs["client-id"],
        "PATCHWORKS_CLIENT_SECRET": started.outputs["client-secret"],
        "PATCHWORKS_INBOUND_URL_ORDERS": f"{base_url}/v1/acme/orders",
        "PATCHWORKS_INBOUND_URL_PRODUCTS": f"{base_url}/v1/acme/products",
        "PATCHWORKS_INBOUND_URL_ANYTHING": f"{base_url}/v1/acme/anything",
    }
    with urllib.request.urlopen(f"{started.outputs['control-url']}/health", timeout=5) as answer:
        assert json.load(answer)["version"] == __version__


def test_action_masks_the_secret_before_it_hands_it_on(start: Callable[..., Started]) -> None:
    started = start()

    masked = f"::add-mask::{started.outputs['client-secret']}\n"
    assert started.said.startswith(masked)
    assert started.outputs["client-secret"] not in started.said.removeprefix(masked)


@pytest.mark.parametrize("folder", ["tls", None], ids=["kept authority", "authority in memory"])
def test_action_writes_the_outputs_that_it_declares(
    start: Callable[..., Started], action: dict[str, Any], tmp_path: Path, folder: str | None
) -> None:
    kept = f" --tls-folder {shlex.quote(str(tmp_path / folder))}" if folder else ""
    started = start(CONTROL_KEY="0123456789abcdef", OPTIONS=f"--tls --tls-port 0{kept}")

    assert set(started.outputs) == set(action["outputs"])
    trust = ssl.create_default_context(cafile=started.variables["PATCHWORKS_SANDBOX_CA_FILE"])
    with urllib.request.urlopen(
        f"{started.outputs['tls-base-url']}/_sandbox/health", timeout=5, context=trust
    ) as answer:
        assert answer.status == 200


@pytest.mark.parametrize(
    "inputs", [{"CONTROL_KEY": "0123456789abcdef"}, {"OPTIONS": "--host 0.0.0.0"}], ids=["given", "made"]
)
def test_action_hands_the_control_key_on_masked(start: Callable[..., Started], inputs: dict[str, str]) -> None:
    started = start(**inputs)

    key = started.outputs["control-key"]
    assert key == inputs.get("CONTROL_KEY", key)
    assert started.variables["PATCHWORKS_SANDBOX_CONTROL_KEY"] == key
    assert started.said.count(key) == started.said.count(f"::add-mask::{key}\n") == 1
    request = urllib.request.Request(
        f"{started.outputs['control-url']}/clock", headers={"Authorization": f"Bearer {key}"}
    )
    with urllib.request.urlopen(request, timeout=5) as answer:
        assert answer.status == 200


def test_action_has_no_control_key_where_none_is_needed(start: Callable[..., Started]) -> None:
    started = start()

    assert "control-key" not in started.outputs
    assert "PATCHWORKS_SANDBOX_CONTROL_KEY" not in started.variables


def test_action_passes_seed_and_options_on(start: Callable[..., Started], tmp_path: Path) -> None:
    seed = tmp_path / "my seed.yaml"
    seed.write_text(
        "companies: [{name: Shop, connectors: [{name: Web, entities: [{type: custom, name: all}], "
        "services: [{vanity_url: web-orders, entity: all}]}]}]\n"
    )

    started = start(SEED_FILE=str(seed), OPTIONS="--token-path /token --success-message 'All right.'")

    assert started.outputs["token-url"].endswith("/token")
    assert started.variables["PATCHWORKS_INBOUND_URL_WEB_ORDERS"].endswith("/v1/shop/web-orders")
    assert "client-id" not in started.outputs


def test_action_fails_with_the_sandbox_s_own_words(start: Callable[..., Started]) -> None:
    started = start(OPTIONS="--entity-check sometimes")

    assert started.status != 0
    assert started.said.startswith("::error::The sandbox did not start")
    assert "sometimes" in started.said
    assert not started.outputs


def test_guide_names_every_input_and_output_of_the_action(action: dict[str, Any]) -> None:
    guide = (ROOT / "docs/how-to/github-actions.md").read_text(encoding="utf-8")

    assert [name for name in (*action["inputs"], *action["outputs"]) if f"`{name}`" not in guide] == []


@pytest.fixture
def jobs() -> Callable[[str], dict[str, Any]]:
    """The jobs of a workflow by their ids."""

    def read(workflow: str) -> dict[str, Any]:
        path = ROOT / ".github/workflows" / workflow
        found: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"]
        return found

    return read


def test_nothing_is_published_before_all_passed_and_the_tag_is_the_version(
    jobs: Callable[[str], dict[str, Any]],
) -> None:
    release = jobs("release.yml")
    publishing = {name: job["needs"] for name, job in release.items() if "write" in job["permissions"].values()}

    assert publishing == {"pypi": ["ci", "build"], "image": ["ci", "build"]}
    assert "The tag is the version" in [step.get("name") for step in release["build"]["steps"]]


def test_ci_tries_every_python_and_the_lowest_and_newest_dependencies(jobs: Callable[[str], dict[str, Any]]) -> None:
    ci = jobs("ci.yml")
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")

    assert ci["everything"]["strategy"]["matrix"]["python"] == re.findall(r"Python :: (3\.\d+)", project)
    assert [step["run"] for step in ci["latest"]["steps"] if "run" in step] == [".ci/run latest"]
    assert '"lowest"' in (ROOT / ".ci/run").read_text(encoding="utf-8")
    assert {"lowest", "latest"} <= {path.name for path in (ROOT / ".ci/checks").iterdir()}


def test_image_gets_every_file_that_it_copies() -> None:
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()
    copies = [line.split()[1:-1] for line in lines if line.startswith("COPY ") and "--from" not in line]
    copied = {name for names in copies for name in names}
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()

    assert {name for name in copied if not (ROOT / name).exists()} == set()
    assert copied == {line[1:] for line in ignored if line.startswith("!")}


@pytest.mark.parametrize("service", COMPOSE["services"])
def test_options_in_compose_file_exist(service: str) -> None:
    known = {flag for parameter in serve.params for flag in parameter.opts}
    used = {part.partition("=")[0] for part in COMPOSE["services"][service]["command"] if part.startswith("--")}

    assert used <= known


def test_compose_file_that_needs_no_key_publishes_its_ports_on_loopback_only() -> None:
    service = COMPOSE["services"]["sandbox"]

    assert "--no-control-key" in service["command"]
    assert [port for port in service["ports"] if not port.startswith("127.0.0.1:")] == []
    assert [name for name, other in COMPOSE["services"].items() if "profiles" not in other] == ["sandbox"]


def test_sandbox_beside_other_containers_has_a_key() -> None:
    platform = COMPOSE["services"]["platform"]

    assert "--no-control-key" not in platform["command"]
    assert platform["environment"] == ["PATCHWORKS_SANDBOX_CLIENT_SECRET", "PATCHWORKS_SANDBOX_CONTROL_KEY"]


def test_platform_of_the_compose_file_is_reached_by_its_name_at_the_port_of_https() -> None:
    platform = COMPOSE["services"]["platform"]
    options = dict(part.partition("=")[::2] for part in platform["command"][1:])

    assert platform["profiles"] == ["tls"]
    assert platform["networks"]["default"]["aliases"] == list(PRODUCTION_HOSTS)
    assert (options["--tls"], options["--tls-port"]) == ("", "443")
    assert platform["sysctls"] == {"net.ipv4.ip_unprivileged_port_start": 0}
    assert f"authority:{options['--tls-folder']}" in platform["volumes"]


def test_image_has_the_folder_of_the_authority_for_its_user() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")

    assert "mkdir -p /skeleton/data/tls && chmod -R g=u /skeleton/data" in dockerfile
    assert "COPY --from=build --chown=10001:0 /skeleton/ /" in dockerfile


def test_guide_on_tls_uses_what_the_compose_file_has() -> None:
    guide = (ROOT / "docs/how-to/tls.md").read_text(encoding="utf-8")
    (example,) = [block for block in re.findall(r"```yaml\n(.*?)```", guide, re.DOTALL) if "services:" in block]
    integration = yaml.safe_load(example)["services"]["integration"]

    assert set(integration["depends_on"]) <= set(COMPOSE["services"])
    assert {volume.partition(":")[0] for volume in integration["volumes"]} <= set(COMPOSE["volumes"])


# --- the files of deploy ----------------------------------------------------------------------------------------------

DEPLOYED = sorted(path for path in (ROOT / "deploy").rglob("*") if path.suffix in (".yaml", ".yml"))


@pytest.mark.parametrize("path", DEPLOYED, ids=[path.name for path in DEPLOYED])
def test_variables_of_a_deployment_are_known_and_their_values_allowed(path: Path) -> None:
    given = dict(_variables(yaml.safe_load_all(path.read_text(encoding="utf-8"))))
    settings = {spec.env: spec for spec in setting_specs()}

    assert given
    assert set(given) <= set(known_variables())
    for name, value in given.items():
        if name in settings and not str(value).startswith("$"):
            settings[name].read(value)
    if seed := given.get("PATCHWORKS_SANDBOX_SEED"):
        assert load_seed(SeedText(path.name, seed)).companies


def _variables(node: Any) -> Iterator[tuple[str, Any]]:
    """Yield the variables of mappings and of Kubernetes' lists."""
    if isinstance(node, dict):
        if str(node.get("name", "")).startswith("PATCHWORKS_SANDBOX_") and "value" in node:
            yield node["name"], node["value"]
        for name, value in node.items():
            if str(name).startswith("PATCHWORKS_SANDBOX_"):
                yield name, value
            else:
                yield from _variables(value)
    elif not isinstance(node, str) and hasattr(node, "__iter__"):
        for each in node:
            yield from _variables(each)


def test_probes_of_the_manifest_are_paths_that_need_no_key() -> None:
    text = (ROOT / "deploy/kubernetes.yaml").read_text(encoding="utf-8")

    assert set(re.findall(r"path: (/_sandbox/[\w/]+)", text)) <= set(OPEN_PATHS)
