import os
from pathlib import Path

import pytest

from softix_proxy.domain.instance import ownership

SOMEBODY = (65534, 65534)


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """To whom what root makes is given; these tests run as anybody."""
    owners: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(os, "fchown", lambda _, uid, gid: owners.append((uid, gid)))
    monkeypatch.setattr(os, "chown", lambda _, uid, gid, *, follow_symlinks: owners.append((uid, gid)))
    return owners


def owner_of(place: Path) -> tuple[int, int]:
    status = place.stat()
    return status.st_uid, status.st_gid


def test_file_and_folder_made_by_root_are_given_away_once(tmp_path: Path, given: list[tuple[int, int]]) -> None:
    (tmp_path / "like").touch()
    for _ in range(2):
        os.close(ownership.open_or_make(tmp_path / "made", tmp_path / "like"))
    ownership.make_folder(tmp_path / "folder", tmp_path / "like")
    ownership.make_folder(tmp_path / "folder", tmp_path / "like")
    assert given == [owner_of(tmp_path / "like")] * 2
    assert (tmp_path / "made").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "folder").stat().st_mode & 0o777 == 0o700


def test_file_made_by_root_without_model_file_is_given_to_the_owner_of_the_folder(
    tmp_path: Path, given: list[tuple[int, int]]
) -> None:
    os.close(ownership.open_or_make(tmp_path / "made", tmp_path / "missing"))
    assert given == [owner_of(tmp_path)]


def test_file_and_folder_made_by_another_user_keep_their_owner(
    tmp_path: Path, given: list[tuple[int, int]], monkeypatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    os.close(ownership.open_or_make(tmp_path / "made", tmp_path))
    ownership.make_folder(tmp_path / "folder", tmp_path)
    assert given == []


@pytest.mark.parametrize("exists", [True, False])
def test_file_that_is_a_symbolic_link_is_refused(tmp_path: Path, given: list[tuple[int, int]], exists: bool) -> None:
    secret = tmp_path / "shadow"
    if exists:
        secret.touch()
    (tmp_path / "made").symlink_to(secret)
    with pytest.raises(OSError, match="symbolic link"):
        ownership.open_or_make(tmp_path / "made", tmp_path)
    assert given == []
    assert secret.exists() == exists


def test_file_that_cannot_be_given_away_is_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(descriptor: int, like: Path) -> None:
        raise PermissionError

    monkeypatch.setattr(ownership, "hand_over", refuse)
    before = len(os.listdir("/dev/fd"))
    with pytest.raises(PermissionError):
        ownership.open_or_make(tmp_path / "made", tmp_path)
    assert len(os.listdir("/dev/fd")) == before


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_file_and_folder_made_by_real_root_are_owned_by_the_owner_of_the_folder(tmp_path: Path) -> None:
    os.chown(tmp_path, *SOMEBODY)
    os.close(ownership.open_or_make(tmp_path / "made", tmp_path))
    ownership.make_folder(tmp_path / "folder", tmp_path)
    assert owner_of(tmp_path / "made") == owner_of(tmp_path / "folder") == SOMEBODY
