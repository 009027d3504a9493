from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st
from support.posted import BOB, OCTOBER, added_up, paid, posting, written

from softix_proxy.domain.core.spans import Span
from softix_proxy.exports.ledger.beancount import component
from softix_proxy.exports.reporting.formats import FORMS

BEANCOUNT = FORMS["beancount"]


def test_beancount_entry_of_a_charge_is_followed_by_its_balance() -> None:
    [text] = written(BEANCOUNT, [posting()]).values()
    assert text == (
        "2026-10-05 open Liabilities:Prepaid:Usr-ada  USD\n2026-10-05 open Income:AI  USD\n\n"
        '2026-10-05 * "ada" "AI usage llama"\n'
        '  code: "req_0000000040000"\n'
        '  posted_at: "2026-10-05T12:00:00.000007Z"\n'
        '  usage_at: "2026-10-05T11:59:57.000000Z"\n'
        "  Liabilities:Prepaid:Usr-ada  0.015 USD\n"
        "  Income:AI  -0.015 USD\n\n"
        "2026-11-01 balance Liabilities:Prepaid:Usr-ada  0.015 ~ 0 USD\n"
    )


def test_beancount_journal_with_earlier_postings_includes_them_in_the_balance() -> None:
    [text] = written(BEANCOUNT, [posting()], known=[paid(), paid(BOB)]).values()
    assert "open Liabilities" not in text and "2026-10-05 open Income:AI  USD\n" in text
    assert "2026-11-01 balance Liabilities:Prepaid:Usr-ada  -24.985 ~ 0 USD\n" in text
    assert "2026-11-01 balance Liabilities:Prepaid:Usr-bob  -25.00 ~ 0 USD\n" in text


def test_beancount_balance_is_asserted_only_when_the_span_ends_at_midnight() -> None:
    noon = Span(OCTOBER.from_us, OCTOBER.to_us - 1)
    assert "balance" not in written(BEANCOUNT, [posting()], span=noon)["out.beancount"]
    berlin = written(BEANCOUNT, [posting()], zone=ZoneInfo("Europe/Berlin"))["out.beancount"]
    assert "balance" not in berlin, "01:00 there"
    ever = written(BEANCOUNT, [posting()], span=Span(0, 2**63 - 1))["out.beancount"]
    assert "\n9999-12-30 balance" in ever


def test_beancount_journal_without_postings_is_an_empty_file() -> None:
    assert written(BEANCOUNT, []) == {"out.beancount": "\n"}


@settings(deadline=None)
@given(st.text(st.characters(codec="utf-8"), max_size=30))
def test_beancount_text_with_any_characters_stays_between_its_quotes(name: str) -> None:
    [text] = written(BEANCOUNT, [added_up(("usr_ada", name))]).values()
    heading = text.split("\n")[3]
    payee = heading.removeprefix('2026-10-31 * "').removesuffix('" "AI usage llama, 7 requests"')
    assert payee.replace("\\\\", "").replace('\\"', "").find('"') == -1
    assert not payee.replace("\\\\", "").endswith("\\")


@settings(deadline=None)
@given(st.text(max_size=20))
def test_beancount_component_of_any_text_is_valid(text: str) -> None:
    import re

    assert re.fullmatch(r"[A-Z0-9][A-Za-z0-9-]*", component(text))


def test_beancount_component_of_an_id_keeps_its_letters() -> None:
    assert component("usr_0a1b") == "Usr-0a1b"
