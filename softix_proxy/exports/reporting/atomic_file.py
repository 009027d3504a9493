"""Writes the files of an export and their manifest so that all of them appear together or not at all.

Each file is first written beside its place, as `NAME.partial`. Then the manifest's body is written as
`NAME.manifest.partial`. Once the manifest has its number in the books, the remaining steps can be done after a crash
(`left_over`).
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

from softix_proxy.domain.core.errors import BadInputError, ConflictError
from softix_proxy.domain.instance.ownership import open_private
from softix_proxy.domain.reporting.manifests import SUFFIX, Manifest, ManifestFields, ManifestFile, RowForm, canonical
from softix_proxy.exports.reporting.fingerprints import Begun, Fingerprint, begun, of_file
from softix_proxy.exports.reporting.whole_file import open_whole, partial_of, refuse, sync_folder, told

_BODY = ".manifest.partial"
_READ_BYTES = 1 << 20


class _Part:
    """One file that is being written."""

    def __init__(self, path: Path, form: RowForm | None, keep_bytes: int = 0) -> None:
        """Opens the file. `keep_bytes` is the number of bytes of an existing part that are kept as the beginning."""
        self.path = path
        self.partial = partial_of(path)
        self.fingerprint = Fingerprint(form)
        self._file = open_whole(self.partial, keep_bytes)
        if keep_bytes:
            while text := self._file.read(_READ_BYTES):
                self.fingerprint.feed(text)

    def write(self, text: bytes) -> None:
        self._file.write(text)
        self.fingerprint.feed(text)

    def finish(self) -> None:
        """Syncs and closes the file."""
        if not self._file.closed:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()

    def drop(self) -> None:
        self._file.close()
        self.partial.unlink(missing_ok=True)

    def keep(self) -> None:
        with suppress(OSError):  # on a full disk, the written part stays
            self._file.close()


class AtomicExport:
    """Writes to `out`, which is a file or a folder of files. A missing folder is made.

    All methods raise ConflictError if a file exists and must not be overwritten, or if another process writes it. They
    raise FailureError if it cannot be written.
    """

    def __init__(
        self,
        out: Path,
        *,
        overwrite: bool,
        in_folder: bool = False,
        form: RowForm | None = None,
        resumable: bool = False,
    ) -> None:
        """Prepares the export.

        `form` describes how each file is made of rows, or is None. `resumable` keeps the written part after a failure.
        """
        self._resumable = resumable
        self._out = out
        self._overwrite = overwrite
        self._in_folder = in_folder
        self._form = form
        self._parts: list[_Part] = []
        self._undo = ExitStack()
        self.folder = out if in_folder else out.parent

    def __enter__(self) -> AtomicExport:
        """Raises at once the errors that would be raised at the end."""
        if not self._in_folder:
            self._check(self._out)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Removes the written files, unless they are staged.

        Staged files may already be in the books, and the next run completes them.
        """
        self._undo.close()

    @property
    def name(self) -> str:
        """The name of the export, which is that of its first file."""
        return self._parts[0].path.name

    def begun(self) -> Begun | None:
        """Returns the part of this file that an interrupted export left, or None if it cannot be continued."""
        partial = partial_of(self._out)
        if not (self._resumable and self._form and partial.exists()):
            return None
        with told(self._out):
            return begun(partial, self._form)

    def go_on(self, left: Begun) -> None:
        """Continues after the part that is already written."""
        with told(self._out):
            self._begin(self._out, left.size_bytes)

    def write(self, text: bytes, file: str = "") -> None:
        """Appends to the one file, or to the file with this name in the folder. Files come one after another."""
        path = self.folder / file if self._in_folder else self._out
        with told(path):
            if not self._parts or self._parts[-1].path != path:
                self._begin(path)
            self._parts[-1].write(text)

    def entries(self) -> Sequence[ManifestFile]:
        """Syncs the files and returns their entries for the manifest. A file may be empty."""
        if not self._parts and not self._in_folder:
            self.write(b"")
        for part in self._parts:
            with told(part.path):
                part.finish()
        return [part.fingerprint.entry(part.path.name) for part in self._parts]

    def stage(self, body: ManifestFields) -> None:
        """Writes and syncs the manifest's body, so that the export can be completed after a crash."""
        for part in self._parts:
            self._check(part.path)
        with told(self._body_path):
            _write_synced(self._body_path, canonical(body))
            sync_folder(self.folder)
        self._undo.pop_all()

    def place(self, manifest: Manifest, body: ManifestFields) -> Path:
        """Moves all files to their places, and returns the path of the manifest."""
        return _place(self.folder, [part.path.name for part in self._parts], manifest, body)

    @property
    def _body_path(self) -> Path:
        return self.folder / (self.name + _BODY)

    def _begin(self, path: Path, keep_bytes: int = 0) -> None:
        self._check(path)
        if self._parts:
            self._parts[-1].finish()
        elif self._in_folder and not self.folder.exists():
            self.folder.mkdir(mode=0o700, parents=True)
            self._undo.callback(_remove_if_empty, self.folder)
        if not self._parts:
            self._lock = _alone(partial_of(path))
        self._parts.append(_Part(path, self._form, keep_bytes))
        self._undo.callback(self._parts[-1].keep if self._resumable else self._parts[-1].drop)

    def _check(self, path: Path) -> None:
        if path.name.endswith((SUFFIX, ".partial")):
            raise BadInputError(f"{path.name} would be taken for something else", "choose another name with --out")
        refuse(path, self._overwrite)


