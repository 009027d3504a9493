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


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o777])
def test_private_file_is_for_its_owner_alone_whatever_the_umask_is(tmp_path: Path, umask: int) -> None:
    (tmp_path / "old").write_text("kept")
    (tmp_path / "old").chmod(0o666)
    before = os.umask(umask)
    try:
        for name in ("new", "old"):
            os.close(ownership.open_private(tmp_path / name))
    finally:
        os.umask(before)
    assert {(tmp_path / name).stat().st_mode & 0o777 for name in ("new", "old")} == {0o600}
    assert (tmp_path / "old").read_text() == "kept"


@pytest.mark.parametrize("kind", ["link", "dangling", "hard", "folder", "pipe"])
def test_private_file_that_may_be_anothers_is_not_opened(tmp_path: Path, kind: str) -> None:
    place, other = tmp_path / "a", tmp_path / "other"
    other.write_text("kept")
    other.chmod(0o644)
    if kind in ("link", "dangling"):
        place.symlink_to(other if kind == "link" else tmp_path / "nothing")
    elif kind == "hard":
        place.hardlink_to(other)
    elif kind == "folder":
        place.mkdir()
    else:
        os.mkfifo(place)
    with pytest.raises(OSError):
        ownership.open_private(place)
    assert other.read_text() == "kept" and other.stat().st_mode & 0o777 == 0o644 and not (tmp_path / "nothing").exists()


def test_private_file_of_another_user_is_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").touch()
    monkeypatch.setattr(os, "geteuid", lambda: 1234)
    with pytest.raises(OSError, match="no plain file of this user"):
        ownership.open_private(tmp_path / "a")
