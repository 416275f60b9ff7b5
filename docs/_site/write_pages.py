"""Write the pages of the documentation that are made from the code: ``python -m docs._site.write_pages``."""

from __future__ import annotations

from pathlib import Path

from docs._site.agents_index import agents_index
from docs._site.certify_page import certify_page
from docs._site.faults_page import faults_page
from docs._site.fidelity_page import fidelity_page
from docs._site.reasons_page import reasons_page
from docs._site.settings_page import configuration_page
from sandbox.faults.presets import load_presets
from sandbox.platform.fidelity import load_ledger

DOCS = Path(__file__).parents[1]


def pages() -> dict[str, str]:
    """Return the text of each page by its file name in ``docs``."""
    return {
        "fidelity.md": fidelity_page(load_ledger()),
        "configuration.md": configuration_page(),
        "faults.md": faults_page(load_presets()),
        "reasons.md": reasons_page(),
        "certify.md": certify_page(),
        "../sandbox/web/dashboard/templates/llms_index.txt": agents_index(),
    }


if __name__ == "__main__":
    for name, text in pages().items():
        (DOCS / name).write_text(text, encoding="utf-8", newline="\n")
        print(f"wrote docs/{name}")
