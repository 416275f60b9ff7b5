"""The limits that the server sets a client, and the report on a request that the server refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

RawHeaders: TypeAlias = tuple[tuple[str, str], ...]
"""Header fields as they were sent: case, order and repeats kept, bytes decoded as Latin-1."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much and how long a client may take. Sizes are bytes, times seconds."""

    header_bytes: int = 65_536
    """The whole head, request line included. More is answered 431."""
    header_count: int = 100
    """Header fields of one request. More is answered 431."""
    target_bytes: int = 16_384
    """The request target (path and query). More is answered 414."""
    head_timeout_s: float = 10.0
    """From the first byte of a head to its last, and for a whole TLS handshake. Later is answered 408."""
    body_timeout_s: float = 60.0
    """For a whole body, and for the client to take a part of the answer."""
    keep_alive_s: float = 75.0
    """How long a connection may stay silent between two requests, or before its first."""
    connections: int = 2_048
    """Open at the same time. One more is answered 503 and closed."""
    turned_away: int = 128
    """Connections above ``connections`` that are answered 503. One more is closed without an answer."""
    farewell_s: float = 2.0
    """For the client to end its side of a connection, after the server has ended its own."""
    discarded_bytes: int = 64 * 1024 * 1024
    """Bytes that are read and thrown away after the last answer: closing on unread bytes would be a reset."""
    grace_s: float = 0.02
    """How long ``stop`` waits for the requests that are being answered."""
    stuck_s: float = 1.0
    """How long ``stop`` waits then for the application to return."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A request that the server answered itself, before the application saw it.

    ``method``, ``target`` and ``headers`` are what had arrived by then, unchecked, and empty where nothing had.
    """

    status: int
    reason: str
    remote_addr: str = ""
    method: str = ""
    target: str = ""
    headers: RawHeaders = ()
