"""The WSGI environ of one request (PEP 3333)."""

from urllib.parse import unquote_to_bytes

from sandbox.server.head import Head

Environ = dict[str, object]

_WITHOUT_PREFIX = {"CONTENT_TYPE", "CONTENT_LENGTH"}


def add_request(environ: Environ, head: Head) -> None:
    """Add what the head of a request says to `environ`.

    Repeated fields are joined as RFC 9110 §5.3 allows (cookies by their own rule). Fields with an underscore
    in their name are left out, because CGI cannot tell them from those with a hyphen: nobody may pass off
    `X_User` as `X-User`. `sandbox.raw_headers` has them all, as they were sent.
    """
    path = head.path
    environ["REQUEST_METHOD"] = head.method
    environ["SCRIPT_NAME"] = ""
    environ["PATH_INFO"] = unquote_to_bytes(path.encode("latin-1")).decode("latin-1") if "%" in path else path
    environ["QUERY_STRING"] = head.query
    environ["REQUEST_URI"] = environ["RAW_URI"] = head.target
    environ["SERVER_PROTOCOL"] = head.protocol
    environ["sandbox.raw_headers"] = head.headers
    for name, value in head.headers:
        if "_" in name:
            continue
        key = name.upper().replace("-", "_")
        if key not in _WITHOUT_PREFIX:
            key = "HTTP_" + key
        if key in environ:
            separator = "; " if key == "HTTP_COOKIE" else ","
            environ[key] = f"{environ[key]}{separator}{value}"
        else:
            environ[key] = value
