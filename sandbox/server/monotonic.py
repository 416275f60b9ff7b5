"""A monotonic clock that tests cannot stop.

A server whose deadlines stand still, because a test has frozen time, never cuts a slow client off, and one whose clock
jumps by a day cuts everybody off.
"""

from sandbox.real_time import monotonic

__all__ = ["monotonic"]
