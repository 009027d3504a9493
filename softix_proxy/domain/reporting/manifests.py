"""The manifests: signed descriptions of exports, each naming the one before. docs/manifests.md describes the format."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, NamedTuple, Protocol

from softix_proxy.domain.core.money import CURRENCY, format_usd
from softix_proxy.domain.core.spans import Span
from softix_proxy.domain.metering.usage import UsageSums

VERSION = 1
SUFFIX = ".manifest.json"
SIGNED = b"softix-manifest-1\n"
"""The prefix of the signed bytes, so that no signature means anything else."""
IsSigned = Callable[[str, bytes, bytes], bool]
"""Returns whether this public key (hex) signed these bytes with this signature."""
ManifestFields = Mapping[str, Any]


def canonical(value: object) -> bytes:
    """Returns JSON in the one form that is hashed and signed.

    Keys are sorted, there are no spaces, the encoding is UTF-8, and values are whole numbers and texts only.
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


class RowForm(NamedTuple):
    """The beginning and the end of the lines of a file in which each line is a row that begins with its id."""

    before_id: str
    end: str


class ManifestChunk(NamedTuple):
    """Some consecutive lines, by which a changed line is found without the original."""

    last_id: int
    """The last row id. The rows are those after the last one of the chunk before, up to this id."""
    lines: int
    sha256: str
    """The first 32 hex digits of the hash of the lines, with a line end between them."""
    checksum: int
    """The sum of the lines' CRC-32."""
    weighted: int
    """The same sum with each CRC-32 times its row's id.

    If one line differs, the quotient of the differences is its id.
    """


@dataclass(frozen=True, slots=True)
class ManifestFile:
    """A file of an export."""

    name: str
    """The path from the manifest's own folder."""
    size_bytes: int
    sha256: str
    form: RowForm | None = None
    chunks: tuple[ManifestChunk, ...] = ()

    def fields(self) -> ManifestFields:
        told: dict[str, Any] = {"name": self.name, "bytes": self.size_bytes, "sha256": self.sha256}
        if self.form is not None:
            told["rows"] = {**self.form._asdict(), "chunks": [list(chunk) for chunk in self.chunks]}
        return told

    @classmethod
    def of(cls, told: ManifestFields) -> ManifestFile:
        """Reads a file from a manifest. Raises KeyError, TypeError or ValueError if it is malformed."""
        rows = told.get("rows")
        form = RowForm(str(rows["before_id"]), str(rows["end"])) if rows else None
        chunks = tuple(ManifestChunk(*chunk) for chunk in rows["chunks"]) if rows else ()
        return cls(str(told["name"]), int(told["bytes"]), str(told["sha256"]), form, chunks)


@dataclass(slots=True)
class ExportContents:
    """The description of an export's rows, which were counted while it was written."""

    format: str
    span: Span
    user_id: str | None
    """The public id of the user. None means all users."""
    options: ManifestFields = field(default_factory=dict)
    """The other options of the export."""
    first_row_id: int | None = None
    last_row_id: int | None = None
    _by_user: dict[str, tuple[int, int, int]] = field(default_factory=dict)

    def add(self, sums: UsageSums) -> None:
        for one in sums.by_user:
            rows, cost_pico, charge_pico = self._by_user.get(one.user_id, (0, 0, 0))
            self._by_user[one.user_id] = (rows + one.rows, cost_pico + one.cost_pico, charge_pico + one.charge_pico)
        if sums.by_user:
            self.first_row_id = sums.first_id if self.first_row_id is None else self.first_row_id
            self.last_row_id = sums.last_id

    @property
    def is_counted(self) -> bool:
        return bool(self._by_user)

    @property
    def rows(self) -> int:
        return sum(rows for rows, _, _ in self._by_user.values())

    def sums(self) -> Sequence[ManifestFields]:
        """Returns the sums of each user, ordered by user."""
        return [_sum_fields(user_id, *self._by_user[user_id]) for user_id in sorted(self._by_user)]

    def totals(self) -> Sequence[ManifestFields]:
        """Returns the sums of all users together, one for each currency."""
        columns = [sum(column) for column in zip((0, 0, 0), *self._by_user.values(), strict=True)]
        return [_sum_fields(None, *columns)]


def _sum_fields(user_id: str | None, rows: int, cost_pico: int, charge_pico: int) -> ManifestFields:
    amounts = {"provider_cost": format_usd(cost_pico), "charge": format_usd(charge_pico)}
    return {**({"user_id": user_id} if user_id else {}), "currency": CURRENCY, "rows": rows, **amounts}


@dataclass(frozen=True, slots=True)
class Manifest:
    """The signed head of a manifest. It names the body, which may be long, by its hash."""

    number: int
    """The number in the chain of this instance, from 1 on."""
    created_at: str
    name: str
    """The name of the export's first file."""
    format: str
    rows: int
    body_sha256: str
    previous_sha256: str | None
    """The hash of the manifest before. It is None for the first."""
    public_key: str
    signature: bytes = b""

    def signed(self) -> bytes:
        return SIGNED + canonical(self.head())

    def head(self) -> ManifestFields:
        return {
            "version": VERSION,
            "number": self.number,
            "created_at": self.created_at,
            "name": self.name,
            "format": self.format,
            "rows": self.rows,
            "body_sha256": self.body_sha256,
            "previous_sha256": self.previous_sha256,
            "public_key": self.public_key,
        }

    @property
    def sha256(self) -> str:
        """The hash by which the next manifest names this one."""
        return sha256(canonical(self.head())).hexdigest()

    @property
    def file_name(self) -> str:
        return f"{self.name}.{self.number:04d}{SUFFIX}"

    def document(self, body: ManifestFields) -> bytes:
        """Returns the whole file."""
        return canonical({"head": self.head(), "signature": self.signature.hex(), "body": body}) + b"\n"

    @classmethod
    def of(cls, head: ManifestFields, signature: bytes) -> Manifest:
        """Reads a manifest. Raises KeyError, TypeError or ValueError if it is malformed or of another version."""
        told = dict(head)
        if told.pop("version") != VERSION:
            raise ValueError
        return cls(**told, signature=signature)


class ManifestStore(Protocol):
    """Stores the chain of manifests of what was exported."""

    async def list(self) -> Sequence[Manifest]:
        """Returns the manifests, the first one first."""
        ...

    async def last(self) -> Manifest | None: ...

    async def with_body(self, body_sha256: str) -> Manifest | None:
        """Returns the newest manifest with this body."""
        ...

    async def add(self, manifest: Manifest) -> None:
        """Adds a manifest. Raises ConflictError if its number is not the next."""
        ...
