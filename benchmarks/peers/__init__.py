"""The contestants: the sandbox, and the programs that people use in its place. Each can start, serve and stop."""
