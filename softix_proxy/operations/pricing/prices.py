"""The operations on prices and mark-ups: add versions, and show which applies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from softix_proxy.domain.access.users import User
from softix_proxy.domain.catalog.models import Model
from softix_proxy.domain.catalog.providers import Provider, ProviderStatus
from softix_proxy.domain.core.errors import BadInputError, NotFoundError
from softix_proxy.domain.ports.storage import Storage, Unit
from softix_proxy.domain.pricing.price_changes import remedy
from softix_proxy.domain.pricing.prices import MarkupVersion, PriceScope, PriceVersion, UnpricedAsks
from softix_proxy.domain.pricing.rates import PriceSheet, Rate
from softix_proxy.domain.routing.directory import Directory
from softix_proxy.operations.access import users
from softix_proxy.operations.catalog import models
from softix_proxy.operations.catalog.models import NOBODY, PricedModel, priced_directory


class PriceState(StrEnum):
    IN_FORCE = "in force"
    UPCOMING = "upcoming"
    SUPERSEDED = "superseded"
    """A later version has started, or a version with precedence applies."""


@dataclass(frozen=True, slots=True)
class ListedPrice:
    """A price version with the names of its model and user."""

    version: PriceVersion
    model: Model
    provider: Provider
    user: User | None
    state: PriceState


@dataclass(frozen=True, slots=True)
class AppliedPrice:
    """The current price of one customer, or of everyone without a price of their own."""

    listed: ListedPrice
    markup: Fraction
    fee_pico: int
    """The fee for each request that is answered."""
    costs: Rate | None
    """The provider's prices, if the customer has a price of their own."""


@dataclass(frozen=True, slots=True)
class MissingPrice:
    """An active model that is refused because it has no price."""

    entry: PricedModel
    asks: UnpricedAsks


@dataclass(frozen=True, slots=True)
class ListedMarkup:
    version: MarkupVersion
    subject: str | None
    """The user's name, or `provider/model`. None for the default."""
    state: PriceState


async def list_all(storage: Storage, *, model: str | None = None) -> Sequence[ListedPrice]:
    """Returns the current and future prices of one model, or of all models that are not removed."""
    unit = storage.reading()
    only = (await models.find(unit, model)).id if model is not None else None
    return [
        listed
        for listed in await _listed(unit, only)
        if listed.state is not PriceState.SUPERSEDED and listed.provider.status is not ProviderStatus.REMOVED
    ]


async def history(storage: Storage, model: str) -> Sequence[ListedPrice]:
    """Returns every version of a model's prices, the oldest first."""
    unit = storage.reading()
    return await _listed(unit, (await models.find(unit, model)).id)


async def show(storage: Storage, model: str, *, user: str | None = None) -> AppliedPrice:
    """Returns the price that applies now. Raises NotFoundError if there is none."""
    unit = storage.reading()
    found = await models.find(unit, model)
    customer = await users.find(unit, user) if user is not None else None
    directory = await priced_directory(unit, found.id)
    rate = directory.rate(customer.id if customer else NOBODY, found.id, unit.clock.now_us())
    if rate is None:
        raise NotFoundError(
            f"{model} has no price: requests for it are refused",
            f"{remedy(model)} (or --free)",
        )
    [listed] = [listed for listed in await _listed(unit, found.id) if listed.version.id == rate.price_id]
    return AppliedPrice(listed, rate.markup, rate.request_fee_pico, rate.costs)


async def set_price(
    storage: Storage, model: str, sheet: PriceSheet, *, user: str | None = None, starts_at_us: int | None = None
) -> ListedPrice:
    """Adds a version that starts now or in the future.

    Raises NotFoundError, and BadInputError for a start in the past.
    """
    async with storage.writing() as unit:
        found = await models.find(unit, model)
        customer = await users.find(unit, user) if user is not None else None
        return await add_version(unit, found, customer, sheet, start_us(starts_at_us, unit.clock.now_us()))


async def add_version(
    unit: Unit, model: Model, customer: User | None, sheet: PriceSheet, starts_at_us: int
) -> ListedPrice:
    now_us = unit.clock.now_us()
    asked = PriceVersion(
        id=0,
        model_id=model.id,
        user_id=customer.id if customer else None,
        source="customer" if customer else "operator",
        sheet=sheet,
        starts_at_us=starts_at_us,
        created_at_us=now_us,
    )
    [version] = await unit.prices.add_all([asked])
    state = PriceState.UPCOMING if version.starts_at_us > now_us else PriceState.IN_FORCE
    return ListedPrice(version, model, await unit.providers.get(model.provider_id), customer, state)


async def missing(storage: Storage, within_us: int | None = None) -> Sequence[MissingPrice]:
    """Returns active models without a price, or whose price lacks a requested part, the most requested first.

    With `within_us` it returns only those that were requested in that time.
    """
    unit = storage.reading()
    since_us = None if within_us is None else unit.clock.now_us() - within_us
    asks = {asked.model_id: asked for asked in await unit.prices.unpriced_asks()}
    found = [
        MissingPrice(entry, asks.get(entry.model.id, UnpricedAsks(entry.model.id, 0, 0)))
        for entry in await models.list_all(storage)
        if entry.sheet is None or (entry.model.id in asks and _leaves_out_tokens(entry.sheet))
    ]
    if since_us is not None:
        found = [item for item in found if item.asks.last_asked_at_us >= since_us]
    return sorted(found, key=lambda item: -item.asks.asks)


