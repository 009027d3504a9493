"""Checks exported files against their manifests, and finds those that were changed, removed or added.

It needs no database and no secret. It trusts only the public key. A manifest counts if its signature is right and its
body is the one that it names.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from softix_proxy.domain.reporting.manifests import SUFFIX, IsSigned, Manifest, ManifestFile, canonical
from softix_proxy.exports.reporting.fingerprints import differences, of_file


class AuditFinding(NamedTuple):
    file: str
    detail: str
    row_id: int | None = None


@dataclass(frozen=True, slots=True)
class ManifestRange:
    """The numbers of the chain that are expected. None accepts the numbers that are there."""

    first: int | None = None
    last: int | None = None
    gaps: bool = False
    """Whether some numbers in between may be elsewhere."""


@dataclass(frozen=True, slots=True)
class Audit:
    findings: Sequence[AuditFinding]
    manifests: int
    files: int
    first: int | None
    """The number in the chain. None if no manifest is right."""
    last: int | None
    last_sha256: str | None


class _Proved(NamedTuple):
    """A manifest that passed the check."""

    place: Path
    manifest: Manifest
    entries: Sequence[ManifestFile]


def audit(
    folders: Sequence[Path], public_key: str, is_signed: IsSigned, expected: ManifestRange, spared: Sequence[Path] = ()
) -> Audit:
    """Checks all files in these folders. `spared` are other files that may be among them, such as the public key."""
    findings: list[AuditFinding] = []
    proved: list[_Proved] = []
    for place in _files(folders, SUFFIX):
        found = _proved(place, public_key, is_signed)
        if isinstance(found, AuditFinding):
            findings.append(found)
        else:
            proved.append(found)
    if not proved and not findings:
        findings.append(AuditFinding(", ".join(map(str, folders)), "there is no manifest"))
    proved.sort(key=lambda one: one.manifest.number)
    findings += _chain(proved, expected)
    told = _told(proved)
    for path, entry in told.items():
        findings += _file(path, entry)
    known = {path.resolve() for path in (*told, *spared)}
    findings += [
        AuditFinding(str(path), "was added: no manifest names it")
        for path in _files(folders, "")
        if not path.name.endswith(SUFFIX) and path.resolve() not in known
    ]
    ends = (proved[0].manifest, proved[-1].manifest) if proved else (None, None)
    return Audit(
        findings=findings,
        manifests=len(proved),
        files=len(told),
        first=ends[0].number if ends[0] else None,
        last=ends[1].number if ends[1] else None,
        last_sha256=ends[1].sha256 if ends[1] else None,
    )


def _files(folders: Iterable[Path], suffix: str) -> Sequence[Path]:
    """Returns everything that is not a folder, at any depth, once each."""
    found = {
        path for folder in folders for path in folder.rglob("*" + suffix) if path.is_symlink() or not path.is_dir()
    }
    return sorted(found)


def _proved(place: Path, public_key: str, is_signed: IsSigned) -> _Proved | AuditFinding:
    try:
        text = place.read_bytes()
        document: Any = json.loads(text)
        head, signature, body = document["head"], bytes.fromhex(document["signature"]), document["body"]
        manifest = Manifest.of(head, signature)
        entries = [ManifestFile.of(told) for told in body["files"]]
        whole = manifest.document(body)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return AuditFinding(str(place), "was changed: it is no manifest that this version knows")
    if manifest.public_key != public_key:
        return AuditFinding(str(place), f"is signed by another key: {manifest.public_key:.64}")
    if not is_signed(public_key, manifest.signed(), signature):
        return AuditFinding(str(place), "was changed: its signature is not right")
    if sha256(canonical(body)).hexdigest() != manifest.body_sha256 or text != whole:
        return AuditFinding(str(place), "was changed: its body is not the one that was signed")
    if place.name != manifest.file_name:
        return AuditFinding(str(place), f"was renamed: it is {manifest.file_name}")
    return _Proved(place, manifest, entries)


def _chain(proved: Sequence[_Proved], expected: ManifestRange) -> Iterator[AuditFinding]:
    """Checks that each manifest names the one before by its hash."""
    numbers = [one.manifest.number for one in proved]
    if expected.first is not None and proved:
        yield from _missing(proved[0], expected.first, numbers[0] - 1)
    for before, after in pairwise(proved):
        if after.manifest.sha256 == before.manifest.sha256:
            continue  # this manifest is a copy
        if not expected.gaps:
            yield from _missing(after, before.manifest.number + 1, after.manifest.number - 1)
        follows = after.manifest.number == before.manifest.number + 1
        if after.manifest.number == before.manifest.number or (
            follows and after.manifest.previous_sha256 != before.manifest.sha256
        ):
            yield AuditFinding(str(after.place), f"does not follow {before.place.name}: the chain is broken")
    if expected.last is not None and proved:
        yield from _missing(proved[-1], numbers[-1] + 1, expected.last)


def _missing(beside: _Proved, first: int, last: int) -> Iterator[AuditFinding]:
    if first <= last:
        numbers = f"manifest {first}" if first == last else f"manifests {first} to {last}"
        was = "was" if first == last else "were"
        yield AuditFinding(str(beside.place.parent), f"{numbers} {was} removed, with what was exported")


def _told(proved: Iterable[_Proved]) -> Mapping[Path, ManifestFile]:
    """Returns the expected entry of each file.

    A file may be exported again, so the last manifest that names it counts.
    """
    return {one.place.parent / entry.name: entry for one in proved for entry in one.entries}


def _file(path: Path, entry: ManifestFile) -> Iterator[AuditFinding]:
    if not path.is_file():
        yield AuditFinding(str(path), "was removed")
        return
    try:
        if of_file(path, entry.name, None).sha256 != entry.sha256:
            for found in differences(path, entry):
                yield AuditFinding(str(path), found.detail, found.row_id)
    except OSError as error:
        yield AuditFinding(str(path), f"cannot be read: {error.strerror}")
