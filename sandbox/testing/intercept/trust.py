"""Making the TLS contexts of this process trust an authority, for some hosts, for a while.

The authority is added to a client's context at the moment in which it begins to speak with one of the hosts. By then it
does not matter whose context it is, when it was made (some libraries make theirs when they are imported) and where it
has its authorities from. One that does not verify, or that expects another certificate, is not helped by it.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from sandbox.testing.intercept.routing import plain


@contextmanager
def trusted(hosts: Sequence[str], ca_pem: bytes) -> Iterator[None]:
    """Trust an authority when one of the hosts is spoken with."""
    pem = ca_pem.decode("ascii")

    def trusting(wrap: Callable[..., Any], name_at: int) -> Callable[..., Any]:
        def wrapped(context: ssl.SSLContext, *args: Any, **kwargs: Any) -> Any:
            host = kwargs.get("server_hostname") or (args[name_at] if len(args) > name_at else None)
            if plain(host) in hosts:
                context.load_verify_locations(cadata=pem)
            return wrap(context, *args, **kwargs)

        return wrapped

    # Where server_hostname stands when it is not given by its name.
    with (
        patch.object(ssl.SSLContext, "wrap_socket", trusting(ssl.SSLContext.wrap_socket, 4)),
        patch.object(ssl.SSLContext, "wrap_bio", trusting(ssl.SSLContext.wrap_bio, 3)),
    ):
        yield
