"""Signs exports: each one adds a link to the chain of manifests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

from softix_proxy.domain.core.clock import format_instant
from softix_proxy.domain.core.spans import Span
from softix_proxy.domain.ports.storage import Storage, Unit
from softix_proxy.domain.ports.vault import Signer
from softix_proxy.domain.reporting.manifests import ExportContents, IsSigned, Manifest, ManifestFields, canonical
from softix_proxy.exports.reporting.atomic_file import AtomicExport, left_over, publishing
from softix_proxy.exports.reporting.audit import Audit, ManifestRange, audit
from softix_proxy.operations.access import users
from softix_proxy.operations.metering.usage import MAX_US


@dataclass(frozen=True, slots=True)
class PublishedManifest:
    manifest: Manifest
    place: Path
    """The path of the manifest's file."""
    body: ManifestFields


async def publish(
    storage: Storage, signer: Signer, draft: AtomicExport, told: ExportContents, last_us: int = MAX_US
) -> PublishedManifest | None:
    """Moves a written export to its place, with its manifest.

    An export without counts of its own is counted now, up to postings at `last_us`. Returns None if no file was made.
    Raises ConflictError, FailureError.
    """
    entries = draft.entries()
    if not entries:
        return None
    if not (told.is_counted or told.options.get("tags")):  # a selection can have no row
        await _count(storage.reading(), told, last_us)
    body = {
        "format": told.format,
        "period": await _period(storage.reading(), told.span),
        "user_id": told.user_id,
        "options": told.options,
        "rows": {"count": told.rows, "first_row_id": told.first_row_id, "last_row_id": told.last_row_id},
        "sums": told.sums(),
        "totals": told.totals(),
        "files": [entry.fields() for entry in entries],
    }
    with publishing(draft.folder):
        draft.stage(body)
        manifest = await _signed(storage, signer, draft.name, told, sha256(canonical(body)).hexdigest())
        return PublishedManifest(manifest, draft.place(manifest, body), body)


async def made_up(storage: Storage, out: Path, told: ExportContents) -> PublishedManifest | None:
    """Completes the requested export if an interrupted run lacked only its last steps, and returns it."""
    return next((one for one in await make_up(storage, out) if _is_of(one, told)), None)


async def make_up(storage: Storage, out: Path) -> Sequence[PublishedManifest]:
    """Completes the exports to this file or folder that were signed before an interruption."""
    done = []
    with left_over(out) as found:
        for left in found:
            manifest = await storage.reading().manifests.with_body(sha256(canonical(left.body)).hexdigest())
            place = left.make_up(manifest) if manifest is not None else None
            if manifest is not None and place is not None:
                done.append(PublishedManifest(manifest, place, left.body))
            else:
                left.discard()
    return done


def verify(
    folders: Sequence[Path],
    public_key: str,
    is_signed: IsSigned,
    *,
    first: int | None = None,
    last: int | None = None,
    gaps: bool = False,
    spared: Sequence[Path] = (),
) -> Audit:
    """Audits exported files against their manifests. It needs no books. See `exports.reporting.audit`."""
    return audit(folders, public_key, is_signed, ManifestRange(first, last, gaps), spared)


async def list_all(storage: Storage) -> Sequence[Manifest]:
    """Returns the chain of manifests from its beginning."""
    return await storage.reading().manifests.list()


async def _signed(storage: Storage, signer: Signer, name: str, told: ExportContents, body_sha256: str) -> Manifest:
    async with storage.writing() as unit:
        last = await unit.manifests.last()
        manifest = Manifest(
            number=last.number + 1 if last else 1,
            created_at=format_instant(unit.clock.now_us()) or "",
            name=name,
            format=told.format,
            rows=told.rows,
            body_sha256=body_sha256,
            previous_sha256=last.sha256 if last else None,
            public_key=signer.public_key,
        )
        signed = replace(manifest, signature=signer.sign(manifest.signed()))
        await unit.manifests.add(signed)
    return signed


async def _count(unit: Unit, told: ExportContents, last_us: int) -> None:
    user_id = (await users.find(unit, told.user_id)).id if told.user_id else None
    async for sums in unit.usage.sums(told.span._replace(to_us=min(told.span.to_us, last_us + 1)), user_id):
        told.add(sums)


async def _period(unit: Unit, span: Span) -> ManifestFields:
    """Returns the manifest's fields for a span: its ends, and its label if it is a closed period."""
    name = next((period.label for period in await unit.periods.list() if period.span == span), None)
    return {"name": name, "from": format_instant(span.from_us), "to": format_instant(span.to_us)}


def _is_of(published: PublishedManifest, told: ExportContents) -> bool:
    body = published.body
    found = (body["format"], body["user_id"], body["options"], body["period"]["from"], body["period"]["to"])
    return found == (told.format, told.user_id, told.options, *map(format_instant, told.span))
