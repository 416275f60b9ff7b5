"""Pages for people: what the sandbox is doing, and by hand what the vendor's pages describe.

The pages are rendered here and read without JavaScript. With it, small modules (``static/js``) call the control API and
take what changed from a page rendered anew, so that everything is shown by one template and escaped in one way.
"""

from sandbox.dashboard import clock_page, connectors, faults, reference, requests, services, try_it
from sandbox.dashboard.blueprint import pages

__all__ = ["clock_page", "connectors", "faults", "pages", "reference", "requests", "services", "try_it"]
