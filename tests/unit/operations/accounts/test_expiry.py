from support.people import ADA, BOB, EVE, People

from softix_proxy.domain.accounts.refusals import AccountRefusedError
from softix_proxy.domain.core.clock import DAY_US
from softix_proxy.operations.accounts import expiry, throttles


async def test_purge_removes_what_has_ended_and_nothing_else(people: People) -> None:
    await people.member()
    await people.signed_in()
    await people.register(EVE)
    try:
        await people.sign_in(password="not the password")
    except AccountRefusedError:
        pass
    assert await expiry.purge(people.storage) == expiry.Purged(0, 0, 0, 0, 0)
    people.clock.us += 8 * DAY_US
    await people.member(BOB)
    current = await people.signed_in(BOB)
    events = len(await people.events())
    done = await expiry.purge(people.storage)
    assert (done.sessions, done.tokens, done.unverified) == (1, 1, 1)
    assert done.throttles > 0
    assert [account.email for account in await people.storage.reading().accounts.list()] == [ADA, BOB]
    assert await people.storage.reading().sessions.list(current.account.id, people.clock.us) == [current.session]
    assert len(await people.events()) == events - 1, "what happened to the removed registration went with it"
    assert await expiry.purge(people.storage) == expiry.Purged(0, 0, 0, 0, 0)


async def test_purge_after_a_flood_takes_many_short_transactions(people: People) -> None:
    async with people.storage.writing() as unit:
        for number in range(1_001):
            await unit.throttles.arrive(throttles.BY_NETWORK, f"n{number}", people.clock.us)
    people.clock.us += DAY_US
    with people.counted() as work:
        assert (await expiry.purge(people.storage)).throttles == 1_001
    assert len(work) == 7, "three for the counts, and one for each other kind"
