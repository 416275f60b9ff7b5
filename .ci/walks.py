"""Fail unless each reader of the built site gets from the landing page to the pages that they need in two clicks.

Usage: ``python .ci/walks.py SITE``. A click follows a link in the text of a page; the menu does not count.
"""

from __future__ import annotations

import sys
from html.parser import HTMLParser
from pathlib import Path
from posixpath import normpath
from urllib.parse import urldefrag, urljoin, urlparse

SITE = Path(sys.argv[1])
CLICKS = 2
READERS = {
    "Python tester": ("install.html", "tutorial.html", "pytest.html", "how-to/make-it-fail.html", "how-to/time.html"),
    "PHP developer": ("other-languages.html", "how-to/containers.html", "how-to/tls.html"),
    "architect": ("comparison.html", "fidelity.html", "explanation/security.html", "compatibility.html"),
    "contributor": ("contributing.html",),
}


class _Links(HTMLParser):
    """The targets of the links within the article of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.inside = False
        self.targets: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.inside |= tag == "article"
        if self.inside and tag == "a":
            self.targets.append(dict(attrs).get("href") or "")

    def handle_endtag(self, tag: str) -> None:
        self.inside &= tag != "article"


def linked(page: str) -> set[str]:
    """Return the pages of the site to which the text of a page leads."""
    links = _Links()
    links.feed((SITE / page).read_text(encoding="utf-8"))
    within = (urldefrag(urljoin(page, target)).url for target in links.targets if not urlparse(target).scheme)
    return {path for path in map(normpath, within) if path.endswith(".html") and (SITE / path).exists()}


reached = {"index.html"}
for _ in range(CLICKS):
    reached |= {target for page in reached for target in linked(page)}
far = [f"{reader}: {page}" for reader, pages in READERS.items() for page in pages if page not in reached]
if far:
    sys.exit(f"beyond {CLICKS} clicks from the landing page: {'; '.join(far)}")
print(f"{len(READERS)} readers reach their pages in {CLICKS} clicks")
