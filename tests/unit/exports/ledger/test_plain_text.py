import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.posted import BOB, added_up, paid, posting, written

from softix_proxy.exports.ledger.plain_text import component, one_line
from softix_proxy.exports.reporting.formats import FORMS

HLEDGER = FORMS["hledger"]


def test_journal_entry_of_a_charge_is_written_in_full() -> None:
    [text] = written(HLEDGER, [posting()]).values()
    assert text == (
        "commodity 1000.000000000000 USD\n\naccount liabilities:prepaid:usr_ada\naccount income:ai\n"
        "2026-10-05 * (req_0000000040000) ada | AI usage llama\n"
        "    ; posted_at: 2026-10-05T12:00:00.000007Z\n"
        "    ; usage_at: 2026-10-05T11:59:57.000000Z\n"
        "    liabilities:prepaid:usr_ada                   0.015 USD\n"
        "    income:ai                                    -0.015 USD\n"
    )


def test_journal_with_costs_writes_an_expense_and_a_liability() -> None:
    [text] = written(HLEDGER, [posting()], costs=True).values()
    sides = [line.split() for line in text.splitlines() if line.startswith("    ") and ";" not in line]
    assert sides[2:] == [["expenses:ai:lab", "0.01", "USD"], ["liabilities:providers:lab", "-0.01", "USD"]]


def test_journal_with_a_posting_of_zero_writes_no_entry() -> None:
    [text] = written(HLEDGER, [posting(wallet_pico=0)]).values()
    assert text == "commodity 1000.000000000000 USD\n"


def test_journal_with_several_postings_declares_each_account_once() -> None:
    [text] = written(HLEDGER, [posting(), posting(BOB), added_up()]).values()
    assert text.count("account income:ai\n") == text.count("account liabilities:prepaid:usr_bob\n") == 1


def test_journal_with_given_account_names_uses_them() -> None:
    [text] = written(HLEDGER, [posting()], names=["wallets=Schulden:Guthaben", "revenue=Erlöse"]).values()
    assert "    Schulden:Guthaben:usr_ada " in text and "    Erlöse  " in text


def test_journal_with_syntax_in_a_name_or_note_replaces_it() -> None:
    names = {
        ";x": ",x",
        "a  ;b": "a ,b",
        "a|b": "a/b",
        "(c) *x": "c) *x",
        "=2020-01-01 x": "2020-01-01 x",
        "\n* y": "y",
        "!": "usr_ada",
    }
    for name, shown in names.items():
        [text] = written(HLEDGER, [added_up(("usr_ada", name))]).values()
        heading = next(line for line in text.splitlines() if line.startswith("2026"))
        assert heading == f"2026-10-31 * {shown} | AI usage llama, 7 requests"
    [text] = written(HLEDGER, [paid(reference="pi_(1) ;2\n3", note="a; b | c")]).values()
    assert "2026-10-05 * (pi_[1] ,2 3) ada | top-up: a, b / c\n" in text


@settings(deadline=None)
@given(st.text(st.characters(codec="utf-8"), max_size=30), st.text(st.characters(codec="utf-8"), max_size=30))
def test_journal_with_any_text_adds_no_line_and_no_comment(name: str, note: str) -> None:
    [text] = written(HLEDGER, [paid(("usr_ada", name), note=note, reference=note)]).values()
    lines = text.split("\n")
    assert len(lines) == len(text.splitlines()) + 1 == 8
    assert ";" not in text and "  " not in lines[4].strip() and lines[4].count("|") == 1


@pytest.mark.parametrize(
    ("text", "part"), [("lab", "lab"), ("a:b  c;=x", "a-b-c-x"), ("@old", "old"), (":", "unknown")]
)
def test_account_component_with_special_characters_is_cleaned(text: str, part: str) -> None:
    assert component(text) == part


def test_one_line_with_breaks_and_control_characters_returns_plain_text() -> None:
    assert one_line(" a\u2028\x85b\t\x00 c ") == "a b c"
