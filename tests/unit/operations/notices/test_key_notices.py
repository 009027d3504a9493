from __future__ import annotations

from typing import Any

from support.listening import heard, listen
from support.members import join

from softix_proxy.domain.access.roles import OrganisationRole
from softix_proxy.domain.access.users import User
from softix_proxy.domain.notices.outbox import NoticeKind
from softix_proxy.domain.notices.webhook_events import EventKind
from softix_proxy.operations.access import keys, users
from softix_proxy.operations.notices import outbox
from softix_proxy.storage.sqlite.unit import SqliteStorage


async def told(books: SqliteStorage) -> list[tuple[str, str, str]]:
    found = await outbox.list_all(books, limit=100)
    return [(each.notice.kind.value, each.notice.email, each.notice.values["key"]) for each in reversed(found)]


async def test_key_that_is_made_replaced_and_revoked_is_told_to_those_who_can_have_keys(
    books: SqliteStorage, maker: Any, ada: User
) -> None:
    await join(books, ada.id, "ada")
    await join(books, ada.id, "max", OrganisationRole.MEMBER)
    await join(books, ada.id, "vi", OrganisationRole.VIEWER)
    first = await keys.create(books, maker, user="ada", label="ci")
    second = await keys.rotate(books, maker, first.key.public_id, 0)
    for _ in range(2):
        await keys.revoke(books, second.key.public_id)
    people = ("ada@example.org", "max@example.org")
    shown = [
        (NoticeKind.KEY_CREATED, first.key),
        (NoticeKind.KEY_CREATED, second.key),
        (NoticeKind.KEY_REVOKED, second.key),
    ]
    assert await told(books) == [
        (kind.value, person, f"ci ({key.prefix}…)") for kind, key in shown for person in people
    ]
    everything = str(await told(books))
    assert first.text not in everything and second.text not in everything


async def test_key_of_an_organisation_without_members_is_told_to_nobody(
    books: SqliteStorage, maker: Any, ada: User
) -> None:
    await keys.create(books, maker, user="ada")
    assert await told(books) == []


async def test_key_notice_calls_the_organisation_by_its_display_name(
    books: SqliteStorage, maker: Any, ada: User
) -> None:
    await join(books, ada.id, "ada")
    await users.update(books, "ada", display_name="Analytical Engines")
    await keys.create(books, maker, user="ada")
    [queued] = await outbox.list_all(books, limit=9)
    assert queued.notice.values["organisation"] == "Analytical Engines"


async def test_key_that_is_not_made_is_not_told(books: SqliteStorage, maker: Any, ada: User) -> None:
    await join(books, ada.id, "ada")
    await keys.create(books.rehearsal(), maker, user="ada")
    assert await told(books) == []


async def test_endpoint_is_told_of_each_key_by_its_id_and_name(books: SqliteStorage, maker: Any, ada: User) -> None:
    await listen(books)
    made = await keys.create(books, maker, user="ada", label="ci")
    await keys.revoke(books, made.key.public_id)
    told = {"organisation": ada.public_id, "organisation_name": "ada", "key": made.key.public_id, "key_name": "ci"}
    assert await heard(books) == [(EventKind.KEY_CREATED, told), (EventKind.KEY_REVOKED, told)]
