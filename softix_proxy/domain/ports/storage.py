"""The doors that have a second implementation behind them, or may get one: verbs are atomic and name no engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:  # a daemon needs no shapes, least of all those of bills
    from collections.abc import Sequence
    from contextlib import AbstractAsyncContextManager

    from softix_proxy.domain.access.keys import KeyStore
    from softix_proxy.domain.access.users import UserStore
    from softix_proxy.domain.billing.bill import BillStore
    from softix_proxy.domain.catalog.models import ModelStore
    from softix_proxy.domain.catalog.providers import ProviderStore
    from softix_proxy.domain.core.clock import Clock
    from softix_proxy.domain.instance.instance import InstanceStore
    from softix_proxy.domain.instance.readiness import Trouble
    from softix_proxy.domain.ledger.balance import BalanceStore
    from softix_proxy.domain.ledger.ledger import LedgerStore
    from softix_proxy.domain.ledger.periods import PeriodStore
    from softix_proxy.domain.metering.admission import Decision, Intent
    from softix_proxy.domain.metering.batches import BatchStore
    from softix_proxy.domain.metering.settlement import Orphan, Settled, Settlement
    from softix_proxy.domain.metering.usage import UsageStore
    from softix_proxy.domain.pricing.prices import PriceStore
    from softix_proxy.domain.reporting.manifests import ManifestStore
    from softix_proxy.domain.routing.directory import Changes
    from softix_proxy.domain.routing.routes import RouteStore


class Journal(Protocol):
    """The hot path's books. Each verb returns when it is committed and synced."""

    async def admit(self, intent: Intent) -> Decision:
        """Raises RefusedError(STORAGE_UNAVAILABLE); then, as when cancelled, nothing stays held."""
        ...

    async def settle(self, settlement: Settlement) -> Settled | None:
        """Twice changes nothing. None: the request was never admitted."""
        ...

    async def withdraw(self, intents: Sequence[Intent]) -> None:
        """As if they had never been admitted. Raises FailureError only at shutdown."""
        ...

    def note_unpriced(self, model_id: int) -> None: ...

    def trouble(self) -> Trouble | None:
        """Why it cannot be written to now; None while it can. Does not block."""
        ...

    async def orphans(self, *, at_start: bool) -> Sequence[Orphan]:
        """Some requests of dead processes, the oldest first; at the start, of this slot's earlier owner too."""
        ...


class Unit(Protocol):
    """The nouns of one transaction, or of one reader."""

    @property
    def clock(self) -> Clock: ...

    @property
    def instance(self) -> InstanceStore: ...

    @property
    def users(self) -> UserStore: ...

    @property
    def keys(self) -> KeyStore: ...

    @property
    def balance(self) -> BalanceStore: ...

    @property
    def ledger(self) -> LedgerStore: ...

    @property
    def providers(self) -> ProviderStore: ...

    @property
    def routes(self) -> RouteStore: ...

    @property
    def models(self) -> ModelStore: ...

    @property
    def prices(self) -> PriceStore: ...

    @property
    def usage(self) -> UsageStore: ...

    @property
    def periods(self) -> PeriodStore: ...

    @property
    def batches(self) -> BatchStore: ...

    @property
    def bill(self) -> BillStore: ...

    @property
    def manifests(self) -> ManifestStore: ...


class Storage(Protocol):
    """Opens units of work on the database, and tells what changed in it."""

    def reading(self) -> Unit:
        """For reads only; each statement sees what is committed by then."""
        ...

    def snapshot(self) -> AbstractAsyncContextManager[Unit]:
        """For reads that must agree with each other: all see one moment. Keep it short, it pins the log."""
        ...

    def writing(self) -> AbstractAsyncContextManager[Unit]:
        """All or nothing; holds the write lock, so keep it short and wait for nothing inside."""
        ...

    def rehearsal(self) -> Storage:
        """The same, but what is written is seen only within its transaction, and taken back at the end."""
        ...

    async def changes(self, since_revision: int) -> Changes: ...
