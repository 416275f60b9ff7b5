"""The OpenAPI documents of the emulated API."""
