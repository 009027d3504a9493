import shutil
from collections import namedtuple
from pathlib import Path

import pytest

from softix_proxy.doctor.findings import Severity
from softix_proxy.settings import Settings

GIB = 1 << 30
Usage = namedtuple("Usage", "total used free")


@pytest.mark.parametrize(
    ("total_gib", "free_gib", "severity"),
    [
        (10, 0.9, Severity.WARNING),
        (10, 1.1, Severity.OK),
        (100, 4.9, Severity.WARNING),
        (100, 5.1, Severity.OK),
        (10_000, 19, Severity.WARNING),
        (10_000, 21, Severity.OK),
    ],
)
async def test_disk_space_check_with_little_room_warns(
    made: Settings, look, monkeypatch: pytest.MonkeyPatch, total_gib: int, free_gib: float, severity: Severity
) -> None:
    asked: list[Path] = []

    def disk_usage(path: Path) -> Usage:
        asked.append(path)
        return Usage(total_gib * GIB, int((total_gib - free_gib) * GIB), int(free_gib * GIB))

    monkeypatch.setattr(shutil, "disk_usage", disk_usage)
    [found] = await look("disk-space")
    assert found.severity is severity
    assert f"{free_gib:.1f} GiB are free" in found.message
    assert asked == [made.paths.data_dir]
