"""Pages for people: they show the sandbox, and do by hand what the vendor's pages describe.

The server renders the pages, and they read without JavaScript. With JavaScript, small modules (``static/js``) call the
control API and replace the changed parts by those of a page rendered again, so that one template shows and escapes
everything.
"""

from sandbox.web.dashboard import (  # noqa: F401 - each adds its pages
    acts,
    connectors,
    dialogs,
    findings,
    flows,
    requests,
    rules,
    runs,
    settings,
)
from sandbox.web.dashboard.blueprint import pages, show_problem

__all__ = ["pages", "show_problem"]
