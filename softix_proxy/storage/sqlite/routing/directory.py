"""Reads what changed in the directory since a revision."""

from __future__ import annotations

from typing import TypeVar

from softix_proxy.domain.routing.directory import Changes
from softix_proxy.storage.sqlite.access.keys import KEY
from softix_proxy.storage.sqlite.access.users import USER
from softix_proxy.storage.sqlite.catalog.models import MODEL
from softix_proxy.storage.sqlite.catalog.providers import PROVIDER
from softix_proxy.storage.sqlite.core.database import DatabaseSession
from softix_proxy.storage.sqlite.core.record_mapping import RecordMapping
from softix_proxy.storage.sqlite.metering.bounds import WIDENED_BOUND
from softix_proxy.storage.sqlite.pricing.prices import MARKUP, PRICE
from softix_proxy.storage.sqlite.routing.routes import ROUTE

R = TypeVar("R")


async def revision(session: DatabaseSession) -> int:
    row = await session.one("SELECT value FROM directory_revision")
    return int(row[0]) if row else 0


async def changes(session: DatabaseSession, since: int) -> Changes:
    """Returns every row that changed after `since`.

    The revision is read first, so later changes are read again next time.
    """
    current = await revision(session)
    if current == since:
        return Changes(current)

    async def changed(mapping: RecordMapping[R], table: str) -> tuple[R, ...]:
        rows = await session.all(f"SELECT {mapping.select()} FROM {table} WHERE revision > ? ORDER BY id", since)
        return tuple(mapping.read_all(rows))

    # Rows that refer to others are read first, so that a row never names one that was not read.
    keys = await changed(KEY, "keys")
    prices = await changed(PRICE, "prices")
    markups = await changed(MARKUP, "markups")
    routes = await changed(ROUTE, "routes")
    bounds = await changed(WIDENED_BOUND, "widened_bounds")
    models = await changed(MODEL, "models")
    providers = await changed(PROVIDER, "providers")
    users = await changed(USER, "users")
    return Changes(
        revision=current,
        users=users,
        keys=keys,
        providers=providers,
        models=models,
        prices=prices,
        markups=markups,
        routes=routes,
        bounds=bounds,
    )
