import pytest

from softix_proxy.domain.accounts.refusals import AccountRefusal, AccountRefusedError


@pytest.mark.parametrize("reason", list(AccountRefusal))
def test_refusal_says_what_is_wrong_and_what_to_do(reason: AccountRefusal) -> None:
    error = AccountRefusedError(reason)
    assert error.reason is reason and error.message and error.remedy and error.exit_code == 2
