"""The emulated platform in plain Python: its data, its tokens, its endpoints and the exact bytes of its answers."""
