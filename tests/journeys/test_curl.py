"""The two lines of the banner, pasted into a shell exactly as they are printed."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from sandbox import load_seed
from sandbox.cli.banner import banner
from sandbox.state.seed import demo_seed_file
from tests.journeys.conftest import Served

pytestmark = pytest.mark.skipif(not (shutil.which("curl") and shutil.which("sh")), reason="needs curl and sh")

SEED = """\
companies:
  - name: "O'Neill & Söhne \\"Ltd\\""
    connectors:
      - name: No client here
        entities: [{type: orders, name: orders}]
        services: [{vanity_url: not-for-us, entity: orders}]
      - name: It's $HOME's `shop`
        entities:
          - type: orders
            name: web orders
            sample: {"o'clock": "$HOME \\"quoted\\" `date` \\\\ ü", "list": [1, 2.5, null]}
        oauth_clients: [{name: "it's", client_secret: "${CLIENT_SECRET}"}]
        services:
          - {vanity_url: switched-off, entity: web orders, active: false}
          - {vanity_url: web_orders, entity: web orders}
"""


SECRET = 'it\'s a "secret" with $PATH & `id` + 100% \\'


def paste(served: Served, folder: Path, *, demo: bool, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the banner's lines in a shell, in a folder."""
    lines = [line for line in banner(served.endpoints, demo=demo).splitlines() if "curl " in line]
    assert len(lines) == 2
    return subprocess.run(
        ["sh"],
        input="\n".join(lines) + "\n",
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/", **variables},
    )


@pytest.mark.parametrize("folder", ["repository", "elsewhere"])
def test_lines_of_the_demo_work_as_printed(
    served: Served, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, folder: str
) -> None:
    fixtures = demo_seed_file().parent
    where = fixtures.parent if folder == "repository" else tmp_path
    monkeypatch.chdir(where)

    done = paste(served, where, demo=True)

    assert done.stdout.startswith("HTTP/1.1 200 OK"), done.stdout + done.stderr
    assert done.stdout.endswith('{"message":"Payload stored successfully."}')
    entry = served.entry(kind="inbound")
    assert (entry.path, entry.outcome) == ("/v1/acme/orders", "accepted")
    assert entry.body == (fixtures / "orders" / "order.json").read_bytes()


def test_lines_of_a_seed_full_of_quotes_work_as_printed(serve: Callable[..., Served], tmp_path: Path) -> None:
    (tmp_path / "seed.yaml").write_text(SEED, encoding="utf-8")
    served = serve(load_seed(tmp_path / "seed.yaml", environ={"CLIENT_SECRET": SECRET}))

    done = paste(served, tmp_path, demo=False, CLIENT_SECRET=SECRET)

    assert done.stdout.startswith("HTTP/1.1 200 OK"), done.stdout + done.stderr
    entry = served.entry(kind="inbound")
    assert entry.vanity_url == "web_orders"
    assert entry.json == {"o'clock": '$HOME "quoted" `date` \\ ü', "list": [1, 2.5, None]}


def test_secret_given_to_curl_is_not_in_the_journal(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    root = demo_seed_file().parent.parent
    monkeypatch.chdir(root)

    paste(served, root, demo=True)

    assert served.client_secret not in repr(list(served.sandbox.journal.snapshot()))