def _leaves_out_tokens(sheet: PriceSheet) -> bool:
    rate = Rate(0, sheet)
    return not (rate.has_price("input_tokens") and rate.has_price("output_tokens"))


async def set_markup(
    storage: Storage,
    factor: Fraction | None = None,
    *,
    fee_pico: int | None = None,
    user: str | None = None,
    model: str | None = None,
    starts_at_us: int | None = None,
) -> ListedMarkup:
    """Adds a mark-up version for a user, for a model, or, with neither, for all others.

    A value that is not given stays as it is. If the subject has no mark-up of its own yet, the default's value is
    taken.
    """
    if fee_pico is not None and fee_pico < 0:
        raise BadInputError("a fee is not negative", "0.00 takes it away")
    if user is not None and model is not None:
        raise BadInputError("a mark-up is for a user or for a model", "set one, then the other")
    async with storage.writing() as unit:
        now_us = unit.clock.now_us()
        scope, subject_id, subject = await _subject(unit, user, model)
        starts_us = start_us(starts_at_us, now_us)
        before = await _markup_before(unit, scope, subject_id, starts_us)
        asked = MarkupVersion(
            id=0,
            scope=scope,
            subject_id=subject_id,
            factor=before.factor if factor is None else factor,
            starts_at_us=starts_us,
            created_at_us=now_us,
            fee_pico=before.fee_pico if fee_pico is None else fee_pico,
        )
        version = await unit.prices.add_markup(asked)
        return ListedMarkup(version, subject, PriceState.UPCOMING if starts_us > now_us else PriceState.IN_FORCE)


async def _markup_before(unit: Unit, scope: PriceScope, subject_id: int | None, starts_us: int) -> MarkupVersion:
    """Returns the version that a new one replaces: the subject's own, or else the default."""
    before = [version for version in await unit.prices.markups() if version.has_started(starts_us)]
    for subject in ((scope, subject_id), ("default", None)):
        own = [version for version in before if (version.scope, version.subject_id) == subject]
        if own:
            return max(own, key=lambda version: (version.starts_at_us, version.id))
    return MarkupVersion(0, scope, subject_id, Fraction(1), 0, 0)


async def list_markups(storage: Storage) -> Sequence[ListedMarkup]:
    """Returns the current and future mark-ups, the oldest first."""
    unit = storage.reading()
    versions = await unit.prices.markups()
    now_us = unit.clock.now_us()
    latest: dict[tuple[PriceScope, int | None], MarkupVersion] = {}
    for version in sorted(versions, key=lambda version: (version.starts_at_us, version.id)):
        if version.has_started(now_us):
            latest[(version.scope, version.subject_id)] = version
    return [
        ListedMarkup(
            version,
            await _subject_name(unit, version),
            PriceState.IN_FORCE if version.has_started(now_us) else PriceState.UPCOMING,
        )
        for version in versions
        if not version.has_started(now_us) or version in latest.values()
    ]


async def _subject(unit: Unit, user: str | None, model: str | None) -> tuple[PriceScope, int | None, str | None]:
    if user is not None:
        customer = await users.find(unit, user)
        return "user", customer.id, customer.name
    if model is not None:
        found = await models.find(unit, model)
        return "model", found.id, f"{(await unit.providers.get(found.provider_id)).name}/{found.name}"
    return "default", None, None


async def _subject_name(unit: Unit, version: MarkupVersion) -> str | None:
    if version.subject_id is None:
        return None
    if version.scope == "user":
        return (await unit.users.get(version.subject_id)).name
    model = await unit.models.get(version.subject_id)
    return f"{(await unit.providers.get(model.provider_id)).name}/{model.name}"


async def _listed(unit: Unit, model_id: int | None) -> list[ListedPrice]:
    versions = await unit.prices.list(model_id)
    directory = await priced_directory(unit, model_id)
    now_us = unit.clock.now_us()
    known = {model.id: model for model in await unit.models.list()}
    hosts = {provider.id: provider for provider in await unit.providers.list()}
    customers: dict[int, User] = {}
    for user_id in {version.user_id for version in versions if version.user_id is not None}:
        customers[user_id] = await unit.users.get(user_id)
    return [
        ListedPrice(
            version,
            known[version.model_id],
            hosts[known[version.model_id].provider_id],
            customers.get(version.user_id or NOBODY),
            _state(version, directory, now_us),
        )
        for version in versions
    ]


def _state(version: PriceVersion, directory: Directory, now_us: int) -> PriceState:
    if not version.has_started(now_us):
        return PriceState.UPCOMING
    rate = directory.rate(version.user_id or NOBODY, version.model_id, now_us)
    return PriceState.IN_FORCE if rate is not None and rate.price_id == version.id else PriceState.SUPERSEDED


def start_us(asked_us: int | None, now_us: int) -> int:
    """Returns the start of a version.

    Raises BadInputError for one in the past, because earlier usage is already charged.
    """
    if asked_us is None:
        return now_us
    if asked_us < now_us:
        raise BadInputError("a price cannot start in the past", "leave --from out to start it now")
    return asked_us
