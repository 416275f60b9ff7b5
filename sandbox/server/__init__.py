"""The HTTP server: sockets, limits and what the application may do to a connection."""
