from __future__ import annotations

import pytest
from support.members import join

from softix_proxy.domain.access.users import User
from softix_proxy.domain.core.errors import BadInputError, NotFoundError
from softix_proxy.domain.notices.notice_preferences import MOST_THRESHOLDS, OPTIONAL_KINDS
from softix_proxy.domain.notices.outbox import NoticeKind
from softix_proxy.operations.notices import notice_preferences
from softix_proxy.operations.notices.notice_preferences import BalanceThresholds
from softix_proxy.storage.sqlite.unit import SqliteStorage

OWED = sorted({*NoticeKind} - OPTIONAL_KINDS)


async def test_choices_of_a_person_are_shown_for_each_organisation(books: SqliteStorage, ada: User) -> None:
    account = await join(books, ada.id, "ada")
    await notice_preferences.choose(books, account.id, [NoticeKind.RECEIPT], {ada.id: [5, 10]})
    shown = await notice_preferences.show(books, account.id)
    assert shown.muted == {NoticeKind.RECEIPT}
    assert list(shown.organisations) == [BalanceThresholds(ada.id, ada.public_id, "ada", [10, 5])]


@pytest.mark.parametrize("kind", OWED)
async def test_kind_that_law_or_security_demands_cannot_be_switched_off(
    books: SqliteStorage, ada: User, kind: NoticeKind
) -> None:
    account = await join(books, ada.id, "ada")
    with pytest.raises(BadInputError, match=kind.value):
        await notice_preferences.choose(books, account.id, [kind, NoticeKind.RECEIPT], {})
    assert (await notice_preferences.show(books, account.id)).muted == frozenset()


def test_messages_about_protection_of_an_account_and_about_money_owed_are_not_optional() -> None:
    assert {*OWED} >= {
        NoticeKind.PASSWORD_CHANGED,
        NoticeKind.EMAIL_CHANGED,
        NoticeKind.FACTOR_CHANGED,
        NoticeKind.INVOICE,
        NoticeKind.PAYMENT_FAILED,
        NoticeKind.POLICY_CHANGED,
        NoticeKind.PRIVACY_ANSWER,
        NoticeKind.ABUSE,
    }


@pytest.mark.parametrize("thresholds", [list(range(MOST_THRESHOLDS + 1)), [-1], [2**63]])
async def test_thresholds_out_of_range_are_refused(books: SqliteStorage, ada: User, thresholds: list[int]) -> None:
    account = await join(books, ada.id, "ada")
    with pytest.raises(BadInputError):
        await notice_preferences.choose(books, account.id, [], {ada.id: thresholds})


async def test_thresholds_for_an_organisation_of_others_are_not_found(books: SqliteStorage, ada: User) -> None:
    account = await join(books, ada.id, "ada")
    with pytest.raises(NotFoundError):
        await notice_preferences.choose(books, account.id, [NoticeKind.RECEIPT], {ada.id + 1: [5]})
    assert (await notice_preferences.show(books, account.id)).muted == frozenset(), "and nothing else is saved"
