from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from softix_proxy.domain.core.errors import ConflictError
from softix_proxy.operations.instance.no_follow import no_follow_folder

MOST = 100


def test_file_is_replaced_as_a_whole_for_its_owner_alone(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        with no_follow_folder(tmp_path / "deep" / "er", make=True) as folder:
            assert folder.read("a", MOST) is None
            folder.replace("a", b"one")
            folder.replace("a", b"two")
            assert folder.read("a", 2) == b"two", "one byte more than the limit"
    finally:
        os.umask(old)
    made = tmp_path / "deep" / "er"
    assert [one.name for one in made.iterdir()] == ["a"] and stat.S_IMODE((made / "a").stat().st_mode) == 0o600
    assert stat.S_IMODE(made.stat().st_mode) == stat.S_IMODE(made.parent.stat().st_mode) == 0o700


def test_partial_file_that_somebody_put_there_is_not_followed(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("kept")
    (tmp_path / "a.partial").symlink_to(other)
    with no_follow_folder(tmp_path) as folder:
        folder.replace("a", b"new")
    assert other.read_text() == "kept" and (tmp_path / "a").read_text() == "new"


def test_folder_that_is_swapped_meanwhile_leads_nowhere_else(tmp_path: Path) -> None:
    mine, others = tmp_path / "mine", tmp_path / "others"
    mine.mkdir()
    others.mkdir()
    (others / "a").write_text("kept")
    with no_follow_folder(mine) as folder:
        mine.rename(tmp_path / "moved")
        mine.symlink_to(others)
        folder.replace("a", b"new")
    assert (others / "a").read_text() == "kept" and (tmp_path / "moved" / "a").read_text() == "new"


@pytest.mark.parametrize("make", [False, True])
def test_link_in_the_path_is_refused_by_its_name(tmp_path: Path, make: bool) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with (
        pytest.raises(ConflictError, match=r"link in .* is a symbolic link"),
        no_follow_folder(tmp_path / "link" / "below", make=make),
    ):
        pytest.fail("not reached")
    assert list((tmp_path / "real").iterdir()) == []


@pytest.mark.parametrize("kind", ["link", "dangling", "hard", "folder", "pipe"])
def test_file_that_is_no_plain_file_of_its_own_is_not_read(tmp_path: Path, kind: str) -> None:
    place, other = tmp_path / "a", tmp_path / "other"
    other.write_text("secret")
    if kind in ("link", "dangling"):
        place.symlink_to(other if kind == "link" else tmp_path / "nothing")
    elif kind == "hard":
        place.hardlink_to(other)
    elif kind == "folder":
        place.mkdir()
    else:
        os.mkfifo(place)
    with no_follow_folder(tmp_path) as folder, pytest.raises(ConflictError):
        folder.read("a", MOST)


def test_missing_folder_and_file_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), no_follow_folder(tmp_path / "no"):
        pytest.fail("not reached")
    with no_follow_folder(tmp_path) as folder:
        folder.remove("nothing")
        assert folder.read("nothing", MOST) is None


def test_failed_replacement_leaves_the_earlier_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").write_text("before")

    def fails(_: int) -> None:
        raise OSError("full")

    monkeypatch.setattr(os, "fsync", fails)
    with no_follow_folder(tmp_path) as folder, pytest.raises(OSError, match="full"):
        folder.replace("a", b"after")
    assert (tmp_path / "a").read_text() == "before" and [one.name for one in tmp_path.iterdir()] == ["a"]
