import subprocess
import sys
from pathlib import Path

import pytest
from support.books import make_database
from support.process import environment

from softix_proxy.storage.sqlite.core import lock_holders

_HOLD_LOCK = """
import apsw, sys
connection = apsw.Connection(sys.argv[1])
connection.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.read()
"""
_HOLD_TURN = """
import fcntl, os, sys
fcntl.flock(os.open(sys.argv[1] + "-turn", os.O_RDWR | os.O_CREAT), fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""


@pytest.mark.skipif(not Path("/proc/locks").exists(), reason="only Linux lists locks")
@pytest.mark.parametrize("program", [_HOLD_LOCK, _HOLD_TURN])
def test_process_that_keeps_others_from_writing_is_found_while_it_does(tmp_path: Path, program: str) -> None:
    database = make_database(tmp_path)
    reader = database.connect()
    holder = subprocess.Popen(
        [sys.executable, "-c", program, str(database.path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment(),
    )
    assert holder.stdout is not None and holder.stdout.readline() == b"held\n"
    assert lock_holders.find(database.path) == holder.pid
    holder.communicate(b"")
    assert lock_holders.find(database.path) is None
    reader.close()


def test_lock_of_this_process_is_not_named(tmp_path: Path) -> None:
    database = make_database(tmp_path)
    connection = database.connect_in_turn()
    connection.execute("BEGIN IMMEDIATE")
    assert lock_holders.find(database.path) is None
    connection.close()


def test_machine_without_a_list_of_locks_names_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock_holders, "_LOCKS", tmp_path / "none")
    assert lock_holders.find(tmp_path / "softix.db") is None
