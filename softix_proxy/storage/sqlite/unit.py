"""Implements `domain.ports.storage.Storage` on one SQLite file. Each store is imported at its first use.

A daemon needs few of them, and spends no memory on the others.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cached_property
from typing import TYPE_CHECKING

from softix_proxy.domain.core.clock import Clock
from softix_proxy.storage.sqlite.accounts.audited_tables import AUDITED
from softix_proxy.storage.sqlite.core.database import Database, DatabaseSession

if TYPE_CHECKING:
    from softix_proxy.domain.privacy.technical_data import CallOrigin
    from softix_proxy.domain.routing.directory import Changes
    from softix_proxy.storage.sqlite.abuse.abuse import SqliteAbuseStore
    from softix_proxy.storage.sqlite.access.keys import SqliteKeyStore
    from softix_proxy.storage.sqlite.access.objects import SqliteObjectStore
    from softix_proxy.storage.sqlite.access.repeatable_calls import SqliteRepeatableCallStore
    from softix_proxy.storage.sqlite.access.templates import SqliteTemplateStore
    from softix_proxy.storage.sqlite.access.tokens import SqliteTokenStore
    from softix_proxy.storage.sqlite.access.users import SqliteUserStore
    from softix_proxy.storage.sqlite.accounts.account_tokens import SqliteAccountTokenStore
    from softix_proxy.storage.sqlite.accounts.accounts import SqliteAccountStore
    from softix_proxy.storage.sqlite.accounts.audit import SqliteAuditStore
    from softix_proxy.storage.sqlite.accounts.ceremonies import SqliteCeremonyStore
    from softix_proxy.storage.sqlite.accounts.factors import SqliteFactorStore
    from softix_proxy.storage.sqlite.accounts.federated_identities import SqliteFederatedIdentityStore
    from softix_proxy.storage.sqlite.accounts.security_events import SqliteSecurityEventStore
    from softix_proxy.storage.sqlite.accounts.sessions import SqliteSessionStore
    from softix_proxy.storage.sqlite.accounts.throttles import SqliteThrottleStore
    from softix_proxy.storage.sqlite.billing.bill import SqliteBillStore
    from softix_proxy.storage.sqlite.catalog.models import SqliteModelStore
    from softix_proxy.storage.sqlite.catalog.providers import SqliteProviderStore
    from softix_proxy.storage.sqlite.instance.instance import SqliteInstanceStore
    from softix_proxy.storage.sqlite.ledger.balance import SqliteBalanceStore
    from softix_proxy.storage.sqlite.ledger.ledger import SqliteLedgerStore
    from softix_proxy.storage.sqlite.ledger.payments import SqlitePaymentStore
    from softix_proxy.storage.sqlite.ledger.periods import SqlitePeriodStore
    from softix_proxy.storage.sqlite.metering.batches import SqliteBatchStore
    from softix_proxy.storage.sqlite.metering.bounds import SqliteBoundStore
    from softix_proxy.storage.sqlite.metering.budgets import SqliteBudgetStore
    from softix_proxy.storage.sqlite.metering.caps import SqliteCapStore
    from softix_proxy.storage.sqlite.metering.live import SqliteLiveStore
    from softix_proxy.storage.sqlite.metering.usage import SqliteUsageStore
    from softix_proxy.storage.sqlite.notices.notice_conditions import SqliteNoticeConditionStore
    from softix_proxy.storage.sqlite.notices.notice_preferences import SqliteNoticePreferenceStore
    from softix_proxy.storage.sqlite.notices.outbox import SqliteOutboxStore
    from softix_proxy.storage.sqlite.notices.webhooks import SqliteWebhookStore
    from softix_proxy.storage.sqlite.organisations.invitations import SqliteInvitationStore
    from softix_proxy.storage.sqlite.organisations.key_owners import SqliteKeyOwnerStore
    from softix_proxy.storage.sqlite.organisations.organisations import SqliteMembershipStore
    from softix_proxy.storage.sqlite.organisations.projects import SqliteProjectStore
    from softix_proxy.storage.sqlite.pricing.prices import SqlitePriceStore
    from softix_proxy.storage.sqlite.privacy.technical_data import SqliteTechnicalDataStore
    from softix_proxy.storage.sqlite.reporting.manifests import SqliteManifestStore
    from softix_proxy.storage.sqlite.routing.routes import SqliteRouteStore


class SqliteUnit:
    """The stores on one connection. Each is made at its first use."""

    def __init__(self, session: DatabaseSession) -> None:
        self._session = session

    @property
    def clock(self) -> Clock:
        return self._session.clock

    @property
    def origin(self) -> CallOrigin:
        return self._session.origin

    @origin.setter
    def origin(self, origin: CallOrigin) -> None:
        self._session.origin = origin

    @cached_property
    def instance(self) -> SqliteInstanceStore:
        from softix_proxy.storage.sqlite.instance.instance import SqliteInstanceStore

        return SqliteInstanceStore(self._session)

    @cached_property
    def users(self) -> SqliteUserStore:
        from softix_proxy.storage.sqlite.access.users import SqliteUserStore

        return SqliteUserStore(self._session)

    @cached_property
    def keys(self) -> SqliteKeyStore:
        from softix_proxy.storage.sqlite.access.keys import SqliteKeyStore

        return SqliteKeyStore(self._session)

    @cached_property
    def tokens(self) -> SqliteTokenStore:
        from softix_proxy.storage.sqlite.access.tokens import SqliteTokenStore

        return SqliteTokenStore(self._session)

    @cached_property
    def repeatable_calls(self) -> SqliteRepeatableCallStore:
        from softix_proxy.storage.sqlite.access.repeatable_calls import SqliteRepeatableCallStore

        return SqliteRepeatableCallStore(self._session)

    @cached_property
    def audit(self) -> SqliteAuditStore:
        from softix_proxy.storage.sqlite.accounts.audit import SqliteAuditStore

        return SqliteAuditStore(self._session)

    @cached_property
    def accounts(self) -> SqliteAccountStore:
        from softix_proxy.storage.sqlite.accounts.accounts import SqliteAccountStore

        return SqliteAccountStore(self._session)

    @cached_property
    def account_tokens(self) -> SqliteAccountTokenStore:
        from softix_proxy.storage.sqlite.accounts.account_tokens import SqliteAccountTokenStore

        return SqliteAccountTokenStore(self._session)

    @cached_property
    def sessions(self) -> SqliteSessionStore:
        from softix_proxy.storage.sqlite.accounts.sessions import SqliteSessionStore

        return SqliteSessionStore(self._session)

    @cached_property
    def throttles(self) -> SqliteThrottleStore:
        from softix_proxy.storage.sqlite.accounts.throttles import SqliteThrottleStore

        return SqliteThrottleStore(self._session)

    @cached_property
    def security_events(self) -> SqliteSecurityEventStore:
        from softix_proxy.storage.sqlite.accounts.security_events import SqliteSecurityEventStore

        return SqliteSecurityEventStore(self._session)

    @cached_property
    def technical_data(self) -> SqliteTechnicalDataStore:
        from softix_proxy.storage.sqlite.privacy.technical_data import SqliteTechnicalDataStore

        return SqliteTechnicalDataStore(self._session)

    @cached_property
    def memberships(self) -> SqliteMembershipStore:
        from softix_proxy.storage.sqlite.organisations.organisations import SqliteMembershipStore

        return SqliteMembershipStore(self._session)

    @cached_property
    def objects(self) -> SqliteObjectStore:
        from softix_proxy.storage.sqlite.access.objects import SqliteObjectStore

        return SqliteObjectStore(self._session)

    @cached_property
    def factors(self) -> SqliteFactorStore:
        from softix_proxy.storage.sqlite.accounts.factors import SqliteFactorStore

        return SqliteFactorStore(self._session)

    @cached_property
    def ceremonies(self) -> SqliteCeremonyStore:
        from softix_proxy.storage.sqlite.accounts.ceremonies import SqliteCeremonyStore

        return SqliteCeremonyStore(self._session)

    @cached_property
    def federated_identities(self) -> SqliteFederatedIdentityStore:
        from softix_proxy.storage.sqlite.accounts.federated_identities import SqliteFederatedIdentityStore

        return SqliteFederatedIdentityStore(self._session)

    @cached_property
    def balance(self) -> SqliteBalanceStore:
        from softix_proxy.storage.sqlite.ledger.balance import SqliteBalanceStore

        return SqliteBalanceStore(self._session)

    @cached_property
    def ledger(self) -> SqliteLedgerStore:
        from softix_proxy.storage.sqlite.ledger.ledger import SqliteLedgerStore

        return SqliteLedgerStore(self._session)

    @cached_property
    def providers(self) -> SqliteProviderStore:
        from softix_proxy.storage.sqlite.catalog.providers import SqliteProviderStore

        return SqliteProviderStore(self._session)

    @cached_property
    def routes(self) -> SqliteRouteStore:
        from softix_proxy.storage.sqlite.routing.routes import SqliteRouteStore

        return SqliteRouteStore(self._session)

    @cached_property
    def models(self) -> SqliteModelStore:
        from softix_proxy.storage.sqlite.catalog.models import SqliteModelStore

        return SqliteModelStore(self._session)

    @cached_property
    def prices(self) -> SqlitePriceStore:
        from softix_proxy.storage.sqlite.pricing.prices import SqlitePriceStore

        return SqlitePriceStore(self._session)

    @cached_property
    def usage(self) -> SqliteUsageStore:
        from softix_proxy.storage.sqlite.metering.usage import SqliteUsageStore

        return SqliteUsageStore(self._session)

    @cached_property
    def live(self) -> SqliteLiveStore:
        from softix_proxy.storage.sqlite.metering.live import SqliteLiveStore

        return SqliteLiveStore(self._session)

    @cached_property
    def payments(self) -> SqlitePaymentStore:
        from softix_proxy.storage.sqlite.ledger.payments import SqlitePaymentStore

        return SqlitePaymentStore(self._session)

    @cached_property
    def periods(self) -> SqlitePeriodStore:
        from softix_proxy.storage.sqlite.ledger.periods import SqlitePeriodStore

        return SqlitePeriodStore(self._session)

    @cached_property
    def batches(self) -> SqliteBatchStore:
        from softix_proxy.storage.sqlite.metering.batches import SqliteBatchStore

        return SqliteBatchStore(self._session)

    @cached_property
    def bounds(self) -> SqliteBoundStore:
        from softix_proxy.storage.sqlite.metering.bounds import SqliteBoundStore

        return SqliteBoundStore(self._session)

    @cached_property
    def bill(self) -> SqliteBillStore:
        from softix_proxy.storage.sqlite.billing.bill import SqliteBillStore

        return SqliteBillStore(self._session)

    @cached_property
    def manifests(self) -> SqliteManifestStore:
        from softix_proxy.storage.sqlite.reporting.manifests import SqliteManifestStore

        return SqliteManifestStore(self._session)

    @cached_property
    def projects(self) -> SqliteProjectStore:
        from softix_proxy.storage.sqlite.organisations.projects import SqliteProjectStore

        return SqliteProjectStore(self._session)

    @cached_property
    def key_owners(self) -> SqliteKeyOwnerStore:
        from softix_proxy.storage.sqlite.organisations.key_owners import SqliteKeyOwnerStore

        return SqliteKeyOwnerStore(self._session)

    @cached_property
    def invitations(self) -> SqliteInvitationStore:
        from softix_proxy.storage.sqlite.organisations.invitations import SqliteInvitationStore

        return SqliteInvitationStore(self._session)

    @cached_property
    def templates(self) -> SqliteTemplateStore:
        from softix_proxy.storage.sqlite.access.templates import SqliteTemplateStore

        return SqliteTemplateStore(self._session)

    @cached_property
    def caps(self) -> SqliteCapStore:
        from softix_proxy.storage.sqlite.metering.caps import SqliteCapStore

        return SqliteCapStore(self._session)

    @cached_property
    def budgets(self) -> SqliteBudgetStore:
        from softix_proxy.storage.sqlite.metering.budgets import SqliteBudgetStore

        return SqliteBudgetStore(self._session)

    @cached_property
    def outbox(self) -> SqliteOutboxStore:
        from softix_proxy.storage.sqlite.notices.outbox import SqliteOutboxStore

        return SqliteOutboxStore(self._session)

    @cached_property
    def webhooks(self) -> SqliteWebhookStore:
        from softix_proxy.storage.sqlite.notices.webhooks import SqliteWebhookStore

        return SqliteWebhookStore(self._session)

    @cached_property
    def notice_preferences(self) -> SqliteNoticePreferenceStore:
        from softix_proxy.storage.sqlite.notices.notice_preferences import SqliteNoticePreferenceStore

        return SqliteNoticePreferenceStore(self._session)

    @cached_property
    def notice_conditions(self) -> SqliteNoticeConditionStore:
        from softix_proxy.storage.sqlite.notices.notice_conditions import SqliteNoticeConditionStore

        return SqliteNoticeConditionStore(self._session)

    @cached_property
    def abuse(self) -> SqliteAbuseStore:
        from softix_proxy.storage.sqlite.abuse.abuse import SqliteAbuseStore

        return SqliteAbuseStore(self._session)


class SqliteStorage:
    """Opens units on the database, for reads, snapshots and transactions."""

    def __init__(self, database: Database, *, keeps: bool = True) -> None:
        self._database = database
        self._keeps = keeps

    def rehearsal(self) -> SqliteStorage:
        return SqliteStorage(self._database, keeps=False)

    def reading(self) -> SqliteUnit:
        return SqliteUnit(self._database.session)

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[SqliteUnit]:
        async with self._database.transaction(writes=False) as session:
            yield SqliteUnit(session)

    @asynccontextmanager
    async def writing(self, *, recorded: bool = False) -> AsyncIterator[SqliteUnit]:
        tables = AUDITED if recorded else ()
        async with self._database.transaction(keeps=self._keeps, recorded=tables) as session:
            yield SqliteUnit(session)

    async def changes(self, since_revision: int) -> Changes:
        from softix_proxy.storage.sqlite.routing import directory

        return await directory.changes(self._database.session, since_revision)
