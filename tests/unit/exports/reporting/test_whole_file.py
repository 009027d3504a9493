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
