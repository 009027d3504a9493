"""The ownership of the files that softix makes.

Root may manage an instance of another user, who has to be able to open them.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

_ROOT = 0


def open_or_make(place: Path, like: Path, flags: int = os.O_RDWR) -> int:
    """Returns the descriptor of a file with mode 0600. One that root makes belongs to the owner of `like`.

    Raises OSError. Root changes the owner only of what it has just made, and follows no link. Otherwise, whoever may
    write to the folder could put a link there and become the owner of the file to which it points.
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
    """Makes a folder with mode 0700 if there is none. Raises OSError."""
    try:
        place.mkdir(mode=0o700)
    except FileExistsError:
        return
    if os.geteuid() == _ROOT:
        os.chown(place, *_owner(like), follow_symlinks=False)


def hand_over(descriptor: int, like: Path) -> None:
    """Gives the file to the owner of `like`. The creator of the file calls it. Raises OSError."""
    if os.geteuid() == _ROOT:
        os.fchown(descriptor, *_owner(like))


def _owner(like: Path) -> tuple[int, int]:
    """Returns the owner of `like`, or of its folder if it does not exist."""
    status = (like if like.exists() else like.parent).stat()
    return status.st_uid, status.st_gid


def open_private(place: Path, flags: int = os.O_WRONLY) -> int:
    """Returns the descriptor of a plain file with mode 0600, whatever the umask is. A missing one is made.

    Nothing of an existing file is removed. Follows no link, and raises OSError for one: the file could be another's.
    """
    flags |= os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    descriptor = os.open(place, flags, 0o600)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_nlink > 1 or status.st_uid != os.geteuid():
            raise OSError(errno.EPERM, "it is no plain file of this user")
        os.fchmod(descriptor, 0o600)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor
