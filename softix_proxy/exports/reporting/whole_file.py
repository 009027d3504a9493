"""Writes a file so that it exists completely or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from softix_proxy.domain.core.errors import ConflictError, FailureError
from softix_proxy.domain.core.os_faults import remedy_of
from softix_proxy.domain.instance.ownership import open_private


@contextmanager
def whole_file(path: Path, *, overwrite: bool) -> Iterator[BinaryIO]:
    """Writes to `path`.partial. At the end the file is synced and renamed. After a failure it is removed.

    Raises ConflictError if the file exists and must not be overwritten. Raises FailureError if it cannot be written.
    """
    partial = partial_of(path)
    refuse(path, overwrite)
    with told(path):
        with open_whole(partial) as file:
            try:
                yield file
                file.flush()
                os.fsync(file.fileno())
                refuse(path, overwrite)
                partial.replace(path)
            finally:
                partial.unlink(missing_ok=True)
        sync_folder(path.parent)


def open_whole(path: Path, keep_bytes: int = 0) -> BinaryIO:
    """Opens a file for reading and writing that only this user may read, cut to this length. Raises OSError."""
    file = os.fdopen(open_private(path, os.O_RDWR), "r+b")
    file.truncate(keep_bytes)
    return file


@contextmanager
def told(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise FailureError(f"cannot write {path}: {error.strerror}", remedy_of(error, "choose another place")) from None


def partial_of(path: Path) -> Path:
    return path.with_name(path.name + ".partial")


def refuse(path: Path, overwrite: bool) -> None:
    if path.exists() and not overwrite:
        raise ConflictError(f"{path} exists", "choose another name, or overwrite it with --force")


def sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
