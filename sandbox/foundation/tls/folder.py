"""An authority that is kept in a folder, so that clients trust the next start too."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Final

from sandbox.foundation.atomic_file import staged
from sandbox.foundation.errors import SettingError
from sandbox.foundation.tls.authority import Authority

CA_FILE: Final = "ca.pem"
"""The authority's certificate: what clients are made to trust."""
PRIVATE_FILE: Final = "ca-key.pem"
"""The certificate again, and its private key: the authority itself. In one file, so that they always match."""

_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
_ALLOWED: Final = "a folder that can be read and written, for the certificate authority"


def kept_in(folder: Path) -> Authority:
    """Return the authority that a folder keeps; make both where there is none, or where it has expired.

    Raise ``SettingError`` rather than touch a file that is not ours.
    """
    private = folder / PRIVATE_FILE
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
        strange = (folder / CA_FILE).exists()  # unless the file is ours; ours is written after the private one
        if not private.exists():
            if strange:
                raise _refused(
                    folder, f"; there is a {CA_FILE} without its {PRIVATE_FILE}: take it away, or choose another folder"
                )
            _write(private, Authority.new().private_pem, replace=False)
        authority = _read(private)
        if authority.has_expired:
            authority = Authority.new()
            _write(private, authority.private_pem, replace=True)
        published = folder / CA_FILE
        if not published.exists() or published.read_bytes() != authority.ca_pem:
            _write(published, authority.ca_pem, replace=True, mode=0o644)
    except OSError as error:
        found = f"{error.filename}: {error.strerror}"
        if isinstance(error, PermissionError) and os.name == "posix":
            found += f"; the sandbox runs as user {os.geteuid()}"
        raise _refused(folder, f" ({found})") from None
    return authority


def _refused(folder: Path, why: str) -> SettingError:
    return SettingError("tls_folder", str(folder), f"{_ALLOWED}{why}")


def _read(private: Path) -> Authority:
    if os.name == "posix" and private.stat().st_mode & _OTHERS:
        raise _refused(
            private.parent,
            f"; users other than its owner can read or write its {PRIVATE_FILE}: remove it and {CA_FILE} to "
            "have a new authority made, or chmod 600 it if no other user has read it",
        )
    try:
        return Authority.from_pem(private.read_bytes())
    except ValueError as error:
        raise _refused(
            private.parent,
            f"; its {PRIVATE_FILE} cannot be used ({error}): bring the right one back, or remove it and "
            f"{CA_FILE} to have a new authority made",
        ) from None


def _write(path: Path, data: bytes, *, replace: bool, mode: int = 0o600) -> None:
    """Write a file whole or not at all. Unless it is to be replaced, one that another start has just made stays."""
    with staged(path, [data]) as draft:
        draft.chmod(mode)
        if replace:
            draft.replace(path)
            return
        try:
            path.hardlink_to(draft)
        except FileExistsError:
            pass
        except OSError:  # a file system without links
            draft.replace(path)
