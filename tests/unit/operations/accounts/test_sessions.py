import asyncio
from dataclasses import replace

import pytest
from support.people import BOB, FIREFOX, HOME, SAFARI, People

from softix_proxy.domain.accounts.portal_section import PortalSection
from softix_proxy.domain.accounts.sessions import Session, SignInMethod
from softix_proxy.domain.core.clock import SECOND_US
from softix_proxy.domain.core.errors import NotFoundError
from softix_proxy.operations.accounts import sessions

HOUR_US = 3600 * SECOND_US


async def find(people: People, token: str) -> Session | None:
    return await sessions.find(people.storage, token, people.portal, people.clock.us)


async def test_session_ends_when_it_is_not_used_for_the_idle_time(people: People) -> None:
    people.portal = replace(people.portal, session_idle_h=2, session_h=24)
    await people.member()
    done = await people.signed_in()
    people.clock.us += 2 * HOUR_US - 1
    assert await find(people, done.token) is not None
    people.clock.us += 2 * HOUR_US - 1
    assert await find(people, done.token) is not None, "its use gave it the idle time again"
    people.clock.us += 2 * HOUR_US
    assert await find(people, done.token) is None


async def test_session_ends_for_good_however_much_it_is_used(people: People) -> None:
    people.portal = replace(people.portal, session_idle_h=2, session_h=5)
    await people.member()
    done = await people.signed_in()
    for _ in range(4):
        people.clock.us += HOUR_US
        assert await find(people, done.token) is not None
    people.clock.us += HOUR_US
    assert await find(people, done.token) is None


async def test_use_of_a_session_is_written_at_most_once_a_minute(people: People) -> None:
    await people.member()
    done = await people.signed_in()
    started_us = people.clock.us
    for second in (1, 30, 59):
        people.clock.us = started_us + second * SECOND_US
        found = await find(people, done.token)
        assert found is not None and found.seen_at_us == started_us
    people.clock.us = started_us + 60 * SECOND_US
    found = await find(people, done.token)
    assert found is not None and found.seen_at_us == people.clock.us


async def test_session_that_ends_while_its_use_is_written_opens_nothing(people: People) -> None:
    await people.member()
    done = await people.signed_in()
    people.clock.us += HOUR_US
    async with people.storage.writing() as unit:
        use = asyncio.create_task(find(people, done.token))
        await unit.sessions.end(done.session.id)
    assert await use is None


async def test_token_of_no_session_opens_nothing(people: People) -> None:
    await people.member()
    await people.signed_in()
    for token in ("", "x" * 43, "\ud800"):
        assert await find(people, token) is None


async def test_database_has_no_token_of_a_session(people: People) -> None:
    await people.member()
    done = await people.signed_in()
    rows = await people.storage.reading()._session.all("SELECT digest, public_id, device FROM sessions")
    assert rows and not any(done.token.encode() in str(row).encode() for row in rows)


async def test_person_lists_the_own_sessions_and_ends_one_of_them(people: People) -> None:
    account = await people.member()
    first, second = await people.signed_in(), await people.signed_in(device=SAFARI)
    assert {session.device for session in await sessions.list_all(people.storage, account.id)} == {FIREFOX, SAFARI}
    await sessions.revoke(people.storage, account.id, first.session.public_id, address=HOME, device=SAFARI)
    assert await sessions.list_all(people.storage, account.id) == [second.session]
    assert await find(people, first.token) is None
    assert (await people.events(account))[0] == "session_ended"


async def test_session_of_another_person_is_not_there(people: People) -> None:
    ada, _ = await people.member(), await people.member(BOB)
    bob = await people.signed_in(BOB)
    for public_id in (bob.session.public_id, "ses_unknown"):
        with pytest.raises(NotFoundError) as refused:
            await sessions.revoke(people.storage, ada.id, public_id, address=HOME, device=FIREFOX)
        assert refused.value.message == "there is no such session"
    assert await find(people, bob.token) is not None


async def test_person_ends_all_other_sessions(people: People) -> None:
    account = await people.member()
    own, other = await people.signed_in(), await people.signed_in()
    assert await sessions.revoke_others(people.storage, own.session, address=HOME, device=FIREFOX) == 1
    assert await sessions.revoke_others(people.storage, own.session, address=HOME, device=FIREFOX) == 0
    assert await find(people, other.token) is None and await find(people, own.token) is not None
    assert (await people.events(account)).count("session_ended") == 1


async def test_signing_out_ends_the_session_and_twice_is_no_error(people: People) -> None:
    account = await people.member()
    done = await people.signed_in()
    for _ in range(2):
        await sessions.sign_out(people.storage, done.token, address=HOME, device=FIREFOX)
    assert await find(people, done.token) is None
    assert (await people.events(account)).count("signed_out") == 1


def test_sessions_last_as_the_settings_say_unless_they_are_changed() -> None:
    assert (PortalSection().session_idle_h, PortalSection().session_h) == (24, 336)


async def test_session_above_the_limit_ends_the_one_that_was_used_longest_ago(people: People) -> None:
    account = await people.member()
    first = await people.signed_in()
    people.clock.us += SECOND_US
    others = [await people.signed_in() for _ in range(sessions.MOST_SESSIONS)]
    assert await find(people, first.token) is None
    assert len(await sessions.list_all(people.storage, account.id)) == sessions.MOST_SESSIONS
    assert await find(people, others[0].token) is not None


async def test_sessions_that_wait_for_a_second_factor_push_no_open_session_out(people: People) -> None:
    """Else somebody who knows the password alone could sign the owner out."""
    account = await people.member()
    done = await people.signed_in()
    people.clock.us += SECOND_US
    async with people.storage.writing() as unit:
        for _ in range(sessions.MOST_SESSIONS + 1):
            await sessions.start(
                unit,
                account.id,
                method=SignInMethod.PASSWORD,
                second_factor=False,
                is_pending=True,
                device=FIREFOX,
                portal=people.portal,
            )
        assert len(await unit.sessions.list(account.id, people.clock.us)) == sessions.MOST_SESSIONS + 1
    assert await find(people, done.token) is not None
