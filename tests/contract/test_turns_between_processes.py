"""Several programs that write to one database without a pause: none of them waits much longer than another."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from support.books import make_database
from support.process import environment

pytestmark = pytest.mark.only_engine("sqlite", reason="waits for locks beside its file")

SCRIPT = Path(__file__).parents[1] / "support" / "turn_writer.py"
SECONDS = 3
MOST_TIMES = 5
LEAST_WRITES = 20


def waits(database: Path, *kinds: str) -> list[dict[str, Any]]:
    """Each a process of its own; all begin together."""
    writers = [
        subprocess.Popen(
            [sys.executable, str(SCRIPT), str(database), str(number), kind, str(SECONDS)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment(),
        )
        for number, kind in enumerate(kinds)
    ]
    try:
        for writer in writers:
            assert writer.stdout is not None and writer.stdout.readline() == "ready\n"
        for writer in writers:
            assert writer.stdin is not None
            writer.stdin.write("go\n")
            writer.stdin.flush()
        return [json.loads(writer.communicate(timeout=60)[0]) for writer in writers]
    finally:
        for writer in writers:
            writer.kill()
            writer.wait()


@pytest.mark.parametrize("kinds", [("daemon", "daemon"), ("daemon", "cli"), ("daemon", "daemon", "cli")])
def test_processes_that_write_without_a_pause_wait_about_equally_long(tmp_path: Path, kinds: tuple[str, ...]) -> None:
    found = waits(make_database(tmp_path).path, *kinds)
    assert all(each["writes"] >= LEAST_WRITES for each in found), found
    times = [each["p99_ms"] for each in found]
    assert max(times) <= MOST_TIMES * min(times), found
