"""Price proposals: imported prices that wait for an operator's approval."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from softix_proxy.domain.access.users import User
from softix_proxy.domain.catalog.models import Model
from softix_proxy.domain.catalog.providers import Provider, ProviderStatus
from softix_proxy.domain.core.errors import BadInputError, ConflictError, NotFoundError
from softix_proxy.domain.ports.storage import Storage, Unit
from softix_proxy.domain.pricing.price_changes import UnitPriceChange, differences
from softix_proxy.domain.pricing.prices import PriceSource, PriceVersion, Proposal
from softix_proxy.domain.pricing.rates import PriceSheet
from softix_proxy.imports.price_list import PriceRow
from softix_proxy.operations.access import users
from softix_proxy.operations.catalog import models
from softix_proxy.operations.catalog.catalogue import Catalogue

ProposalMark = tuple[int, int]
"""The number of a proposal, and when it was made. A proposal that replaces another has the number of the other."""


@dataclass(frozen=True, slots=True)
class Proposed:
    """A proposal, with the model, the provider and the user that it is about."""

    proposal: Proposal
    model: Model
    provider: Provider
    user: User | None
    changes: Sequence[UnitPriceChange]
    """The changes from the version of the same source that it replaces, or else from the price that applies now."""

    @property
    def full_name(self) -> str:
        return f"{self.provider.name}/{self.model.name}"

    @property
    def mark(self) -> ProposalMark:
        """What is another once another import has replaced the proposed price."""
        return self.proposal.id, self.proposal.created_at_us


@dataclass(frozen=True, slots=True)
class Imported:
    proposed: Sequence[Proposed]
    unchanged: int
    """The number of imported prices that equal those in force."""
    not_enabled: Sequence[str]
    """The models, as `provider/model`, that the catalogue prices and this instance does not have."""


async def import_rows(storage: Storage, rows: Sequence[PriceRow], file: str) -> Imported:
    """Imports all rows or none. Raises BadInputError for an unknown model or user, and for a start in the past."""
    async with storage.writing() as unit:
        now_us = unit.clock.now_us()
        asked = []
        for row in rows:
            try:
                model = await models.find(unit, row.model)
                user = await users.find(unit, row.user) if row.user is not None else None
            except NotFoundError as error:
                raise BadInputError(f"{file} {row.place}: {error.message}", error.remedy) from None
            if row.starts_at_us is not None and row.starts_at_us < now_us:
                raise BadInputError(f"{file} {row.place}: starts_at is over", "leave it out to start when approved")
            source: PriceSource = "customer" if user else "operator"
            user_id = user.id if user else None
            asked.append(Proposal(0, model.id, user_id, source, row.sheet, row.starts_at_us, now_us))
        return await _propose(unit, asked, ())


async def import_catalogue(storage: Storage, catalogue: Catalogue) -> Imported:
    """Proposes the prices of the shipped catalogue that differ from the instance's newest catalogue prices."""
    async with storage.writing() as unit:
        now_us = unit.clock.now_us()
        asked, not_enabled = [], []
        by_provider: dict[int, dict[str, Model]] = {}
        for model in await unit.models.list():
            by_provider.setdefault(model.provider_id, {})[model.upstream_name] = model
        for provider in await unit.providers.list():
            if provider.status is ProviderStatus.REMOVED:
                continue
            for priced in catalogue.models(provider.type.value):
                found = by_provider.get(provider.id, {}).get(priced.name)
                if found is None:
                    not_enabled.append(f"{provider.name}/{priced.name}")
                    continue
                for starts_at_us, sheet in priced.versions(now_us):
                    start_us = starts_at_us if starts_at_us > now_us else None
                    asked.append(Proposal(0, found.id, None, "catalogue", sheet, start_us, now_us))
        return await _propose(unit, asked, not_enabled)


async def pending(storage: Storage) -> Sequence[Proposed]:
    unit = storage.reading()
    return await _described(unit, await unit.prices.proposals())


async def count(storage: Storage) -> int:
    """Returns how many proposals wait, without a look at what they change."""
    return await storage.reading().prices.proposal_count()


