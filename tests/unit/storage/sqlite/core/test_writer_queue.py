"""Fairness between processes is in tests/contract/test_turns_between_processes.py."""

import fcntl
import os
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.process import environment

from softix_proxy.storage.sqlite.core.engine import BusyError
from softix_proxy.storage.sqlite.core.writer_queue import NAMES, WriteTurn

WAIT_S = 10


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "softix.db"
    path.touch()
    return path


@pytest.fixture
def turn(database: Path) -> Iterator[WriteTurn]:
    turn = WriteTurn(database, WAIT_S)
    yield turn
    turn.close()


def is_free(database: Path, end: str = NAMES[0]) -> bool:
    descriptor = os.open(f"{database}{end}", os.O_RDWR)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
    return True


def test_write_turn_when_taken_is_free_only_after_it_is_given_back(database: Path, turn: WriteTurn) -> None:
    turn.take()
    assert not is_free(database) and is_free(database, NAMES[1])
    turn.give()
    assert is_free(database)


def test_write_turn_files_are_accessible_to_the_owner_only(database: Path, turn: WriteTurn) -> None:
    assert {stat.S_IMODE(os.stat(f"{database}{end}").st_mode) for end in NAMES} == {0o600}


def test_write_turn_given_back_and_requested_again_goes_to_the_waiting_one_first(
    database: Path, turn: WriteTurn
) -> None:
    second, order = WriteTurn(database, WAIT_S), list[str]()
    turn.take()

    def wait() -> None:
        second.take()
        order.append("second")
        second.give()

    waiting = threading.Thread(target=wait)
    waiting.start()
    while is_free(database, NAMES[1]):  # until it is in the queue
        pass
    turn.give()
    turn.take()
    order.append("first")
    turn.give()
    waiting.join(WAIT_S)
    second.close()
    assert order == ["second", "first"]


def test_write_turn_that_comes_after_the_timeout_is_given_back(database: Path, turn: WriteTurn) -> None:
    hurried = WriteTurn(database, 0.01)
    turn.take()
    for _ in range(3):
        with pytest.raises(BusyError):
            hurried.take()
    assert sum(thread.name == "softix-turn" for thread in threading.enumerate()) == 1, "one asks, however often"
    turn.give()
    for thread in threading.enumerate():
        if thread.name == "softix-turn":
            thread.join(WAIT_S)
    assert is_free(database) and is_free(database, NAMES[1])
    hurried.take()
    hurried.close()
    assert is_free(database)


def test_write_turn_closed_while_waiting_leaves_the_queue(database: Path, turn: WriteTurn) -> None:
    hurried = WriteTurn(database, 0.01)
    turn.take()
    with pytest.raises(BusyError):
        hurried.take()
    [asking] = [thread for thread in threading.enumerate() if thread.name == "softix-turn"]
    hurried.close()
    turn.give()
    asking.join(WAIT_S)
    assert is_free(database) and is_free(database, NAMES[1])


HOLDER = """
import sys
from pathlib import Path
from softix_proxy.storage.sqlite.core.writer_queue import WriteTurn
WriteTurn(Path(sys.argv[1]), 10).take()
print("taken", flush=True)
sys.stdin.read()
"""


def test_write_turn_of_a_killed_process_is_free(database: Path, turn: WriteTurn) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(database)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment()
    ) as holder:
        assert holder.stdout is not None and holder.stdout.readline() == b"taken\n"
        hurried = WriteTurn(database, 0.01)
        with pytest.raises(BusyError):
            hurried.take()
        hurried.close()
        holder.kill()
        turn.take()


def test_write_turn_when_the_second_file_cannot_be_opened_leaves_no_descriptor(database: Path) -> None:
    Path(f"{database}{NAMES[1]}").mkdir()
    open_files = len(os.listdir("/dev/fd"))
    for _ in range(3):
        with pytest.raises(OSError, match="directory"):
            WriteTurn(database, WAIT_S)
    assert len(os.listdir("/dev/fd")) == open_files


def test_write_turn_without_the_folder_raises_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        WriteTurn(tmp_path / "none" / "softix.db", WAIT_S)


def test_write_turn_when_no_thread_can_start_is_busy_and_works_again_later(
    database: Path, turn: WriteTurn, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none_left(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    other = WriteTurn(database, WAIT_S)
    other.take()
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", none_left)
        for _ in range(2):
            with pytest.raises(BusyError):
                turn.take()
    assert is_free(database, NAMES[1])
    other.give()
    turn.take()
    turn.give()
    other.close()
