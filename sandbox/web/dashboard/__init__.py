"""Pages for people: what the sandbox is doing, and by hand what the vendor's pages describe.

The pages are rendered here and read without JavaScript. With it, small modules (``static/js``) call the control API and
take what changed from a page rendered anew, so that everything is shown by one template and escaped in one way.
"""

from sandbox.web.dashboard import connectors, reference, requests, try_it
from sandbox.web.dashboard.blueprint import pages

__all__ = ["connectors", "pages", "reference", "requests", "try_it"]
