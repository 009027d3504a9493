"""Writes one of everything that is stored, by the names of fields alone, and tells by name what is read of it.

Run as a program, `-m support.every_record FOLDER [permuted]`, it prints that as JSON; the tables of `permuted` have
their columns in the opposite order. What it tells depends neither on that nor on the order of fields.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from fractions import Fraction
from pathlib import Path
from typing import Any

from support.books import StoppedClock
from support.one_notice import write_notices
from support.one_of_each import (
    ADA,
    EVER,
    NOW_US,
    write_books,
    write_directory,
    write_papers,
    write_requests,
)
from support.one_of_each_person import CALL, SEEN, TOKEN, write_audit, write_people
from support.permuted_tables import permute

import softix_proxy
from softix_proxy.domain.access.templates import LimitTemplate, TemplateCap, TemplateDefault, TemplatePart
from softix_proxy.domain.accounts.account_tokens import TokenPurpose
from softix_proxy.domain.accounts.ceremonies import CeremonyKind
from softix_proxy.domain.core.calendar import Calendar
from softix_proxy.domain.core.clock import DAY_US
from softix_proxy.domain.metering.caps import Cap, CapAlert
from softix_proxy.domain.metering.usage import UsageFilter
from softix_proxy.domain.notices.outbox import NoticeKind
from softix_proxy.domain.ports.storage import Unit
from softix_proxy.domain.privacy.technical_data import TechnicalDataFilter
from softix_proxy.exports.metering import csv_usage
from softix_proxy.storage.sqlite.core.database import Database
from softix_proxy.storage.sqlite.core.engine import connect
from softix_proxy.storage.sqlite.unit import SqliteStorage
from softix_proxy.storage.sqlite.write_path.group import open_intents


def told(value: Any) -> Any:
    """As JSON has it, with the fields of records under their names."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: told(getattr(value, field.name)) for field in fields(value)}
    if hasattr(value, "_asdict"):
        return {name: told(one) for name, one in value._asdict().items()}
    if isinstance(value, Mapping):
        return {str(name): told(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [told(one) for one in value]
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, bytes):
        return value.hex()
    return str(value) if isinstance(value, Fraction) or not isinstance(value, (int, str, type(None))) else value


async def read_all(storage: SqliteStorage) -> dict[str, Any]:
    unit, days = storage.reading(), Calendar("UTC")
    usage, ledger, bill = unit.usage, unit.ledger, unit.bill
    rows: Sequence[Any] = await usage.newest(UsageFilter(), 99)
    lines = usage.lines(csv_usage.LAYOUT, EVER, None)
    assert lines is not None
    verdict = await ledger.verify()
    assert verdict.violations == (), verdict
    return {
        "directory": await storage.changes(0),
        "users": [await unit.users.list(), await unit.users.find("ada")],
        "keys": [await unit.keys.list(), await unit.keys.spend(1)],
        "prices": [await unit.prices.list(), await unit.prices.markups(), await unit.prices.proposals()],
        "unpriced": await unit.prices.unpriced_asks(),
        "models": await unit.models.named("llama"),
        "providers": await unit.providers.list(),
        "routes": [await unit.routes.list(), await unit.routes.reported()],
        "balance": [await unit.balance.get(ADA), await unit.balance.history(ADA, 99)],
        "ledger": [await ledger.accounts(), await ledger.by_reference("pay-1"), verdict],
        "postings": [part async for part in ledger.postings(EVER, None)],
        "sums": [part async for part in ledger.sums(EVER, None)],
        "misdated": [day async for day in ledger.misdated(EVER)],
        "usage": [rows, [await usage.corrections(row.id) for row in rows], await usage.attempts(UsageFilter(), 99)],
        "totals": [await usage.totals(by, 0, 10**6, days) for by in ("user", "key", "model", "provider", "day")],
        "elsewhere": await usage.totals("day", 0, 10**6, Calendar("Asia/Kolkata")),
        "trends": await usage.trends("model", 0, 10**6, days, 9),
        "costs": [cost async for cost in usage.daily_costs("lab", 0, 10**6)],
        "lines": [chunk async for chunk in lines],
        "user sums": [one async for one in usage.sums(EVER, None)],
        "periods": [await unit.periods.list(), await unit.periods.contents(EVER)],
        "batches": [await unit.batches.summaries(all_of_them=True), await unit.batches.open_lines(4)],
        "batch": [await unit.batches.get(4), await unit.batches.page_of_files(ADA, 9, None)],
        "objects": [await unit.objects.list(ADA, None, 9), await unit.objects.shares()],
        "bills": [await bill.list(), await bill.customer(ADA), await bill.payments(EVER, None)],
        "billed": [one async for one in bill.usage_sums(EVER, None, [100])],
        "corrected": [one async for one in bill.correction_sums(EVER, None, days)],
        "charged": await bill.charged_since(NOW_US, None),
        "manifests": await unit.manifests.list(),
        "instance": await unit.instance.get("pepper"),
        **await read_people(unit),
    }


async def read_people(unit: Any) -> dict[str, Any]:
    return {
        "open": await unit.live.open_requests(9),
        "caps": [await unit.caps.of_user(ADA), await unit.caps.of_end_users(1), await unit.caps.untold(9)],
        "templates": [await unit.templates.list(), await unit.templates.defaults()],
        "live": [
            await unit.live.open_holds(UsageFilter()),
            await unit.live.recent(UsageFilter(), 0, 2 * NOW_US, 9),
            await unit.live.keys_near_limits(UsageFilter(), NOW_US, 0),
            await unit.live.low_wallets(UsageFilter(), 10**18),
        ],
        "payments": [
            await unit.payments.list(ADA, 9),
            await unit.payments.posted(1),
            await unit.payments.posted_between(102, 103),
            await unit.payments.undocumented(ADA, 9),
            await unit.payments.refunds.list(None, ADA),
            await unit.payments.auto_top_ups.get(ADA),
            await unit.payments.customer(ADA, True),
            await unit.payments.last_seen_us(),
        ],
        "people": [
            await unit.accounts.list(),
            await unit.accounts.acceptances(1),
            await unit.memberships.of_account(1),
        ],
        "signed in": [await unit.sessions.list(1, 90), await unit.security_events.list(1, 9)],
        "audit": [await unit.audit.page(None, 9), await unit.technical_data.origin_of(1)],
        "technical data": [
            await unit.technical_data.addresses_of_key(1),
            await unit.technical_data.agents(TechnicalDataFilter(), 9),
            await unit.technical_data.guesses(0, 9),
        ],
        "tokens": await unit.tokens.list(),
        "repeatable_call": await unit.repeatable_calls.find("tok_one", b"key of a call"),
        "factors": [await unit.factors.of_account(1), await unit.federated_identities.of_account(1)],
        "under way": await unit.ceremonies.find(CeremonyKind.OIDC_LINK, b"state", b"cookie", 100),
        "token": await unit.account_tokens.find(b"token", TokenPurpose.INVITATION, 90),
        "notices": [
            await unit.outbox.list(None, 9),
            await unit.notice_preferences.muted(1),
            await unit.notice_preferences.all_thresholds(),
            await unit.notice_conditions.standing(NoticeKind.LOW_BALANCE),
            await unit.notice_conditions.low_balances(10**18),
        ],
        "abuse": [
            [replace(each, first_us=0, last_us=0) for each in await unit.abuse.list(limit=9)],
            await unit.abuse.actions(1),
            await unit.abuse.all_tunings(),
        ],
        "webhooks": [
            await unit.webhooks.list(),
            await unit.webhooks.event(1),
            [replace(each.delivery, public_id="") for each in await unit.webhooks.deliveries(1, 9)],
            [(each.kind, each.event_public_id, each.at_us) for each in await unit.webhooks.deliveries(1, 9)],
        ],
    }


async def write_limits(unit: Unit) -> None:
    cap = await unit.caps.add(
        Cap(
            id=0,
            user_id=ADA,
            key_id=None,
            models="lab/*",
            period="month",
            amount_pico=10**12,
            created_at_us=3,
            zone="Asia/Kolkata",
            reset_day=5,
            alerts="7",
            raised_pico=10**13,
            raised_until_us=EVER.to_us,
            tag="team=search",
            end_users=True,
        )
    )
    await unit.caps.set_spent_by_end_user(cap.id, {"c" * 32: 0})
    await unit.caps.note(CapAlert(cap_id=cap.id, period_start_us=1, percent=7, reached_at_us=2))
    week = TemplateCap(period="week", amount_pico=7, zone="UTC", reset_day="monday", alerts="50")
    part = TemplatePart(models="lab/*", rpm=4, tpm=5, concurrency=6, caps=(week,))
    template = await unit.templates.add(LimitTemplate(id=0, name="trial", kind="key", parts=(part,), created_at_us=8))
    await unit.templates.set_default(TemplateDefault(template_id=template.id, kind="key", user_id=ADA))


async def everything(folder: Path, *, permuted: bool) -> Any:
    clock = StoppedClock()
    database = Database(folder / "made.db", clock)
    database.create()
    if permuted:
        target = connect(folder / "permuted.db", make=True)
        source = database.connect()
        permute(source, target)
        source.close()
        target.close()
        database = Database(folder / "permuted.db", clock)
    await database.open()
    try:
        storage = SqliteStorage(database)
        async with storage.writing() as unit:
            await write_directory(unit)
            await write_people(unit)
            await write_audit(unit)
            await write_limits(unit)
            await unit.technical_data.note(SEEN)
            await unit.tokens.add(TOKEN)
            await unit.repeatable_calls.add(CALL)
            await unit.repeatable_calls.keep_answer(CALL, b"an answer")
            await write_notices(unit)
        connection = database.connect()
        write_requests(connection, NOW_US)
        orphans = open_intents(connection, [7], 9)
        connection.close()
        clock.us += 2 * DAY_US
        await write_books(storage)
        async with storage.writing() as unit:
            await write_papers(unit)
        async with storage.writing() as unit:
            await unit.users.update((await unit.users.list())[0])
            await unit.accounts.update((await unit.accounts.list())[0])
            await unit.sessions.update((await unit.sessions.list(1, 90))[0])
            await unit.keys.update((await unit.keys.list())[0])
            await unit.providers.update((await unit.providers.list())[0])
            await unit.models.update((await unit.models.list())[0])
            await unit.routes.update((await unit.routes.list())[0])
        return told({**await read_all(storage), "orphans": orphans})
    finally:
        await database.close()


if __name__ == "__main__":
    found = asyncio.run(everything(Path(sys.argv[1]), permuted="permuted" in sys.argv))
    print(json.dumps({"package": softix_proxy.__path__[0], "told": found}))
