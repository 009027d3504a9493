"""Reads and replaces files of one folder without following a link, whatever others do to the path meanwhile.

The folder is opened once, one component of its path after the other, and everything is done through its descriptor. So
nobody who may write somewhere on the way can lead softix to another place, before or during the work.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from softix_proxy.domain.core.errors import ConflictError

_PATH = getattr(os, "O_PATH", os.O_RDONLY)
"""The flag for a folder that may be passed through, but perhaps not listed."""
_MODE = 0o600
_LINK = "a link could lead to somebody else's file: name the file itself, with --file"


class NoFollowFolder:
    """An open folder. Its methods raise OSError, and ConflictError for a link."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self._path = path
        self._descriptor = descriptor

    def read(self, name: str, most_bytes: int) -> bytes | None:
        """Returns the content, or None if there is no such file. At most one byte more than the limit is read."""
        try:
            opened = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=self._descriptor)
        except FileNotFoundError:
            return None
        except OSError:
            self._refuse_link(name)
            raise
        try:
            status = os.fstat(opened)
            if not stat.S_ISREG(status.st_mode):
                raise ConflictError(f"{self._path / name} is not a plain file", "name another, with --file")
            if status.st_nlink > 1:
                raise ConflictError(f"{self._path / name} is the same file as another (a hard link)", _LINK)
            with os.fdopen(opened, "rb", closefd=False) as file:
                return file.read(most_bytes + 1)
        finally:
            os.close(opened)

    def replace(self, name: str, content: bytes) -> None:
        """Puts a new file in the place of another one, or of none. At no time may anyone but its owner read it."""
        partial = f"{name}.partial"
        self.remove(partial)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        opened = os.open(partial, flags, _MODE, dir_fd=self._descriptor)
        try:
            with os.fdopen(opened, "wb") as file:
                os.fchmod(opened, _MODE)
                file.write(content)
                file.flush()
                os.fsync(opened)
            os.replace(partial, name, src_dir_fd=self._descriptor, dst_dir_fd=self._descriptor)
        except BaseException:
            self.remove(partial)
            raise

    def remove(self, name: str) -> None:
        """Removes the file, or the link itself, if there is one."""
        with suppress(FileNotFoundError):
            os.unlink(name, dir_fd=self._descriptor)

    def _refuse_link(self, name: str) -> None:
        if stat.S_ISLNK(os.stat(name, dir_fd=self._descriptor, follow_symlinks=False).st_mode):
            raise ConflictError(f"{self._path / name} is a symbolic link", _LINK)


@contextmanager
def no_follow_folder(path: Path, *, make: bool = False) -> Iterator[NoFollowFolder]:
    """Opens the folder. With `make` it makes what is missing of it, for its owner alone.

    Links directly below the root belong to the system (`/home`, `/tmp`), and are followed. Raises ConflictError for any
    other link in the path, and OSError.
    """
    whole = path.absolute()
    descriptor = os.open("/", _PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for depth, name in enumerate(whole.parts[1:]):
            inner = _step(descriptor, name, whole, make=make, follow=depth == 0)
            os.close(descriptor)
            descriptor = inner
        yield NoFollowFolder(whole, descriptor)
    finally:
        os.close(descriptor)


def _step(descriptor: int, name: str, whole: Path, *, make: bool, follow: bool) -> int:
    if make:
        with suppress(OSError):  # it exists, or opening it says what is wrong
            os.mkdir(name, 0o700, dir_fd=descriptor)
    flags = _PATH | os.O_DIRECTORY | os.O_CLOEXEC | (0 if follow else os.O_NOFOLLOW)
    try:
        return os.open(name, flags, dir_fd=descriptor)
    except OSError:
        with suppress(OSError):
            if stat.S_ISLNK(os.stat(name, dir_fd=descriptor, follow_symlinks=False).st_mode):
                raise ConflictError(f"{name} in {whole} is a symbolic link", _LINK) from None
        raise
