import os
import stat
from pathlib import Path

import pytest

from softix_proxy.domain.core.errors import ConflictError, FailureError
from softix_proxy.exports.reporting.whole_file import whole_file


def test_whole_file_exists_only_after_the_last_write(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    with whole_file(path, overwrite=False) as file:
        file.write(b"all of it")
        assert not path.exists()
    assert path.read_bytes() == b"all of it"
    assert list(tmp_path.iterdir()) == [path]


def test_whole_file_after_a_failure_keeps_the_earlier_content(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    path.write_bytes(b"before")
    with pytest.raises(ZeroDivisionError), whole_file(path, overwrite=True) as file:
        file.write(b"half")
        raise ZeroDivisionError
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]


def test_whole_file_with_an_existing_file_keeps_it_unless_overwrite_is_set(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    path.write_bytes(b"before")
    with pytest.raises(ConflictError, match="exists"), whole_file(path, overwrite=False):
        pytest.fail("not reached")
    assert path.read_bytes() == b"before"
    with whole_file(path, overwrite=True) as file:
        file.write(b"after")
    assert path.read_bytes() == b"after"


def test_whole_file_with_a_file_created_meanwhile_keeps_that_file(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    with pytest.raises(ConflictError), whole_file(path, overwrite=False):
        path.write_bytes(b"another's")
    assert path.read_bytes() == b"another's"
    assert list(tmp_path.iterdir()) == [path]


def test_whole_file_in_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FailureError, match="cannot write") as failure, whole_file(tmp_path / "no/x", overwrite=False):
        pytest.fail("not reached")
    assert failure.value.remedy == "choose another place"


def test_whole_file_is_for_its_owner_alone_whatever_the_umask_is(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with whole_file(tmp_path / "out.csv", overwrite=False) as file:
            assert stat.S_IMODE((tmp_path / "out.csv.partial").stat().st_mode) == 0o600
            file.write(b"a")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "out.csv").stat().st_mode) == 0o600


def test_whole_file_replaces_a_link_and_leaves_what_it_led_to(tmp_path: Path) -> None:
    other, path = tmp_path / "other", tmp_path / "out.csv"
    other.write_bytes(b"kept")
    path.symlink_to(other)
    with whole_file(path, overwrite=True) as file:
        file.write(b"new")
    assert other.read_bytes() == b"kept" and path.read_bytes() == b"new" and not path.is_symlink()


def test_whole_file_whose_partial_file_is_a_link_is_refused(tmp_path: Path) -> None:
    other, path = tmp_path / "other", tmp_path / "out.csv"
    other.write_bytes(b"kept")
    (tmp_path / "out.csv.partial").symlink_to(other)
    with pytest.raises(FailureError, match="cannot write"), whole_file(path, overwrite=True):
        pytest.fail("not reached")
    assert other.read_bytes() == b"kept"
