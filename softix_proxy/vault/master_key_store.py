"""Finds the instance's master key, and replaces it by another one.

The next key is in a file beside the first, and the database names which of the two is the instance's. So everything
opens after a crash at any point, and for a daemon that continues with the old key.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from softix_proxy.domain.core.errors import ConflictError, FailureError
from softix_proxy.domain.ports.vault import Identity
from softix_proxy.vault import master_key, sealed_files
from softix_proxy.vault.master_key import MasterKey, MasterKeySources
from softix_proxy.vault.vault import KeyRing, MasterVault, new_identity, open_vault

_COPIED_BYTES = 1 << 20


class MasterKeyStore:
    """Implements domain.ports.vault.MasterKeys."""

    def __init__(self, sources: MasterKeySources) -> None:
        self._sources = sources

    def source(self) -> str | None:
        found = self._sources.find()
        return found.source if found else None

    def key_id(self) -> str | None:
        found = self._sources.find()
        return found.key.id if found else None

    def next_key_id(self) -> str | None:
        key = self._sources.find_next()
        return key.id if key else None

    def create(self) -> bool:
        """Creates a key in its file, unless a key comes from any source. Returns whether it did."""
        return self._sources.find() is None and master_key.create(self._sources.file) is not None

    def new_identity(self) -> Identity:
        """Returns an identity for an instance that has none, with the present key.

        Raises FailureError if there is no key.
        """
        found = self._sources.find()
        if found is None:
            raise self._missing()
        return new_identity(found.key)

    def open(self, identity: Identity) -> MasterVault:
        keys = self._keys()
        mine = next((key for key in keys if key.check_value == identity.check_value), None)
        if mine is not None:
            return open_vault(mine, identity, self._ring(keys))
        source = self.source()
        if source is None:
            raise self._missing()
        raise FailureError(
            f"the master key is not this instance's (source: {source})", f"give the one with the id {identity.key_id}"
        )

    def open_next(self, identity: Identity) -> MasterVault:
        self.open(identity)
        master_key.create(self._sources.next_file)
        following = self._sources.find_next()
        if following is None:
            raise FailureError(f"{self._sources.next_file} was removed", "run the command again")
        return open_vault(following, identity, self._ring(self._keys()))

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Allows one process at a time. The lock ends with the process."""
        descriptor = os.open(self._sources.file.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise ConflictError("another process changes the master key", "wait until it ends") from None
            yield
        finally:
            os.close(descriptor)

    def put_in_place(self, key_id: str) -> bool:
        found, file, next_file = self._sources.find(), self._sources.file, self._sources.next_file
        in_place = found is not None and found.key.id == key_id
        if not in_place and (found is None or found.source != "file" or self.next_key_id() != key_id):
            return False
        try:
            if not in_place:
                next_file.replace(file)
            elif self.next_key_id() == key_id:
                next_file.unlink()
            master_key.sync_folder(file)
        except OSError as error:
            raise FailureError(
                f"cannot move {next_file} to {file}: {error.strerror}",
                "check the folder's owner and mode, and run the command again",
            ) from None
        return True

    def seal_file(self, source: BinaryIO, target: BinaryIO) -> None:
        """Encrypts a file for the present key. Raises FailureError if there is none."""
        found = self._sources.find()
        if found is None:
            raise self._missing()
        sealed_files.seal_file(found.key, source, target)

    def open_file(self, source: BinaryIO, target: BinaryIO) -> None:
        """Decrypts a file, or copies one that is not encrypted. Raises FailureError."""
        if sealed_files.is_sealed(source):
            sealed_files.open_file(self._ring(self._keys()).find, source, target)
        else:
            shutil.copyfileobj(source, target, _COPIED_BYTES)

    def _ring(self, keys: list[MasterKey]) -> KeyRing:
        return KeyRing(keys, self._sources.find_by_id, self._sources.find_newest)

    def _keys(self) -> list[MasterKey]:
        """Returns the available keys. The next one is read first, because it may replace the other in between."""
        following, found = self._sources.find_next(), self._sources.find()
        return [key for key in (found.key if found else None, following) if key is not None]

    def _missing(self) -> FailureError:
        return FailureError(
            "the master key is missing",
            f"put it back at {self._sources.file} (mode 600), "
            f"or give it by master_key.command or {master_key.VARIABLE}",
        )
