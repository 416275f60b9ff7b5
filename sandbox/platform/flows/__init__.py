"""Process flows, the second surface of the platform: login, Start API, webhooks, callbacks, Core API.

``sandbox.platform.serve`` imports ``routes``, and with it the endpoints, for the first request to one of them. A user
of the inbound API alone pays nothing for them.
"""
