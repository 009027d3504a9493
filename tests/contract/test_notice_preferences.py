from __future__ import annotations

from softix_proxy.domain.notices.outbox import NoticeKind
from softix_proxy.domain.ports.storage import Storage

ADA, BOB = 7, 8


async def test_muted_kinds_are_those_that_were_set_last(storage: Storage) -> None:
    async with storage.writing() as unit:
        await unit.notice_preferences.mute(ADA, frozenset((NoticeKind.RECEIPT, NoticeKind.NEW_SIGN_IN)))
        await unit.notice_preferences.mute(BOB, frozenset((NoticeKind.KEY_CREATED,)))
        await unit.notice_preferences.mute(ADA, frozenset((NoticeKind.LOW_BALANCE,)))
    unit = storage.reading()
    assert await unit.notice_preferences.muted(ADA) == {NoticeKind.LOW_BALANCE}
    assert await unit.notice_preferences.muted(9) == frozenset()


async def test_thresholds_are_kept_for_each_person_and_organisation(storage: Storage) -> None:
    async with storage.writing() as unit:
        await unit.notice_preferences.set_thresholds(ADA, 1, [5, 20, 5, 10])
        await unit.notice_preferences.set_thresholds(ADA, 2, [3])
        await unit.notice_preferences.set_thresholds(BOB, 1, [4])
    preferences = storage.reading().notice_preferences
    assert await preferences.thresholds(ADA, 1) == [20, 10, 5]
    assert await preferences.all_thresholds() == {(ADA, 1): [20, 10, 5], (ADA, 2): [3], (BOB, 1): [4]}
    async with storage.writing() as unit:
        await unit.notice_preferences.set_thresholds(ADA, 1, [])
    assert await preferences.thresholds(ADA, 1) == []


async def test_forgotten_person_has_no_choices_left(storage: Storage) -> None:
    async with storage.writing() as unit:
        for account in (ADA, BOB):
            await unit.notice_preferences.mute(account, frozenset((NoticeKind.RECEIPT,)))
            await unit.notice_preferences.set_thresholds(account, 1, [5])
        await unit.notice_preferences.forget(ADA)
    preferences = storage.reading().notice_preferences
    assert await preferences.muted(ADA) == frozenset() and await preferences.muted(BOB)
    assert await preferences.all_thresholds() == {(BOB, 1): [5]}
