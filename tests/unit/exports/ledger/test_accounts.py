import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.posted import added_up, adjusted, paid, posting

from softix_proxy.domain.core.errors import BadInputError
from softix_proxy.exports.ledger.accounts import legs, title
from softix_proxy.exports.reporting.formats import FORMS

IMPOSSIBLE = ("", "a=b", "=a", "a\nb", "a;b\n", ' a"', "\ta", "a\x00b")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_account_name_that_is_impossible_in_any_format_is_refused(form: str, name: str) -> None:
    names = FORMS[form].names
    role = next(iter(names.defaults))
    with pytest.raises(BadInputError, match="cannot be a name") as refused:
        names.chart([f"{role}={name}"])
    assert f"{role}={names.example}" in refused.value.remedy


@pytest.mark.parametrize("form", ["hledger", "ledger"])
@pytest.mark.parametrize(
    "name",
    ["a  b", "a;b", "a|b", "(a)", "[a]", "a:", ":a", "a::b", "a b ", "a @ b", "a {b}", "a:b:", "~a", "*a", "!a", "1$"],
)
def test_account_name_with_journal_syntax_is_refused(form: str, name: str) -> None:
    with pytest.raises(BadInputError):
        FORMS[form].names.chart([f"wallets={name}"])


@pytest.mark.parametrize("name", ["Cash", "assets:Cash", "Assets:cash", "Assets", "Assets:Cash Box", "Assets:C:"])
def test_beancount_account_name_with_invalid_form_is_refused(name: str) -> None:
    with pytest.raises(BadInputError):
        FORMS["beancount"].names.chart([f"cash={name}"])


def test_account_name_that_is_valid_is_kept() -> None:
    assert FORMS["hledger"].names.chart(["revenue=Erlöse:KI-Nutzung & mehr"])["revenue"] == "Erlöse:KI-Nutzung & mehr"
    assert FORMS["beancount"].names.chart(["cash=Assets:US:Bank-1"])["cash"] == "Assets:US:Bank-1"
    assert FORMS["xero"].names.chart(["tax=Tax on Sales (20%)"])["tax"] == "Tax on Sales (20%)"
    assert FORMS["odoo"].names.chart(["journal=Divers; été"])["journal"] == "Divers; été"


@pytest.mark.parametrize("form", FORMS)
def test_account_name_for_an_unknown_role_is_refused_with_the_known_roles(form: str) -> None:
    for text in ("rent=x", "revenue", "=x"):
        with pytest.raises(BadInputError) as refused:
            FORMS[form].names.chart([text])
        assert all(role in refused.value.remedy for role in FORMS[form].names.defaults)


@pytest.mark.parametrize("form", FORMS)
def test_account_defaults_and_example_are_valid_names(form: str) -> None:
    names = FORMS[form].names
    assert all(names.valid.fullmatch(name) for name in (*names.defaults.values(), names.example))


@given(st.integers(-(2**63), 2**63), st.integers(-(2**63), 2**63))
def test_posting_legs_with_any_amounts_add_up_to_zero(gained: int, cost: int) -> None:
    assert sum(leg.amount for leg in legs(posting(), gained, cost)) == 0


def test_posting_legs_of_payments_and_charges_have_their_roles() -> None:
    assert [(leg.role, leg.amount) for leg in legs(paid(), 25, 0)] == [("wallets", -25), ("cash", 25)]
    assert [(leg.role, leg.amount) for leg in legs(posting(), -3, 2)] == [
        ("wallets", 3),
        ("revenue", -3),
        ("costs", 2),
        ("payables", -2),
    ]
    assert [leg.role for leg in legs(adjusted(), 1, 0)] == ["wallets", "adjustments"]
    assert list(legs(posting(), 0, 0)) == []


def test_posting_title_describes_the_posting() -> None:
    assert title(posting()) == "AI usage llama"
    assert title(added_up(requests=1200)) == "AI usage llama, 1,200 requests"
    assert title(paid(note="thanks")) == "top-up: thanks"
