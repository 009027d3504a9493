"""A wall clock for a process that a test can set, by libfaketime (Debian: `faketime`). Its monotonic clock goes on."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from softix_proxy.domain.core.clock import SECOND_US, parse_instant

_LIBRARIES = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))


class FakeClock:
    """Every process that is started with `variables` has it."""

    def __init__(self, folder: Path) -> None:
        """Skips the test where there is no libfaketime."""
        if not _LIBRARIES:
            pytest.skip("there is no libfaketime; Debian has it in the package faketime")
        self._file = folder / "faketime"
        self.variables = {
            "LD_PRELOAD": str(_LIBRARIES[0]),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "DONT_FAKE_MONOTONIC": "1",
            "TZ": "UTC",
        }
        self.set(0)

    def set(self, ahead_s: int) -> None:
        """From now on it is so many seconds ahead of the real one."""
        fresh = self._file.with_suffix(".new")
        fresh.write_text(f"{ahead_s:+d}")
        fresh.rename(self._file)

    def set_to(self, instant: str) -> None:
        self.set(parse_instant(instant) // SECOND_US - int(time.time()))
