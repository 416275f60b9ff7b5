"""The authority that a folder keeps."""

from __future__ import annotations

import os
import stat
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509

from sandbox.foundation.errors import SettingError
from sandbox.foundation.tls import authority as authority_module
from sandbox.foundation.tls import folder as folder_module
from sandbox.foundation.tls.authority import Authority
from sandbox.foundation.tls.folder import kept_in


def test_authority_is_the_same_at_the_next_start(tmp_path: Path) -> None:
    folder = tmp_path / "not" / "yet"
    first = kept_in(folder)
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    second = kept_in(folder)

    assert second.private_pem == first.private_pem
    assert files == {"ca.pem": first.ca_pem, "ca-key.pem": first.private_pem}
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == files


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such permissions")
def test_private_key_is_its_owners_only_and_the_certificate_everybodys(tmp_path: Path) -> None:
    kept_in(tmp_path)

    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert modes == {"ca.pem": 0o644, "ca-key.pem": 0o600}


def test_certificate_that_was_removed_is_told_again(tmp_path: Path) -> None:
    first = kept_in(tmp_path)
    (tmp_path / "ca.pem").unlink()
    kept_in(tmp_path)

    assert (tmp_path / "ca.pem").read_bytes() == first.ca_pem


def test_authority_that_has_expired_is_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = kept_in(tmp_path)
    now = authority_module._now()
    monkeypatch.setattr(authority_module, "_now", lambda: now + timedelta(days=365_000))
    kept_in(tmp_path)
    made = (tmp_path / "ca-key.pem").read_bytes()

    assert made != first.private_pem
    assert (tmp_path / "ca.pem").read_bytes() == Authority.from_pem(made).ca_pem


def test_authority_that_another_start_makes_meanwhile_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = Authority.new()

    class Meanwhile(Authority):
        @classmethod
        def new(cls) -> Authority:  # type: ignore[override]
            (tmp_path / "ca-key.pem").write_bytes(other.private_pem)
            (tmp_path / "ca-key.pem").chmod(0o600)
            return Authority.new()

    monkeypatch.setattr(folder_module, "Authority", Meanwhile)

    assert kept_in(tmp_path).ca_pem == other.ca_pem
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ca-key.pem", "ca.pem"]


def test_file_system_without_links_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "hardlink_to", refuse)

    assert kept_in(tmp_path).private_pem == (tmp_path / "ca-key.pem").read_bytes()
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.skipif(os.name != "posix", reason="users are numbers on POSIX")
def test_folder_of_another_user_is_refused_with_the_user_of_the_sandbox(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", str(tmp_path / "tls"))

    monkeypatch.setattr(Path, "mkdir", refuse)

    with pytest.raises(SettingError, match=rf"Permission denied; the sandbox runs as user {os.geteuid()}\)"):
        kept_in(tmp_path / "tls")


def test_authority_that_cannot_be_used_is_told_and_kept(tmp_path: Path) -> None:
    kept_in(tmp_path)
    (tmp_path / "ca-key.pem").write_text("no PEM")

    with pytest.raises(SettingError) as caught:
        kept_in(tmp_path)

    assert caught.value.field == "tls_folder"
    assert "its ca-key.pem cannot be used (it does not hold a certificate" in str(caught.value)
    assert "remove it and ca.pem" in str(caught.value)
    assert (tmp_path / "ca-key.pem").read_text() == "no PEM"


def test_certificate_of_somebody_else_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("somebody's")

    with pytest.raises(SettingError, match=r"a ca\.pem without its ca-key\.pem"):
        kept_in(tmp_path)

    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"ca.pem": "somebody's"}


def test_folder_that_cannot_be_had_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(SettingError, match=r"tls_folder: .* can be read and written, .*File exists"):
        kept_in(tmp_path / "file")


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such permissions")
def test_folder_is_its_owners_only_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        kept_in(tmp_path / "new" / "tls")
    finally:
        os.umask(before)

    assert stat.S_IMODE((tmp_path / "new" / "tls").stat().st_mode) == 0o700


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such permissions")
@pytest.mark.parametrize("mode", [0o666, 0o644, 0o640, 0o620, 0o602], ids=oct)
def test_private_key_that_others_can_get_at_is_refused(tmp_path: Path, mode: int) -> None:
    kept_in(tmp_path)
    (tmp_path / "ca-key.pem").chmod(mode)

    with pytest.raises(SettingError, match="users other than its owner can read or write"):
        kept_in(tmp_path)


def test_authority_issues_no_further_authorities_and_ends(tmp_path: Path) -> None:
    certificate = x509.load_pem_x509_certificate(kept_in(tmp_path).ca_pem)

    constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    assert (constraints.critical, constraints.value.ca, constraints.value.path_length) == (True, True, 0)
    assert certificate.not_valid_after_utc - certificate.not_valid_before_utc < timedelta(days=3660)
