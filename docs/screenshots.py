"""Take the screenshots of the dashboard: ``python docs/screenshots.py``; needs the development tools and Chromium.

Each page is taken in a sandbox of its own story, so that the pictures show something happening. Without an option it
takes the pictures of the README and of the documentation; with ``--all`` every page at three widths, in light and dark,
to be looked at.
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import requests
from playwright.sync_api import Browser, sync_playwright

from sandbox import Sandbox, SandboxServer
from sandbox.faults.presets import find_preset
from sandbox.foundation.clock import Clock
from sandbox.foundation.real_time import wall_time
from sandbox.state.seed import demo_seed_file

FOLDER: Final = Path(__file__).parent / "screenshots"
PAGES: Final = {
    "requests": "/",
    "findings": "/dashboard/findings",
    "connectors": "/dashboard/connectors",
    "connector": "/dashboard/connectors/1",
    "authentication": "/dashboard/connectors/1/authentication",
    "services": "/dashboard/services",
    "service": "/dashboard/services/1",
    "sync-report": "/dashboard/sync-report",
    "runs": "/dashboard/runs",
    "run": "/dashboard/runs/run-1",
    "flows": "/dashboard/flows",
    "clock": "/dashboard/clock",
    "faults": "/dashboard/faults",
    "rule": "/dashboard/faults/new?fault.kind=status&fault.code=503&match.vanity_url=orders&times=2",
    "settings": "/dashboard/settings",
    "state": "/dashboard/state",
    "seed": "/dashboard/state/seed",
    "try": "/dashboard/try",
    "reference": "/docs",
}
WIDTHS: Final = {360: 780, 1000: 800, 1920: 1080}
IN_THE_DOCUMENTATION: Final = {"findings": "light", "rule": "light", "settings": "light", "clock": "dark"}
"""Pages that are kept, beside an opened request, with their colours."""
ARGUMENTS: Final = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]


class WallClock:
    """A machine's clock that the story sets: its requests lie some seconds apart and take none."""

    def __init__(self) -> None:
        self._behind_s = 0.0

    def __call__(self) -> float:
        return wall_time() - self._behind_s

    def begin(self, minutes_ago: float) -> None:
        """Go back to where the story begins."""
        self._behind_s = minutes_ago * 60

    def pass_by(self, seconds: float) -> None:
        """Let time pass, but not beyond now."""
        self._behind_s = max(0.0, self._behind_s - seconds)


class Story:
    """Ten minutes of an integration: orders come in, one is wrong, the platform is unwell, a token expires."""

    def __init__(self, server: SandboxServer, wall: WallClock) -> None:
        self._server = server
        self._wall = wall
        self._sandbox = server.sandbox
        self._credentials = next(iter(server.sandbox.credentials.values()))
        self._order = (demo_seed_file().parent / "orders" / "order.json").read_bytes()

    def tell(self) -> None:
        """Let it happen."""
        self._wall.begin(minutes_ago=9.4)
        token = self._token()
        for orders, after_s in ((2, 12), (5, 6), (3, 10), (8, 4), (4, 9), (10, 3), (6, 7), (3, 11), (7, 5)):
            for _ in range(orders):
                self._post("orders", self._order, token, after_s)
            self._post("anything", b'{"stock": [{"sku": "TEA-01", "level": 40}]}', token, after_s=12)
        self._post("orders", b'{"number": "ACME-1002", "lines": []}', token, after_s=20)
        self._post("returns", b'{"rma": "R-17"}', token, after_s=3)
        faults = self._sandbox.platform.faults
        faults.add_all(find_preset("two-503s-then-fine").narrowed({"vanity_url": "orders"}))
        for _ in range(4):
            self._post("orders", self._order, token, after_s=12)
        self._sandbox.clock.advance(hours=24)
        self._post("orders", self._order, token, after_s=30)
        token = self._token()
        for _ in range(5):
            self._post("orders", self._order, token, after_s=7)
        self._post("orders", b'{"number": 1003}', token, after_s=8)
        self._wall.pass_by(600)
        self._sandbox.store.add_client(1, "Stock sync")
        self._sandbox.store.change_service(2, active=False)

    def _token(self) -> str:
        form = {
            "grant_type": "client_credentials",
            "client_id": self._credentials.client.id,
            "client_secret": self._credentials.secret,
        }
        headers = {"Accept": "application/json"}
        answer = requests.post(self._server.endpoints.token_url, data=form, headers=headers, timeout=10)
        return str(answer.json()["access_token"])

    def _post(self, vanity_url: str, body: bytes, token: str, after_s: float) -> None:
        self._wall.pass_by(after_s)
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        if vanity_url != "returns":
            headers["Accept"] = "application/json"
        requests.post(f"{self._server.base_url}/v1/acme/{vanity_url}", data=body, headers=headers, timeout=10)


@contextmanager
def _browser() -> Iterator[Browser]:
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        raise SystemExit("Chromium is needed: sudo apt-get install chromium, or CHROMIUM=/path/to/chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=[*ARGUMENTS])
        yield browser
        browser.close()


def _take(browser: Browser, url: str, file: Path, **options: Any) -> None:
    context = browser.new_context(**options)
    page = context.new_page()
    page.goto(url)
    page.wait_for_load_state("load")
    if url.endswith("/docs"):
        page.locator(".opblock").first.wait_for()
    elif "_sandbox/?" in url or url.endswith("_sandbox/"):
        page.get_by_text("Live", exact=True).wait_for()
    page.screenshot(path=file)
    context.close()


def main() -> None:
    """Take those of the documentation, or all to look at."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--all", action="store_true", help="every page, three widths, light and dark, into a new folder"
    )
    everything = parser.parse_args().all
    folder = Path(tempfile.mkdtemp(prefix="screenshots-")) if everything else FOLDER
    folder.mkdir(exist_ok=True)
    wall = WallClock()
    with SandboxServer(Sandbox(clock=Clock(wall)), port=8025) as server, _browser() as browser:
        Story(server, wall).tell()
        expired = next(entry for entry in server.sandbox.journal.snapshot() if entry.status == 401)
        opened = f"/?open={expired.seq}"
        url = f"{server.base_url}/_sandbox"
        if everything:
            for width, height in WIDTHS.items():
                for scheme in ("light", "dark"):
                    options = {"viewport": {"width": width, "height": height}, "color_scheme": scheme}
                    for name, path in {**PAGES, "request": opened}.items():
                        _take(browser, url + path, folder / f"{name}-{width}-{scheme}.png", **options)
        else:
            viewport = {"width": 1280, "height": 800}
            _take(browser, url + opened, folder / "requests.png", viewport=viewport, color_scheme="light")
            for name, scheme in IN_THE_DOCUMENTATION.items():
                _take(browser, url + PAGES[name], folder / f"{name}.png", viewport=viewport, color_scheme=scheme)
    print(f"written to {folder}")


if __name__ == "__main__":
    main()
