"""A sandbox behind a URL: its control API as the backend of the same handle.

``control_api`` alone is what the command line needs; it imports nothing heavy.
"""
