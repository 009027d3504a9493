from __future__ import annotations

import os
import tempfile
from pathlib import Path
from types import SimpleNamespace

import pytest
from support import memory_folder

GIB = 1024**3


@pytest.fixture(autouse=True)
def memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that stands for the memory, on a machine that says nothing about temporary files."""
    monkeypatch.setattr(memory_folder, "_MEMORY", tmp_path)
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setenv("TMPDIR", "")  # so that it is as before in the end
    monkeypatch.delenv("TMPDIR")
    return tmp_path


def chosen(monkeypatch: pytest.MonkeyPatch, free_bytes: int) -> str | None:
    monkeypatch.setattr(memory_folder.shutil, "disk_usage", lambda _: SimpleNamespace(free=free_bytes))
    memory_folder.use_memory_folder()
    return os.environ.get("TMPDIR")


def test_memory_with_room_takes_the_temporary_files(memory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert chosen(monkeypatch, 4 * GIB) == tempfile.gettempdir() == str(memory)


def test_memory_without_room_takes_none(monkeypatch: pytest.MonkeyPatch) -> None:
    assert chosen(monkeypatch, 64 * 1024**2) is None


def test_named_folder_for_temporary_files_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", "elsewhere")
    assert chosen(monkeypatch, 4 * GIB) == "elsewhere"
