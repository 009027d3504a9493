"""A database that each earlier version made is migrated and opens, with everything in it."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest
from support.people import new_vault
from support.principals import entered

from softix_proxy.domain.access.roles import OrganisationRole
from softix_proxy.domain.core.clock import SystemClock
from softix_proxy.domain.core.ids import format_request_id
from softix_proxy.domain.core.spans import Span
from softix_proxy.domain.metering.usage import UsageFilter
from softix_proxy.operations.access import users
from softix_proxy.operations.accounts import accounts, audit
from softix_proxy.operations.accounts.audit import VerifiedAudit
from softix_proxy.operations.ledger import corrections, ledger, periods, redating
from softix_proxy.operations.metering import usage
from softix_proxy.storage.sqlite.core import migrations, upgrade
from softix_proxy.storage.sqlite.core.database import Database
from softix_proxy.storage.sqlite.core.engine import connect
from softix_proxy.storage.sqlite.unit import SqliteStorage

pytestmark = pytest.mark.only_engine("sqlite", reason="opens files of earlier versions")

CHAT = "/v1/chat/completions"
EVER = Span(0, 2**62)
BEFORE_IDENTITIES = 10
BEFORE_FORMER_MEMBERS = 22
BEFORE_CHANGES_IN_THE_AUDIT = 24
FIRST_WITH_A_CLOSED_PERIOD = 3
DUMPS = sorted(Path(__file__).with_name("databases").glob("*.sql"))


def restore(dump: Path, place: Path) -> None:
    connection = connect(place, make=True)
    connection.execute("PRAGMA foreign_keys = OFF")
    connection.execute(dump.read_text("utf-8"))
    connection.close()


def test_old_databases_contain_one_of_every_schema() -> None:
    """Made by scripts/dump_database.py when a migration is added."""
    assert [int(dump.stem) for dump in DUMPS] == [number for number, *_ in migrations.available()]


@pytest.mark.parametrize("dump", DUMPS, ids=lambda dump: dump.stem)
async def test_old_database_after_migration_opens_and_its_books_verify(dump: Path, tmp_path: Path) -> None:
    place = tmp_path / "softix.db"
    restore(dump, place)
    database, schema = Database(place, SystemClock()), int(dump.stem)
    done = upgrade.migrate(database)
    assert len(done.applied) == migrations.latest() - schema
    if done.applied:
        assert done.backup is not None and Database(done.backup, SystemClock()).version() == schema
    await database.open()
    try:
        connection = connect(place, make=True)
        assert migrations.current(connection) == migrations.latest()
        connection.close()
        unit = SqliteStorage(database).reading()
        ada = await unit.users.find("ada")
        assert ada is not None
        assert (await unit.balance.get(ada.id)).posted_pico == 20 * 10**12
        assert [entry.reference for entry in await unit.balance.history(ada.id, 10)] == [None, "pay-1"]
        key = await unit.keys.find("ci")
        assert key is not None and key.models == ("m*",) and key.limits.rpm == 60
        lab = await unit.providers.find("lab")
        assert lab is not None and lab.base_url + lab.path(CHAT) == f"http://127.0.0.1:9{CHAT}"
        rows = await unit.usage.newest(UsageFilter(), 10)
        assert len(rows) == 2 and all(row.charge_pico > 0 for row in rows)
        assert (await SqliteStorage(database).changes(0)).revision > 0
        verdict = await ledger.verify(SqliteStorage(database))
        assert verdict.violations == () and verdict.usage_rows == 2
        assert verdict.periods == (schema >= FIRST_WITH_A_CLOSED_PERIOD)
    finally:
        await database.close()


@pytest.mark.parametrize("dump", DUMPS, ids=lambda dump: dump.stem)
async def test_old_database_after_recosting_keeps_its_closed_periods_and_verifies(dump: Path, tmp_path: Path) -> None:
    place = tmp_path / "softix.db"
    restore(dump, place)
    database = Database(place, SystemClock())
    upgrade.migrate(database)
    await database.open()
    try:
        storage = SqliteStorage(database)
        closed = await storage.reading().periods.list()
        before = await totals(storage)
        for current in (False, True):
            mend = corrections.Corrections(storage, "costs").recost(None, EVER, None, current=current, dry=False)
            async for _ in mend:
                pass
        charged_pico, costs_pico = await totals(storage)
        assert charged_pico == before[0]
        redated = [one async for one in redating.run(storage, EVER, None, note="clock", dry=False)]
        assert redated
        async with storage.writing() as unit:
            await unit.usage.change_zone("Asia/Kolkata")
        mend = corrections.Corrections(storage, "costs").recost(None, EVER, None, current=True, dry=False)
        assert [one async for one in mend if isinstance(one, corrections.CorrectedRequest) and one.correction] == []
        assert await totals(storage) == (charged_pico, costs_pico)
        assert (await ledger.verify(storage)).violations == ()
        assert (await periods.verify(storage.reading()))[1] == []
        assert await storage.reading().periods.list() == closed
        for row in await storage.reading().usage.after(UsageFilter(), 0, 100):
            assert (await usage.explain(storage, format_request_id(row.request_id))).agrees
    finally:
        await database.close()


@pytest.mark.parametrize(
    ("names", "after", "shown"),
    [
        (("ada", "bob"), ("ada", "bob"), {}),
        (("bob@example.org", "bob"), ("usr_ada", "bob"), {1: "bob@example.org"}),
        (("usr_bob", "usr_ada"), ("usr_ada", "usr_bob"), {1: "usr_bob", 2: "usr_ada"}),
    ],
)
async def test_old_database_with_names_like_addresses_or_ids_pays_nobody_by_them(
    names: tuple[str, str], after: tuple[str, str], shown: dict[int, str], tmp_path: Path
) -> None:
    place = tmp_path / "softix.db"
    restore(DUMPS[BEFORE_IDENTITIES - 1], place)
    connection = connect(place)
    connection.execute("UPDATE users SET public_id = 'usr_ada', name = 'ada', email = 'ada@example.org' WHERE id = 1")
    connection.execute("UPDATE users SET public_id = 'usr_bob', name = 'b', email = 'bob@example.org' WHERE id = 2")
    connection.execute("UPDATE users SET name = ? WHERE id = 1", (names[0],))
    connection.execute("UPDATE users SET name = ? WHERE id = 2", (names[1],))
    connection.close()
    upgrade.migrate(Database(place, SystemClock()))
    database = await Database(place, SystemClock()).open()
    try:
        storage = SqliteStorage(database)
        assert tuple(user.name for user in await users.list_all(storage)) == after
        assert await users.display_names(storage) == shown
        assert (await users.find_payer(storage.reading(), "bob@example.org")).id == 2
        assert (await users.find_payer(storage.reading(), "usr_bob")).id == 2
    finally:
        await database.close()


async def totals(storage: SqliteStorage) -> tuple[int, int]:
    """(Charge, cost), by the sums of days."""
    days = await storage.reading().usage.totals("day", 0, 10**6, await storage.reading().instance.calendar())
    return sum(day.charge_pico for day in days), sum(day.cost_pico for day in days)


LAST_WITH_FILES = 10


def test_files_and_batches_of_an_older_database_are_their_owners_things(tmp_path: Path) -> None:
    place = tmp_path / "softix.db"
    restore(Path(__file__).with_name("databases") / f"{LAST_WITH_FILES:04d}.sql", place)
    connection = connect(place, make=True)
    kept = (
        "INSERT INTO batches (id, family, provider_id, provider_key, user_id, key_id, remote_id, requests,"
        " created_at_us)"
        " VALUES (7, 'openai', 1, 'main', 1, 1, 'b', 1, 5)",
        "INSERT INTO files (provider_id, provider_key, user_id, key_id, remote_id, batch_id, created_at_us)"
        " VALUES (1, 'main', 1, 1, 'in', NULL, 4), (1, 'main', 1, 1, 'out', 7, 6)",
    )
    for statement in kept:
        connection.execute(statement)
    migrations.migrate(connection)
    rows = connection.execute(
        "SELECT kind, remote_id, user_id, key_id, batch_id, created_at_us, provider_id, provider_key"
        " FROM objects JOIN object_accounts AS a ON a.id = account_id ORDER BY objects.id"
    ).fetchall()
    connection.close()
    assert rows == [
        ("file", "in", 1, 1, None, 4, 1, "main"),
        ("file", "out", 1, 1, 7, 6, 1, "main"),
        ("batch", "b", 1, 1, None, 5, 1, "main"),
    ]


BEFORE_ACCOUNTS = 15


async def test_user_of_an_older_database_has_no_account_until_an_operator_makes_one(tmp_path: Path) -> None:
    place = tmp_path / "softix.db"
    restore(DUMPS[BEFORE_ACCOUNTS - 1], place)
    upgrade.migrate(Database(place, SystemClock()))
    database = await Database(place, SystemClock()).open()
    try:
        storage = SqliteStorage(database)
        before = await users.list_all(storage)
        assert before and await accounts.list_all(storage) == []
        made = await accounts.create(storage, new_vault(), email="ada@example.org", organisation="ada")
        [membership] = await storage.reading().memberships.of_account(made.account.id)
        assert [user.name for user in before if user.id == membership.user_id] == ["ada"]
        assert membership.role is OrganisationRole.OWNER and await users.list_all(storage) == before
    finally:
        await database.close()


async def test_old_database_remembers_the_members_whose_removal_it_recorded(tmp_path: Path) -> None:
    place = tmp_path / "softix.db"
    restore(DUMPS[BEFORE_FORMER_MEMBERS - 1], place)
    connection = connect(place)
    for name in ("ada", "bob", "eve"):
        connection.execute(
            "INSERT INTO login_accounts (public_id, email, folded_email, display_name, created_at_us)"
            " VALUES ('acc_' || ?1, ?1 || '@x.org', ?1 || '@x.org', ?1, 1)",
            (name,),
        )
    for account_id, kind in ((1, "member_removed"), (1, "member_removed"), (2, "member_added"), (3, "role_changed")):
        connection.execute(
            "INSERT INTO security_events (at_us, account_id, kind, address, device, subject)"
            " SELECT 1, ?1, ?2, '', '', public_id FROM users WHERE id = 1",
            (account_id, kind),
        )
    connection.close()
    database = Database(place, SystemClock())
    upgrade.migrate(database)
    await database.open()
    try:
        members = SqliteStorage(database).reading().memberships
        assert [await members.has_ended(account_id, 1) for account_id in (1, 2, 3)] == [True, False, False]
        assert not await members.has_ended(1, 2)
    finally:
        await database.close()


async def test_audit_of_an_earlier_version_stays_whole_and_goes_on(tmp_path: Path) -> None:
    place = tmp_path / "softix.db"
    restore(DUMPS[BEFORE_CHANGES_IN_THE_AUDIT - 1], place)
    connection, previous = connect(place), bytes(32)
    for number, action in ((1, "disable_user"), (2, "revoke_key")):
        told = f'[{number}, 7, "acc_ada", "{action}", "usr_ada"]'
        previous = sha256(previous + told.encode()).digest()
        row = (number, action, previous)
        connection.execute("INSERT INTO audit VALUES (?1, 7, 'acc_ada', ?2, 'usr_ada', ?3)", row)
    connection.execute(
        "INSERT INTO login_accounts (public_id, email, folded_email, display_name, role, created_at_us) "
        "VALUES ('acc_ada', 'a@example.org', 'a@example.org', 'Ada', 'billing', 1)"
    )
    connection.close()
    database = Database(place, SystemClock())
    upgrade.migrate(database)
    await database.open()
    try:
        storage = SqliteStorage(database)
        account = await storage.reading().accounts.find("acc_ada")
        assert account is not None and account.role == "billing"
        assert [entry.version for entry in await audit.page(storage)] == [1, 1]
        user = (await users.list_all(storage))[0]
        await users.update(await entered(storage, "users.update"), user.public_id, postpaid=not user.postpaid)
        assert [entry.version for entry in await audit.page(storage)] == [2, 1, 1]
        assert await audit.verify(storage) == VerifiedAudit(3, None)
    finally:
        await database.close()
