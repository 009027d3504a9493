import pytest

from softix_proxy.domain.access.tokens import AdminToken


@pytest.mark.parametrize(
    ("expires_at_us", "revoked_at_us", "now_us", "valid"),
    [(None, None, 9, True), (9, None, 8, True), (9, None, 9, False), (None, 5, 9, False), (99, 5, 9, False)],
)
def test_token_is_valid_until_it_expires_or_is_revoked(
    expires_at_us: int | None, revoked_at_us: int | None, now_us: int, valid: bool
) -> None:
    token = AdminToken(1, "tok_one", "", "sx_admin_abcd", b"digest", "admin", 1, expires_at_us, revoked_at_us)
    assert token.is_valid(now_us) is valid
    assert "digest" not in repr(token)
