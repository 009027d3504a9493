"""What to do about an error of the operating system. A full disk and a missing permission have different remedies."""

from __future__ import annotations

import errno
from collections.abc import Mapping

_REMEDIES: Mapping[int, str] = {
    errno.ENOSPC: "the disk is full: make room",
    errno.EDQUOT: "the quota of the disk is used up: make room, or raise it",
    errno.EFBIG: "raise the limit on the size of files: LimitFSIZE= of the service, or ulimit -f",
    errno.EROFS: "the file system is mounted read-only: look why in the system's log, and mount it writable",
    errno.EIO: "look for errors of the disk in the system's log",
    errno.EMFILE: "raise the limit of open files: LimitNOFILE= of the service, or ulimit -n",
    errno.ENFILE: "the system is out of open files: end programs, or raise fs.file-max",
}


def remedy_of(error: OSError, otherwise: str) -> str:
    """Returns the remedy for the cause of the error, or `otherwise` if the cause is another one."""
    return _REMEDIES.get(error.errno or 0, otherwise)
