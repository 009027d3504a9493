"""A small disk of its own for a test: a file system in memory, which can be filled and made read-only."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


class SmallDisk:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._filler = folder / "filler"

    @contextmanager
    def full(self) -> Iterator[None]:
        """Leaves no room. Who has files open there keeps them."""
        with self._filler.open("wb", buffering=0) as filler:
            block = bytes(4096)
            try:
                while True:
                    filler.write(block)
            except OSError:
                pass
        yield
        self._filler.unlink()

    @contextmanager
    def read_only(self) -> Iterator[None]:
        _mount("-o", "remount,ro", str(self.folder))
        yield
        _mount("-o", "remount,rw", str(self.folder))


def _mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True, capture_output=True)


@contextmanager
def small_disk(folder: Path, size_kib: int) -> Iterator[SmallDisk]:
    """Mounts a file system of this size. The test is skipped where this process may not."""
    folder.mkdir()
    if os.geteuid() != 0:
        pytest.skip("only root may mount")
    try:
        _mount("-t", "tmpfs", "-o", f"size={size_kib}k", "softix-test", str(folder))
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("nothing can be mounted here")
    try:
        yield SmallDisk(folder)
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
