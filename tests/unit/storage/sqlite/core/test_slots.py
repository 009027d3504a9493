import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from softix_proxy.domain.core.errors import FailureError
from softix_proxy.domain.core.ids import CORRECTIONS_SLOT
from softix_proxy.storage.sqlite.core import slots

HOLD = """
import sys
from pathlib import Path
from softix_proxy.storage.sqlite.core import slots
slot = slots.acquire(Path(sys.argv[1]))
print(slot.number, flush=True)
sys.stdin.read()
"""


def test_slot_acquired_is_the_lowest_free_one(tmp_path: Path) -> None:
    database = tmp_path / "softix.db"
    first, second = slots.acquire(database), slots.acquire(database)
    assert (first.number, second.number) == (0, 1)
    first.release()
    third = slots.acquire(database)
    assert third.number == 0
    for slot in (second, third):
        slot.release()
    folder = tmp_path / "softix.db-slots"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}


def test_slot_of_a_killed_process_is_borrowed(tmp_path: Path) -> None:
    database = tmp_path / "softix.db"
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(database)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None and process.stdout.readline() == "0\n"
    assert slots.borrow_dead(database, [0]) == []
    process.kill()
    process.communicate()
    [borrowed] = slots.borrow_dead(database, [0])
    assert borrowed.number == 0
    mine = slots.acquire(database)
    assert mine.number == 1
    mine.release()
    borrowed.release()


def test_slot_acquire_when_all_are_taken_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slots, "SLOTS", 1)
    only = slots.acquire(tmp_path / "softix.db")
    with pytest.raises(FailureError, match="already serve"):
        slots.acquire(tmp_path / "softix.db")
    only.release()


def test_slot_acquire_when_the_folder_cannot_be_created_is_refused(tmp_path: Path) -> None:
    (tmp_path / "softix.db-slots").write_text("a file in its place")
    with pytest.raises(FailureError, match="cannot write") as failure:
        slots.acquire(tmp_path / "softix.db")
    assert failure.value.remedy


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make files for another user")
def test_slot_files_created_by_root_belong_to_the_owner_of_the_database(tmp_path: Path) -> None:
    database = tmp_path / "softix.db"
    database.touch()
    os.chown(database, 65534, 65534)
    with slots.shut(database):
        pass
    slots.acquire(database).release()
    folder = tmp_path / "softix.db-slots"
    assert {path.stat().st_uid for path in (folder, folder / "000")} == {65534}


def test_living_slots_when_the_folder_cannot_be_read_raises_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: Path) -> Iterator[Path]:
        raise PermissionError(13, "Permission denied")

    (tmp_path / "softix.db-slots").mkdir()
    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(FailureError, match="Permission denied"):
        slots.living(tmp_path / "softix.db")


def test_slot_without_requests_is_alive_and_never_that_of_intents(tmp_path: Path) -> None:
    database = tmp_path / "softix.db"
    portal, second = (slots.acquire(database, admits=False) for _ in range(2))
    assert portal.number > CORRECTIONS_SLOT and second.number == portal.number + 1
    daemon = slots.acquire(database)
    assert daemon.number == 0 and slots.living(database) == (0, portal.number, second.number)
    for slot in (portal, second, daemon):
        slot.release()
    assert slots.living(database) == ()
