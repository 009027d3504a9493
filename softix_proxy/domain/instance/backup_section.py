"""The settings of backups that the daemon makes by itself."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from softix_proxy.domain.core.config import PathUse, setting
from softix_proxy.domain.instance.backups import Retention


@dataclass(frozen=True, slots=True)
class BackupSection:
    """Sets where and how often softix serve makes backups. The command softix backup makes one at any time."""

    folder: Path | None = setting(  # noqa: RUF009
        None,
        "The folder for backups, on another disk than the database. Without it, softix serve makes none.",
        use=PathUse.NEW_FOLDER,
        restart=True,
        example="backups",
    )
    every_h: float = setting(24, "The hours between two backups.", restart=True, least=0.01, most=8784)
    keep: str = setting(
        "7d,4w,12m",
        "The backups that are kept in the folder: the newest of each of so many days (d), weeks (w) and months (m).",
        restart=True,
        item=Retention.parse,
        words="numbers of days, weeks and months, such as 7d,4w,12m",
    )
    encrypt: bool = setting(
        True,
        "Whether backups are encrypted for the master key, so that nobody reads them, or restores them, without it.",
        restart=True,
    )
