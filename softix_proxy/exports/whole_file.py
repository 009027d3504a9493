"""Files that are there in whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO

from softix_proxy.domain.errors import ConflictError, FailureError

Write = Callable[[str, bytes], None]
"""Appends to the file of this name."""


@contextmanager
def whole_file(path: Path, *, overwrite: bool) -> Iterator[BinaryIO]:
    """Writes to `path`.partial; at the end it is synced and renamed, on failure removed.

    Raises ConflictError if the file exists and is not to be overwritten, FailureError if it cannot be written.
    """
    partial = _partial(path)
    _refuse(path, overwrite)
    with _told(path):
        with partial.open("wb") as file:
            try:
                yield file
                file.flush()
                os.fsync(file.fileno())
                _refuse(path, overwrite)
                partial.replace(path)
            finally:
                partial.unlink(missing_ok=True)
        _sync_folder(path.parent)


@contextmanager
def whole_files(folder: Path, *, overwrite: bool) -> Iterator[Write]:
    """The same for files of a folder, which is made if need be: at the end all get their names, on failure none.

    The text of one file comes together, and then that of the next.
    """
    made = not folder.exists()
    names: list[str] = []
    with _told(folder), ExitStack() as undo:
        folder.mkdir(parents=True, exist_ok=True)
        if made:
            undo.callback(folder.rmdir)
        current: BinaryIO | None = None

        def finish() -> None:
            if current is not None:
                current.flush()
                os.fsync(current.fileno())
                current.close()

        def write(name: str, text: bytes) -> None:
            nonlocal current
            if not names or names[-1] != name:
                finish()
                _refuse(folder / name, overwrite)
                partial = _partial(folder / name)
                undo.callback(partial.unlink, missing_ok=True)
                current = partial.open("wb")
                undo.callback(current.close)
                names.append(name)
            if current is not None:
                current.write(text)

        yield write
        finish()
        for name in names:
            _refuse(folder / name, overwrite)
        for name in names:
            _partial(folder / name).replace(folder / name)
        undo.pop_all()
        _sync_folder(folder)


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise FailureError(f"cannot write {path}: {error.strerror}", "choose another place") from None


def _partial(path: Path) -> Path:
    return path.with_name(path.name + ".partial")


def _refuse(path: Path, overwrite: bool) -> None:
    if path.exists() and not overwrite:
        raise ConflictError(f"{path} exists", "choose another name, or overwrite it with --force")


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
