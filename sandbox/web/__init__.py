"""The WSGI applications: the emulated API, the control API, the dashboard, and their documents."""
