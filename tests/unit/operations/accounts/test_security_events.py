from support.people import BOB, FIREFOX, HOME, People

from softix_proxy.operations.accounts import security_events


async def test_events_are_listed_for_an_account_or_for_all(people: People) -> None:
    ada, bob = await people.member(), await people.member(BOB)
    async with people.storage.writing() as unit:
        await security_events.record(unit, "key_created", ada.id, address=HOME, device=FIREFOX, subject="key_1")
    newest, *_ = await security_events.list_all(people.storage, ada.id, limit=9)
    assert (newest.at_us, newest.kind, newest.account_id) == (people.clock.us, "key_created", ada.id)
    assert (newest.address, newest.device, newest.subject) == (HOME, FIREFOX, "key_1")
    assert {event.account_id for event in await security_events.list_all(people.storage, limit=9)} == {ada.id, bob.id}
    assert len(await security_events.list_all(people.storage, limit=2)) == 2
