"""Whose the files are that softix makes: root looks after an instance of another user, who has to open them."""

from __future__ import annotations

import os
from pathlib import Path

_ROOT = 0


def open_or_make(place: Path, like: Path, flags: int = os.O_RDWR) -> int:
    """A descriptor of a file with mode 0600. One that root makes belongs to whom `like` belongs. Raises OSError.

    Root changes the owner of what it has made just now, and follows no link: else whoever may write to the folder could
    put a link there, and be given the file that it points to.
    """
    try:
        descriptor = os.open(place, flags | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        return os.open(place, flags | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        hand_over(descriptor, like)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def make_folder(place: Path, like: Path) -> None:
    """With mode 0700, where it is not there yet. Raises OSError."""
    try:
        place.mkdir(mode=0o700)
    except FileExistsError:
        return
    if os.geteuid() == _ROOT:
        os.chown(place, *_owner(like), follow_symlinks=False)


def hand_over(descriptor: int, like: Path) -> None:
    """To be called by who has made the file. Raises OSError."""
    if os.geteuid() == _ROOT:
        os.fchown(descriptor, *_owner(like))


def _owner(like: Path) -> tuple[int, int]:
    """The folder's where it is not there."""
    status = (like if like.exists() else like.parent).stat()
    return status.st_uid, status.st_gid
