"""Exports without books: a folder of files with a chain of manifests, signed by a key made for the test."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from softix_proxy.domain.reporting.manifests import Manifest, RowForm, canonical
from softix_proxy.exports.reporting.atomic_file import AtomicExport

HEADER = b"row_id,charge\r\n"
FIRST_ID = 1_790_000_000_000_000


def row(number: int) -> bytes:
    return b"%d,%d.%02d" % (FIRST_ID + number * 7, number, number % 100)


class Exporter:
    """Signs as the books would: numbers without a gap, each with the hash of the one before."""

    def __init__(self, signer: object) -> None:
        self.signer = signer
        self.last: Manifest | None = None

    def export(self, folder: Path, name: str, text: bytes, form: RowForm | None = None) -> Manifest:
        with AtomicExport(folder / name, overwrite=True, form=form) as draft:
            draft.write(text)
            body = {"files": [entry.fields() for entry in draft.entries()]}
            draft.stage(body)
            digest = sha256(canonical(body)).hexdigest()
            number, previous = (self.last.number + 1, self.last.sha256) if self.last else (1, None)
            key: str = self.signer.public_key  # type: ignore[attr-defined]
            made = Manifest(number, "2026-11-01T00:00:00.000000Z", name, name[-3:], 0, digest, previous, key)
            self.last = replace(made, signature=self.signer.sign(made.signed()))  # type: ignore[attr-defined]
            draft.place(self.last, body)
        return self.last

    def csv(self, folder: Path, name: str, rows: int) -> Manifest:
        lines = b"".join(row(number) + b"\r\n" for number in range(rows))
        return self.export(folder, name, HEADER + lines, RowForm("", "\r\n"))