async def approve(
    storage: Storage, references: Sequence[str], *, seen: Collection[ProposalMark] | None = None
) -> Sequence[Proposed]:
    """Turns the proposals of these models, or all if none is named, into versions.

    With `seen`, only those that the operator saw may be among them. Raises NotFoundError, ConflictError.
    """
    async with storage.writing() as unit:
        chosen = await _chosen(unit, references)
        _refuse_unseen(chosen, seen)
        now_us = unit.clock.now_us()
        versions = [
            PriceVersion(
                id=0,
                model_id=one.proposal.model_id,
                user_id=one.proposal.user_id,
                source=one.proposal.source,
                sheet=one.proposal.sheet,
                starts_at_us=max(one.proposal.starts_at_us or now_us, now_us),
                created_at_us=now_us,
            )
            for one in chosen
        ]
        await unit.prices.add_all(versions)
        await unit.prices.withdraw([one.proposal.id for one in chosen])
        return chosen


async def reject(
    storage: Storage, references: Sequence[str], *, seen: Collection[ProposalMark] | None = None
) -> Sequence[Proposed]:
    """Discards the proposals of these models, or all if none is named. Raises as `approve` does."""
    async with storage.writing() as unit:
        chosen = await _chosen(unit, references)
        _refuse_unseen(chosen, seen)
        await unit.prices.withdraw([one.proposal.id for one in chosen])
        return chosen


def _refuse_unseen(chosen: Sequence[Proposed], seen: Collection[ProposalMark] | None) -> None:
    if seen is not None and not {one.mark for one in chosen} <= {*seen}:
        raise ConflictError("the proposed prices are others by now", "look at them again: softix prices diff")


async def _propose(unit: Unit, asked: Sequence[Proposal], not_enabled: Sequence[str]) -> Imported:
    described = await _described(unit, asked)
    changed = [one.proposal for one in described if one.changes]
    await unit.prices.propose(changed)
    kept = {(_subject(proposal), proposal.starts_at_us) for proposal in changed}
    waiting = await unit.prices.proposals()
    stored = [proposal for proposal in waiting if (_subject(proposal), proposal.starts_at_us) in kept]
    return Imported(await _described(unit, stored), len(asked) - len(changed), not_enabled)


async def _chosen(unit: Unit, references: Sequence[str]) -> Sequence[Proposed]:
    waiting = await _described(unit, await unit.prices.proposals())
    if not references:
        return waiting
    chosen = []
    for reference in references:
        found = [one for one in waiting if reference in (one.full_name, one.model.name)]
        if not found:
            raise NotFoundError(f"no price of {reference!r} waits for approval", "see: softix prices diff")
        chosen += [one for one in found if one not in chosen]
    return chosen


_Subject = tuple[int, int | None, str]


def _subject(of: Proposal | PriceVersion) -> _Subject:
    return of.model_id, of.user_id, of.source


def _before(
    start_us: int, versions: Sequence[PriceVersion], waiting: Mapping[int, PriceSheet], now_us: int
) -> PriceSheet | None:
    """Returns the price that would apply at that start if all earlier proposals of the same subject were approved.

    A start of 0 is now.
    """
    earlier = [start for start in waiting if start < start_us]
    started = [one for one in versions if one.has_started(start_us or now_us)]
    latest = max(started, key=lambda one: (one.starts_at_us, one.id), default=None)
    if earlier and (latest is None or latest.starts_at_us <= (max(earlier) or now_us)):
        return waiting[max(earlier)]
    return latest.sheet if latest else None


async def _described(unit: Unit, proposals: Sequence[Proposal]) -> Sequence[Proposed]:
    versions: dict[_Subject, list[PriceVersion]] = {}
    for version in await unit.prices.list():
        versions.setdefault(_subject(version), []).append(version)
    waiting: dict[_Subject, dict[int, PriceSheet]] = {}
    for one in (*await unit.prices.proposals(), *proposals):
        waiting.setdefault(_subject(one), {})[one.starts_at_us or 0] = one.sheet
    directory, now_us = await models.priced_directory(unit), unit.clock.now_us()
    known = {model.id: model for model in await unit.models.list()}
    hosts = {provider.id: provider for provider in await unit.providers.list()}
    described = []
    for proposal in proposals:
        model, subject = known[proposal.model_id], _subject(proposal)
        user = None if proposal.user_id is None else await unit.users.get(proposal.user_id)
        before = _before(proposal.starts_at_us or 0, versions.get(subject, ()), waiting[subject], now_us)
        if before is None:
            rate = directory.rate(proposal.user_id or models.NOBODY, model.id, now_us)
            before = rate.sheet if rate else None
        changes = differences(before, proposal.sheet)
        described.append(Proposed(proposal, model, hosts[model.provider_id], user, changes))
    return described
