"""Keeps the temporary files of tests in memory: most of a test's time would be waiting for commits to reach a disk."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

_MEMORY = Path("/dev/shm")
_LEAST_FREE_BYTES = 4 * 1024**3
"""What a whole run may need at one time, with room to spare: containers often have 64 MiB there."""


def use_memory_folder() -> None:
    """Puts temporary files of this process and its children into memory, unless TMPDIR says where they go."""
    if "TMPDIR" in os.environ or not os.access(_MEMORY, os.W_OK | os.X_OK):
        return
    if shutil.disk_usage(_MEMORY).free >= _LEAST_FREE_BYTES:
        os.environ["TMPDIR"] = str(_MEMORY)
        tempfile.tempdir = None  # so that it is chosen again
