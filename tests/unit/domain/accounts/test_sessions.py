import pytest

from softix_proxy.domain.accounts.sessions import RECENT_US, Session, SignInMethod, is_recent


@pytest.mark.parametrize(
    ("later_us", "recent"), [(0, True), (15 * 60 * 1_000_000, True), (15 * 60 * 1_000_000 + 1, False)]
)
def test_proof_of_who_it_is_counts_as_recent_for_a_quarter_of_an_hour(later_us: int, recent: bool) -> None:
    session = Session(
        id=1,
        public_id="ses_a",
        account_id=1,
        digest=b"",
        method=SignInMethod.PASSWORD,
        second_factor=False,
        is_pending=False,
        device="",
        created_at_us=1,
        seen_at_us=9,
        reauthenticated_at_us=7,
        idle_ends_at_us=9,
        ends_at_us=9,
    )
    assert is_recent(session, 7 + later_us) is recent and RECENT_US == 900_000_000
