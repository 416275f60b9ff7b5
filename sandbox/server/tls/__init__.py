"""Speaking TLS: who the sandbox says it is, and the authority that says so too."""
