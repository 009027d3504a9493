from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from support.paying import Paying, paying

from softix_proxy.domain.core.errors import BadInputError
from softix_proxy.domain.ledger.payments import PostingCause
from softix_proxy.domain.reporting.payment_reconciliation import BalanceReportLine
from softix_proxy.operations.reporting.payment_journal import FORMATS, journal

DAY = 20_727  # 2026-10-01
USD = 10**12
CAUSES = {"charge": PostingCause.PAYMENT, "refund": PostingCause.REFUND, "dispute": PostingCause.DISPUTE}


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[Paying]:
    async with paying(tmp_path) as made:
        yield made


def line(
    category: str, cents: int, fee_cents: int = 0, *, intent: str = "", day: int = DAY, name: str = ""
) -> BalanceReportLine:
    return BalanceReportLine(day, intent, CAUSES.get(category), cents, fee_cents * USD // 100, category, name)


async def written(lab: Paying, lines: list[BalanceReportLine], form: str = "hledger", *, opens: bool = False) -> str:
    made = await journal(lab.storage, lines, form, (), opens=opens)
    return b"".join(piece.text for piece in made.pieces).decode()


async def test_fees_and_payouts_of_a_day_are_an_entry_each(lab: Paying) -> None:
    intent = (await lab.paid(2500)).intent_id or ""
    text = await written(
        lab,
        [
            line("charge", 2500, 103, intent=intent),
            line("dispute", -2500, 1500, intent=intent),
            line("fee", -200),
            line("payout", -1000, day=DAY + 1),
            line("payout_reversal", 400, 25, day=DAY + 1),
        ],
    )
    assert text == (
        "commodity 1000.000000000000 USD\n"
        "\naccount assets:cash\naccount expenses:payment fees\n"
        "2026-10-01 * Stripe | fees of payments\n"
        "    assets:cash                            -18.03 USD\n"
        "    expenses:payment fees                   18.03 USD\n"
        "\n2026-10-02 * Stripe | fees of payments\n"
        "    assets:cash                             -0.25 USD\n"
        "    expenses:payment fees                    0.25 USD\n"
        "\naccount assets:bank\n"
        "2026-10-02 * Stripe | payout to the bank\n"
        "    assets:cash                   -6.00 USD\n"
        "    assets:bank                    6.00 USD\n"
    )


async def test_lines_that_are_not_of_softix_are_left_out_and_told_by_their_net_amount(lab: Paying) -> None:
    lines = [line("charge", 900, 56, intent="pi_other"), line("other_adjustment", -70), line("fee", -1)]
    made = await journal(lab.storage, lines, "ledger", (), opens=False)
    assert made.left_out == {"charge": 844 * USD // 100, "other_adjustment": -70 * USD // 100}
    assert (made.fees_pico, made.payouts_pico, made.end_day - made.first_day) == (USD // 100, 0, 1)


async def test_line_in_two_reports_counts_once_and_lines_without_an_id_count_each(lab: Paying) -> None:
    twice, each = line("payout", -500, name="txn_1"), line("fee", -1)
    made = await journal(lab.storage, [twice, twice, each, each], "odoo", (), opens=False)
    assert (made.payouts_pico, made.fees_pico) == (5 * USD, 2 * USD // 100)


@pytest.mark.parametrize("form", FORMATS)
async def test_entry_of_each_format_has_two_sides_and_no_customer(lab: Paying, form: str) -> None:
    text = await written(lab, [line("payout", -123_456)], form)
    assert text.count("1234.56") == 2 and "repaid" not in text and "repayments" not in text
    assert form in ("hledger", "ledger", "beancount") or "SXP261001-1" in text.replace("_", "-")


async def test_beancount_opens_accounts_only_when_it_is_told_to(lab: Paying) -> None:
    lines = [line("payout", -500, 2)]
    assert " open " not in await written(lab, lines, "beancount")
    opened = await written(lab, lines, "beancount", opens=True)
    assert "2026-10-01 open Expenses:Payment-Fees  USD\n" in opened and "open Assets:Bank" in opened
    assert "open Assets:Cash" not in opened, "the exports of usage open it"


@pytest.mark.parametrize(
    ("lines", "form", "names", "said"),
    [
        ([], "hledger", (), "no lines"),
        ([line("fee", -1)], "xero", (), "xero has no journal entries"),
        ([line("fee", -1)], "hledger", ("bank=assets:cash",), "cash and bank are both"),
        ([line("fee", -1)], "hledger", ("rent=x",), "not a name for the books"),
    ],
    ids=["nothing", "invoices", "one name", "no role"],
)
async def test_journal_that_cannot_be_made_says_why(
    lab: Paying, lines: list[BalanceReportLine], form: str, names: tuple[str, ...], said: str
) -> None:
    with pytest.raises(BadInputError, match=said):
        await journal(lab.storage, lines, form, names, opens=False)
