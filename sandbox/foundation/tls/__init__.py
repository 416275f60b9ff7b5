"""A certificate authority of our own, in memory or in a folder."""
