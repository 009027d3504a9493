"""The ports of the storage, which may have several implementations.

Their methods are atomic and name no engine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:  # a daemon does not need these types at run time, least of all those of bills
    from collections.abc import Sequence
    from contextlib import AbstractAsyncContextManager

    from softix_proxy.domain.abuse.abuse import AbuseStore
    from softix_proxy.domain.access.keys import KeyStore
    from softix_proxy.domain.access.objects import AccountPlace, ObjectRef, ObjectStore
    from softix_proxy.domain.access.repeatable_calls import RepeatableCallStore
    from softix_proxy.domain.access.templates import TemplateStore
    from softix_proxy.domain.access.tokens import TokenStore
    from softix_proxy.domain.access.users import UserStore
    from softix_proxy.domain.accounts.account_tokens import AccountTokenStore
    from softix_proxy.domain.accounts.accounts import AccountStore
    from softix_proxy.domain.accounts.audit import AuditStore
    from softix_proxy.domain.accounts.ceremonies import CeremonyStore
    from softix_proxy.domain.accounts.factors import FactorStore
    from softix_proxy.domain.accounts.federated_identities import FederatedIdentityStore
    from softix_proxy.domain.accounts.security_events import SecurityEventStore
    from softix_proxy.domain.accounts.sessions import SessionStore
    from softix_proxy.domain.accounts.throttles import ThrottleStore
    from softix_proxy.domain.billing.bill import BillStore
    from softix_proxy.domain.catalog.models import ModelStore
    from softix_proxy.domain.catalog.providers import ProviderStore
    from softix_proxy.domain.core.clock import Clock
    from softix_proxy.domain.instance.instance import InstanceStore
    from softix_proxy.domain.instance.readiness import Trouble
    from softix_proxy.domain.ledger.balance import BalanceStore
    from softix_proxy.domain.ledger.ledger import LedgerStore
    from softix_proxy.domain.ledger.payments import PaymentStore
    from softix_proxy.domain.ledger.periods import PeriodStore
    from softix_proxy.domain.metering.admission import Allowance, Decision, Denied, Intent, RateCheck
    from softix_proxy.domain.metering.batches import BatchStore
    from softix_proxy.domain.metering.bounds import BoundStore
    from softix_proxy.domain.metering.budgets import BudgetStore
    from softix_proxy.domain.metering.caps import CapStore
    from softix_proxy.domain.metering.live import LiveStore
    from softix_proxy.domain.metering.settlement import Orphan, Settled, Settlement
    from softix_proxy.domain.metering.usage import UsageStore
    from softix_proxy.domain.notices.notice_conditions import NoticeConditionStore
    from softix_proxy.domain.notices.notice_preferences import NoticePreferenceStore
    from softix_proxy.domain.notices.outbox import OutboxStore
    from softix_proxy.domain.notices.webhooks import WebhookStore
    from softix_proxy.domain.organisations.invitations import InvitationStore
    from softix_proxy.domain.organisations.key_owners import KeyOwnerStore
    from softix_proxy.domain.organisations.organisations import MembershipStore
    from softix_proxy.domain.organisations.projects import ProjectStore
    from softix_proxy.domain.pricing.prices import PriceStore
    from softix_proxy.domain.privacy.technical_data import CallOrigin, TechnicalDataStore
    from softix_proxy.domain.reporting.manifests import ManifestStore
    from softix_proxy.domain.routing.directory import Changes
    from softix_proxy.domain.routing.routes import RouteStore


class Journal(Protocol):
    """The ledger operations of the hot path. Each method returns when its change is committed and synced."""

    async def admit(self, intent: Intent) -> Decision:
        """Decides whether the request is admitted, and holds its amount.

        Raises RefusedError(STORAGE_UNAVAILABLE). Nothing stays held then, nor when the call is cancelled.
        """
        ...

    async def count(self, check: RateCheck) -> Allowance | Denied:
        """Counts a request that costs nothing against the rate of its key. Raises RefusedError(STORAGE_UNAVAILABLE)."""

    async def resolve(self, user_id: int, refs: Sequence[ObjectRef]) -> Sequence[tuple[int, AccountPlace]]:
        """Returns where the user may use the thing of each name, as `access.objects.pin` takes it. Holds nothing."""
        ...

    async def settle(self, settlement: Settlement) -> Settled | None:
        """Settles a request. A second call changes nothing. Returns None if the request was never admitted."""
        ...

    async def withdraw(self, intents: Sequence[Intent]) -> None:
        """Undoes the admission of these requests completely. Raises FailureError only at shutdown."""
        ...

    def note_unpriced(self, model_id: int) -> None: ...

    async def probe(self) -> None:
        """Commits a row of no meaning, to see whether it can be done. Raises RefusedError(STORAGE_UNAVAILABLE)."""
        ...

    def trouble(self) -> Trouble | None:
        """Returns why the database cannot be written to now, or None if it can. Does not block."""
        ...

    async def orphans(self, *, at_start: bool) -> Sequence[Orphan]:
        """Returns some requests of dead processes, the oldest first.

        At the start, these include the requests of this slot's earlier owner.
        """
        ...


class Unit(Protocol):
    """The stores of one transaction, or of one reader."""

    @property
    def clock(self) -> Clock: ...

    @property
    def origin(self) -> CallOrigin: ...

    @origin.setter
    def origin(self, origin: CallOrigin) -> None:
        """Sets where this transaction comes from. Its audit entries and security events keep it, until it is purged."""
        ...

    @property
    def instance(self) -> InstanceStore: ...

    @property
    def users(self) -> UserStore: ...

    @property
    def keys(self) -> KeyStore: ...

    @property
    def tokens(self) -> TokenStore: ...

    @property
    def repeatable_calls(self) -> RepeatableCallStore: ...

    @property
    def audit(self) -> AuditStore: ...

    @property
    def accounts(self) -> AccountStore: ...

    @property
    def account_tokens(self) -> AccountTokenStore: ...

    @property
    def sessions(self) -> SessionStore: ...

    @property
    def throttles(self) -> ThrottleStore: ...

    @property
    def security_events(self) -> SecurityEventStore: ...

    @property
    def technical_data(self) -> TechnicalDataStore: ...

    @property
    def memberships(self) -> MembershipStore: ...

    @property
    def projects(self) -> ProjectStore: ...

    @property
    def key_owners(self) -> KeyOwnerStore: ...

    @property
    def invitations(self) -> InvitationStore: ...

    @property
    def templates(self) -> TemplateStore: ...

    @property
    def caps(self) -> CapStore: ...

    @property
    def budgets(self) -> BudgetStore: ...

    @property
    def factors(self) -> FactorStore: ...

    @property
    def ceremonies(self) -> CeremonyStore: ...

    @property
    def federated_identities(self) -> FederatedIdentityStore: ...

    @property
    def outbox(self) -> OutboxStore: ...

    @property
    def webhooks(self) -> WebhookStore: ...

    @property
    def notice_preferences(self) -> NoticePreferenceStore: ...

    @property
    def abuse(self) -> AbuseStore: ...

    @property
    def notice_conditions(self) -> NoticeConditionStore: ...

    @property
    def objects(self) -> ObjectStore: ...

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
    def live(self) -> LiveStore: ...

    @property
    def payments(self) -> PaymentStore: ...

    @property
    def periods(self) -> PeriodStore: ...

    @property
    def batches(self) -> BatchStore: ...

    @property
    def bounds(self) -> BoundStore: ...

    @property
    def bill(self) -> BillStore: ...

    @property
    def manifests(self) -> ManifestStore: ...


class Storage(Protocol):
    """Opens units of work on the database, and reports what changed in it."""

    def reading(self) -> Unit:
        """Returns a unit for reads only. Each statement sees what is committed by then."""
        ...

    def snapshot(self) -> AbstractAsyncContextManager[Unit]:
        """Opens a unit for reads that must agree with each other: all see the same moment.

        Keep it short, because it pins the log.
        """
        ...

    def writing(self, *, recorded: bool = False) -> AbstractAsyncContextManager[Unit]:
        """Opens a transaction. It holds the write lock, so keep it short and wait for nothing inside.

        With `recorded` its `audit.changes` tells what it changed.
        """
        ...

    def rehearsal(self) -> Storage:
        """Returns the same storage for rehearsals.

        Changes are visible only within their transaction, and are rolled back at its end.
        """
        ...

    async def changes(self, since_revision: int) -> Changes: ...
