"""The operators' side of the portal over a database that has one of everything, asked without HTTP."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from support.books import StoppedClock
from support.one_of_each import ADA, NOW_US, write_books, write_directory, write_papers, write_requests
from support.one_of_each_person import write_people

from softix_proxy import settings
from softix_proxy.domain.accounts.accounts import Account, AccountStatus
from softix_proxy.domain.accounts.audit import Channel
from softix_proxy.domain.accounts.sessions import Session, SignInMethod
from softix_proxy.domain.core.clock import DAY_US, parse_zone
from softix_proxy.domain.core.errors import OperatorError
from softix_proxy.domain.ledger.payments import FetchedPayment, OnlinePayment, PaymentKind, PaymentState
from softix_proxy.domain.ledger.refunds import RefundRequest, RefundState
from softix_proxy.domain.notices.outbox import Notice, NoticeKind
from softix_proxy.domain.ports.payment_gateway import GatewayError
from softix_proxy.exports.core.templates import HtmlTemplates
from softix_proxy.exports.core.texts import texts
from softix_proxy.operations.access.door import account_door
from softix_proxy.operations.billing.payment_documents import PaymentDocuments
from softix_proxy.operations.ledger.payments import PaymentContext
from softix_proxy.operations.notices import outbox
from softix_proxy.storage.sqlite.core.database import Database
from softix_proxy.storage.sqlite.unit import SqliteStorage
from softix_proxy.web.portal.admin import routes
from softix_proxy.web.portal.core.error_pages import error_answer
from softix_proxy.web.portal.core.page import Page, PageRequest, SeeOther, Viewer
from softix_proxy.web.portal.core.portal_router import PortalRouter


@dataclass(frozen=True)
class Seen:
    """What somebody gets."""

    status: int
    text: str = ""
    location: str = ""
    message: str = ""
    values: Mapping[str, Any] | None = None
    body: bytes = b""


class StillGateway:
    """A payment provider at which nothing was paid, and which is asked for nothing."""

    is_live = False
    is_down = False

    async def fetch(self, payment: OnlinePayment, customer_id: str | None) -> FetchedPayment:
        if self.is_down:
            raise GatewayError("Stripe did not answer", "try again")
        return FetchedPayment(PaymentState.OPEN)

    async def refund(self, payment: OnlinePayment, request: str, amount_cents: int) -> None:
        if self.is_down:
            raise GatewayError("Stripe did not answer", "try again")


class StillPayments:
    """Gives the pages what the operations on payments need."""

    def __init__(self, side: OperatorsSide) -> None:
        self.gateway = StillGateway()
        self._side = side

    async def context(self) -> PaymentContext:
        settings, gateway = self._side.settings, cast(Any, self.gateway)
        return PaymentContext(
            self._side.storage, gateway, settings.payments, settings.billing, PaymentDocuments(settings.billing)
        )


class OperatorsSide:
    """Answers as each role, by the URL table and the real templates."""

    def __init__(self, database: Database, clock: StoppedClock, data_dir: Path) -> None:
        self.database = database
        self.clock = clock
        self.storage = SqliteStorage(database)
        self.settings = settings.load(None, data_dir, {})
        self.templates = HtmlTemplates("portal", texts(), parse_zone("UTC"))
        self.router = PortalRouter(routes.ROUTES)
        self.accounts: dict[str, Account] = {}
        self.payments: StillPayments | None = StillPayments(self)

    async def account(self, role: str) -> Account:
        """Makes the account of a role at the first call."""
        if role not in self.accounts:
            async with self.storage.writing() as unit:
                self.accounts[role] = await unit.accounts.add(
                    Account(
                        id=0,
                        public_id=f"acc_of_{role}",
                        email=f"{role}@example.org",
                        display_name=role.title(),
                        role=role,
                        status=AccountStatus.ACTIVE,
                        created_at_us=1,
                        verified_at_us=2,
                    )
                )
        return self.accounts[role]

    async def ask(
        self,
        role: str,
        method: str,
        path: str,
        form: Mapping[str, str] | None = None,
        **query: str,
    ) -> Seen:
        """Returns the answer of the page at that path. `from_` is the query `from`."""
        found = self.router.find(path)
        assert found is not None and method in found.by_method, f"no route {method} {path}"
        account = await self.account(role)
        viewer = Viewer(replace(account, role=role), _session(account, self.clock.us), ())
        door = account_door(self.storage, viewer.account, Channel.PORTAL, self.settings.roles.table)
        nothing: Any = None  # no page of operators seals, opens or hashes anything
        request = PageRequest(
            path=path,
            parts=found.parts,
            query={name.rstrip("_"): value for name, value in query.items()},
            form=form or {},
            now_us=self.clock.us,
            address="192.0.2.1",
            device="Firefox on Linux",
            storage=door.recorded("page.show"),
            door=door,
            settings=self.settings,
            payments=cast(Any, self.payments),
            vault=nothing,
            hasher=nothing,
            url=nothing,
            _viewer=viewer,
        )
        try:
            answer = await found.by_method[method].handler(request)
        except OperatorError as error:
            return Seen(error_answer(error, "pag_test", 16).page.status)
        if isinstance(answer, SeeOther):
            return Seen(303, location=answer.location, message=answer.message)
        if isinstance(answer, Page):
            return Seen(answer.status, self.render(answer, path, viewer), values=answer.values)
        return Seen(200, body=b"".join([chunk async for chunk in answer.chunks]))  # type: ignore[union-attr] # a download

    def render(self, page: Page, path: str, viewer: Viewer) -> str:
        """Renders the page within the frame, as the portal does."""
        frame = {
            "style_sheet": "/static/portal.css",
            "viewer": viewer,
            "path": path,
            "menu": [],
            "is_current": lambda item: False,
            "served": (),
            "flash": None,
            "zone": "UTC",
            "registration": "closed",
            "terms_url": None,
            "privacy_url": None,
        }
        return self.templates.render(page.template, {**frame, **page.values})


def _session(account: Account, now_us: int) -> Session:
    return Session(
        id=0,
        public_id="ses_test",
        account_id=account.id,
        digest=b"",
        method=SignInMethod.PASSWORD,
        second_factor=True,
        is_pending=False,
        device="Firefox on Linux",
        created_at_us=now_us,
        seen_at_us=now_us,
        reauthenticated_at_us=now_us,
        idle_ends_at_us=now_us + DAY_US,
        ends_at_us=now_us + DAY_US,
    )


async def write_everything(folder: Path) -> Path:
    """Makes a closed database with one of everything, to be copied for each test."""
    side = await _opened(folder)
    async with side.storage.writing() as unit:
        await write_directory(unit)
        await write_people(unit)
    connection = side.database.connect()
    write_requests(connection, NOW_US)
    connection.close()
    side.clock.us += 2 * DAY_US
    await write_books(side.storage)
    async with side.storage.writing() as unit:
        await write_papers(unit)
        await give_up_a_message(unit)
        await ask_for_a_refund(unit)
    await side.database.close()
    return folder


async def open_side(folder: Path, original: Path | None = None) -> OperatorsSide:
    """Opens a copy of that database, two days after its requests; or makes an empty one."""
    if original is None:
        return await _opened(folder)
    for path in original.iterdir():
        shutil.copy(path, folder)
    side = await _opened(folder, make=False)
    side.clock.us += 2 * DAY_US
    return side


async def _opened(folder: Path, *, make: bool = True) -> OperatorsSide:
    clock = StoppedClock()
    database = Database(folder / "softix.db", clock)
    if make:
        database.create()
    await database.open()
    return OperatorsSide(database, clock, folder)


async def ask_for_a_refund(unit: Any) -> None:
    """Adds a payment that is still open, and a request for a refund of it."""
    payment = OnlinePayment(
        id=0,
        public_id="pay_open",
        user_id=ADA,
        kind=PaymentKind.CHECKOUT,
        state=PaymentState.OPEN,
        asked_cents=2500,
        asked_tax_cents=0,
        is_live=False,
        created_at_us=unit.clock.now_us(),
    )
    added = await unit.payments.add(payment)
    await unit.payments.refunds.add(RefundRequest(0, "rfd_open", added.id, 500, RefundState.REQUESTED, NOW_US))


async def give_up_a_message(unit: Any) -> None:
    """Adds a message that was given up, and one that waits."""
    for number, kind in enumerate((NoticeKind.TEST, NoticeKind.LOW_BALANCE)):
        await outbox.enqueue(unit, None, Notice(kind, "ada@example.org", once=f"test:{number}"))
    [first, *_] = await unit.outbox.claim(unit.clock.now_us(), unit.clock.now_us() + 1, 1)
    await unit.outbox.failed(first, None, "refused_recipient", unit.clock.now_us())
