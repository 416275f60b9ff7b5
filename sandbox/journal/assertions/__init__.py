"""Saying what must have been received, and saying well what was received instead."""
