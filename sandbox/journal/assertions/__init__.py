"""Assertions about received requests, with messages that explain a failure."""
