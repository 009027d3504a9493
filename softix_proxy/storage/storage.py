"""Implements `domain.ports.Storage` on one SQLite file: the nouns over a session, each imported at its first use.

A daemon needs few of them, and no memory for the others.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cached_property
from typing import TYPE_CHECKING

from softix_proxy.domain.clock import Clock
from softix_proxy.domain.directory import Changes
from softix_proxy.storage import directory
from softix_proxy.storage.database import Database, Session

if TYPE_CHECKING:
    from softix_proxy.storage.balance import Balance
    from softix_proxy.storage.batches import Batches
    from softix_proxy.storage.bill import Bills
    from softix_proxy.storage.instance import Instance
    from softix_proxy.storage.keys import Keys
    from softix_proxy.storage.ledger import Ledger
    from softix_proxy.storage.manifests import Manifests
    from softix_proxy.storage.models import Models
    from softix_proxy.storage.periods import Periods
    from softix_proxy.storage.prices import Prices
    from softix_proxy.storage.providers import Providers
    from softix_proxy.storage.routes import Routes
    from softix_proxy.storage.usage import Usage
    from softix_proxy.storage.users import Users


class Unit:
    def __init__(self, session: Session) -> None:
        self._session = session

    @property
    def clock(self) -> Clock:
        return self._session.clock

    @cached_property
    def instance(self) -> Instance:
        from softix_proxy.storage.instance import Instance

        return Instance(self._session)

    @cached_property
    def users(self) -> Users:
        from softix_proxy.storage.users import Users

        return Users(self._session)

    @cached_property
    def keys(self) -> Keys:
        from softix_proxy.storage.keys import Keys

        return Keys(self._session)

    @cached_property
    def balance(self) -> Balance:
        from softix_proxy.storage.balance import Balance

        return Balance(self._session)

    @cached_property
    def ledger(self) -> Ledger:
        from softix_proxy.storage.ledger import Ledger

        return Ledger(self._session)

    @cached_property
    def providers(self) -> Providers:
        from softix_proxy.storage.providers import Providers

        return Providers(self._session)

    @cached_property
    def routes(self) -> Routes:
        from softix_proxy.storage.routes import Routes

        return Routes(self._session)

    @cached_property
    def models(self) -> Models:
        from softix_proxy.storage.models import Models

        return Models(self._session)

    @cached_property
    def prices(self) -> Prices:
        from softix_proxy.storage.prices import Prices

        return Prices(self._session)

    @cached_property
    def usage(self) -> Usage:
        from softix_proxy.storage.usage import Usage

        return Usage(self._session)

    @cached_property
    def periods(self) -> Periods:
        from softix_proxy.storage.periods import Periods

        return Periods(self._session)

    @cached_property
    def batches(self) -> Batches:
        from softix_proxy.storage.batches import Batches

        return Batches(self._session)

    @cached_property
    def bill(self) -> Bills:
        from softix_proxy.storage.bill import Bills

        return Bills(self._session)

    @cached_property
    def manifests(self) -> Manifests:
        from softix_proxy.storage.manifests import Manifests

        return Manifests(self._session)


class SqliteStorage:
    def __init__(self, database: Database, *, keeps: bool = True) -> None:
        self._database = database
        self._keeps = keeps

    def rehearsal(self) -> SqliteStorage:
        return SqliteStorage(self._database, keeps=False)

    def reading(self) -> Unit:
        return Unit(self._database.session)

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Unit]:
        async with self._database.transaction(writes=False) as session:
            yield Unit(session)

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[Unit]:
        async with self._database.transaction(keeps=self._keeps) as session:
            yield Unit(session)

    async def changes(self, since_revision: int) -> Changes:
        return await directory.changes(self._database.session, since_revision)
