import pytest
from support.people import People

from softix_proxy.domain.accounts.ceremonies import CeremonyKind
from softix_proxy.domain.core.clock import SECOND_US
from softix_proxy.domain.core.errors import FailureError
from softix_proxy.domain.core.secret_tokens import new_token
from softix_proxy.operations.accounts import ceremonies
from softix_proxy.operations.accounts.ceremonies import CeremonyEnd, digest_of

KIND = CeremonyKind.OIDC_SIGN_IN
CONTENT = {"nonce": "n-canary"}


async def begin(people: People, reference: bytes) -> None:
    async with people.storage.writing() as unit:
        await ceremonies.begin(unit, people.vault, KIND, CONTENT, reference=reference, browser=b"cookie")


async def test_ceremony_remembers_its_content_sealed_and_ends_once(people: People) -> None:
    reference = digest_of(new_token())
    await begin(people, reference)
    stored = await people.storage.reading().ceremonies.find(KIND, reference, b"cookie", people.clock.us)
    assert stored is not None and b"n-canary" not in stored.sealed
    async with people.storage.writing() as unit:
        looked = await ceremonies.look(unit, people.vault, KIND, reference=reference, browser=b"cookie")
        ended = await ceremonies.end(unit, people.vault, KIND, reference=reference, browser=b"cookie")
        again = await ceremonies.end(unit, people.vault, KIND, reference=reference, browser=b"cookie")
    assert looked == ended == CeremonyEnd(None, CONTENT) and again is None


async def test_ceremony_ends_after_ten_minutes_and_its_row_with_the_next_one(people: People) -> None:
    await begin(people, b"first")
    people.clock.us += ceremonies.LIFETIME_S * SECOND_US
    async with people.storage.writing() as unit:
        assert await ceremonies.look(unit, people.vault, KIND, reference=b"first", browser=b"cookie") is None
    await begin(people, b"second")
    async with people.storage.writing() as unit:
        assert await unit.ceremonies.purge(people.clock.us) == 0


async def test_content_that_was_moved_to_another_ceremony_does_not_open(people: People) -> None:
    await begin(people, b"first")
    async with people.storage.writing() as unit:
        first = await unit.ceremonies.find(KIND, b"first", b"cookie", people.clock.us)
        assert first is not None
        moved = type(first)(
            kind=KIND,
            reference=b"second",
            browser=b"cookie",
            account_id=None,
            sealed=first.sealed,
            created_at_us=first.created_at_us,
            expires_at_us=first.expires_at_us,
        )
        await unit.ceremonies.add(moved)
        with pytest.raises(FailureError):
            await ceremonies.end(unit, people.vault, KIND, reference=b"second", browser=b"cookie")


def test_reference_has_256_random_bits_and_another_digest() -> None:
    references = {new_token() for _ in range(20)}
    assert len(references) == 20 and all(len(reference) == 43 for reference in references)
    assert len({digest_of(reference) for reference in references}) == 20
