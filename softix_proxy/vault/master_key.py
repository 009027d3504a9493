"""The master key, which is 32 random bytes, and its sources."""

from __future__ import annotations

import base64
import binascii
import hmac
import os
import re
import secrets
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from softix_proxy.domain.core.errors import FailureError
from softix_proxy.domain.core.os_faults import remedy_of
from softix_proxy.domain.instance import ownership

KEY_BYTES = 32
ID_BYTES = 8
CREDENTIAL = "softix-master-key"
VARIABLE = "SOFTIX_MASTER_KEY"
_COMMAND_TIMEOUT_S = 10
_FORM = re.compile(rb"[0-9a-fA-F]{64}|[A-Za-z0-9+/_-]{43}=?")


class MasterKey:
    """Wraps data keys. Its id and its check value reveal nothing about the key."""

    __slots__ = ("check_value", "id", "wrapping")

    def __init__(self, raw: bytes) -> None:
        def derived(purpose: bytes, length: int = KEY_BYTES) -> bytes:
            return HKDFExpand(SHA256(), length, b"softix master key: " + purpose).derive(raw)

        self.id = derived(b"id", ID_BYTES).hex()
        self.check_value = hmac.digest(derived(b"check"), b"softix", "sha256")
        self.wrapping = AESGCM(derived(b"wrap"))

    def __repr__(self) -> str:
        return f"MasterKey({self.id})"


class FoundMasterKey(NamedTuple):
    key: MasterKey
    source: str


@dataclass(frozen=True, slots=True)
class MasterKeySources:
    """The sources of a master key, in this order: a systemd credential, a file, a command, the environment."""

    file: Path
    command: Sequence[str] | None
    environ: Mapping[str, str]

    @property
    def next_file(self) -> Path:
        """The file of the key that is taking over, beside the main file."""
        return self.file.with_name(self.file.name + ".next")

    def find(self) -> FoundMasterKey | None:
        """Returns the key of the first source that exists. Raises FailureError if that source gives no key."""
        credential = self._credential()
        if credential is not None:
            # The mode is not checked, because systemd grants access by an ACL, which appears as the group's.
            return FoundMasterKey(_decode(_read(credential, private=False), str(credential)), "systemd credential")
        if (key := from_file(self.file)) is not None:
            return FoundMasterKey(key, "file")
        if self.command:
            return FoundMasterKey(_decode(_run(self.command), "the output of master_key.command"), "command")
        if text := self.environ.get(VARIABLE):
            return FoundMasterKey(_decode(text.encode(errors="replace"), VARIABLE), "environment")
        return None

    def find_next(self) -> MasterKey | None:
        return from_file(self.next_file)

    def find_newest(self) -> MasterKey | None:
        """Returns the key of the next file, or else of the main file. None if the key comes from another source.

        Raises FailureError if others can read the file.
        """
        following = self.find_next()
        if following is not None or self._credential() is not None:
            return following
        return from_file(self.file)

    def _credential(self) -> Path | None:
        folder = self.environ.get("CREDENTIALS_DIRECTORY")
        credential = Path(folder) / CREDENTIAL if folder else None
        return credential if credential is not None and credential.exists() else None

    def find_by_id(self, key_id: str) -> MasterKey | None:
        """Returns the key with this id from the files alone, which may have changed since the start."""
        keys = (from_file(path) for path in (self.next_file, self.file))
        return next((key for key in keys if key is not None and key.id == key_id), None)


def from_file(path: Path) -> MasterKey | None:
    """Reads a key. Returns None if there is no such file.

    Raises FailureError if others can read the file, or if it contains no key.
    """
    try:
        return _decode(_read(path, private=True), str(path))
    except FileNotFoundError:
        return None


def create(path: Path) -> MasterKey | None:
    """Creates a new key in a new file of mode 0600, completely or not at all.

    Returns None if there is a file already.
    """
    raw = secrets.token_bytes(KEY_BYTES)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            ownership.hand_over(descriptor, path.parent)
            os.write(descriptor, raw.hex().encode() + b"\n")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        try:
            os.link(draft, path)
        except FileExistsError:
            return None
        finally:
            draft.unlink()
        sync_folder(path)
    except OSError as error:
        remedy = remedy_of(error, "check the folder's owner and mode")
        raise FailureError(f"cannot write {path}: {error.strerror}", remedy) from None
    return MasterKey(raw)


def sync_folder(path: Path) -> None:
    """Makes a new or renamed file's name durable."""
    descriptor = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _read(path: Path, *, private: bool) -> bytes:
    try:
        with path.open("rb") as file:
            if private and os.fstat(file.fileno()).st_mode & 0o077:
                raise FailureError(f"others can read the master key in {path}", f"run: chmod 600 {path}")
            return file.read(1024)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise FailureError(f"cannot read {path}: {error.strerror}", "check its owner and mode") from None


def _run(command: Sequence[str]) -> bytes:
    """Returns the command's standard output. Its standard error is shown nowhere."""
    try:
        done = subprocess.run(  # noqa: S603 - the operator's own command, without a shell
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=_COMMAND_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise FailureError(
            f"master_key.command gave no key within {_COMMAND_TIMEOUT_S} s", "run it by hand as this user"
        ) from None
    except OSError as error:
        raise FailureError(f"master_key.command cannot run: {error.strerror}", "check its path and mode") from None
    if done.returncode:
        raise FailureError(f"master_key.command ended with {done.returncode}", "run it by hand as this user")
    return done.stdout


def _decode(text: bytes, place: str) -> MasterKey:
    """Decodes 64 hex digits, or 43 or 44 letters of base64.

    Raises FailureError, which contains no letter of the text.
    """
    remedy = "a key is 32 random bytes in hex or base64, for example from: openssl rand -hex 32"
    text = text.strip()
    if not _FORM.fullmatch(text):
        raise FailureError(f"there is no master key in {place}", remedy)
    try:
        standard = text.translate(bytes.maketrans(b"-_", b"+/")).rstrip(b"=") + b"="
        raw = bytes.fromhex(text.decode()) if len(text) == 2 * KEY_BYTES else base64.b64decode(standard, validate=True)
    except (ValueError, binascii.Error):
        raise FailureError(f"there is no master key in {place}", remedy) from None
    if len(set(raw)) < KEY_BYTES // 2:
        raise FailureError(f"the master key in {place} is not random", remedy)
    return MasterKey(raw)