@contextmanager
def publishing(folder: Path) -> Iterator[None]:
    """Lets one process at a time put files of this folder in place. The lock ends with the process."""
    with told(folder):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


@dataclass(frozen=True, slots=True)
class LeftOver:
    """The rest of an export that was interrupted during its last steps."""

    staged: Path
    body: ManifestFields

    def make_up(self, manifest: Manifest) -> Path | None:
        """Does the remaining steps and returns the manifest's path. Returns None if the files have changed since."""
        folder, entries = self.staged.parent, [ManifestFile.of(fields) for fields in self.body["files"]]
        for entry in entries:
            path = folder / entry.name
            place = partial_of(path) if partial_of(path).exists() else path
            if not place.exists() or of_file(place, entry.name, None).sha256 != entry.sha256:
                return None
        return _place(folder, [entry.name for entry in entries], manifest, self.body)

    def discard(self) -> None:
        self.staged.unlink()


@contextmanager
def left_over(out: Path) -> Iterator[Sequence[LeftOver]]:
    """Yields the rests of this file, or those in this folder. Meanwhile no other process puts files in place there."""
    folder = out if out.is_dir() else out.parent
    if not folder.is_dir():
        yield ()
        return
    with publishing(folder):
        found = sorted(out.glob("*" + _BODY)) if out.is_dir() else [out.with_name(out.name + _BODY)]
        yield [LeftOver(path, body) for path in found if (body := _body(path)) is not None]


def _body(path: Path) -> ManifestFields | None:
    try:
        body: Any = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    return body if isinstance(body, dict) and body.get("files") else None


def _place(folder: Path, names: Sequence[str], manifest: Manifest, body: ManifestFields) -> Path:
    place = folder / manifest.file_name
    with told(place):
        for name in names:
            if partial_of(folder / name).exists():
                partial_of(folder / name).replace(folder / name)
        _write_synced(partial_of(place), manifest.document(body))
        partial_of(place).replace(place)
        (folder / (manifest.name + _BODY)).unlink(missing_ok=True)
        sync_folder(folder)
    return place


def _alone(path: Path) -> BinaryIO:
    """Locks the file. As long as the returned file is open, no other process writes this file."""
    file = os.fdopen(open_private(path, os.O_WRONLY | os.O_APPEND), "ab")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(path.stat(), os.fstat(file.fileno())):
            return file
    except (BlockingIOError, FileNotFoundError):
        pass
    file.close()
    raise ConflictError(f"another process writes {path}", "wait until it ends, or choose another name")


def _remove_if_empty(folder: Path) -> None:
    with suppress(OSError):
        folder.rmdir()


def _write_synced(path: Path, text: bytes) -> None:
    with open_whole(path) as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
