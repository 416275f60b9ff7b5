"""The Core API of process flows: reading and managing (FLOWS 5 and 6)."""
