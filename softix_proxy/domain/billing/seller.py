"""The seller's data for every document, as they are configured."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Literal

from softix_proxy.domain.billing import taxes
from softix_proxy.domain.billing.taxes import Category, Treatment
from softix_proxy.domain.core.calendar import checked_zone
from softix_proxy.domain.core.config import setting as _setting
from softix_proxy.domain.core.errors import BadInputError

if TYPE_CHECKING:
    from softix_proxy.domain.billing.bill import Customer, DocumentKind, Party

_NAMES = re.compile(r"(?:[A-Za-z0-9._-]|\{year\})*(?:[A-Za-z._-]|\{year\}[A-Za-z._-]+)", re.ASCII)
_ACCOUNT = re.compile(r"[A-Z]{2}\d{2}[A-Z0-9]{10,30}", re.ASCII)


class BuyerUnknownError(BadInputError):
    """Something about the buyer is missing that a document needs to say."""


def parse_series(text: str) -> str:
    """Checks the text before a number, in which `{year}` is the year of issue. Raises BadInputError."""
    if len(text) > 32 or not _NAMES.fullmatch(text):
        raise BadInputError(f"not a series: {text!r}", "write letters, digits, - _ . and {year}, such as INV-{year}-")
    return text


def parse_iban(text: str) -> str:
    """Returns the IBAN without spaces. Raises BadInputError if the check digits are wrong."""
    bare = text.replace(" ", "").upper()
    if _ACCOUNT.fullmatch(bare):
        digits = "".join(str(int(letter, 36)) for letter in bare[4:] + bare[:4])
        if int(digits) % 97 == 1:
            return bare
    raise BadInputError(f"not an IBAN: {text!r}", "compare it with the bank's letter")


_ZONE = {"item": checked_zone, "words": "an IANA name of a time zone, such as Europe/Berlin"}
_COUNTRY = {"item": taxes.parse_country, "words": "a country's two letters"}
_VAT_ID = {"item": taxes.parse_vat_id, "words": "a VAT id such as DE123456789"}
_RATE = {"item": taxes.parse_rate, "words": 'percent as text, such as "19"'}
_IBAN = {"item": parse_iban, "words": "an IBAN"}
_SERIES = {"item": parse_series, "words": "letters, digits, - _ . and {year}, and no digit at the end"}


@dataclass(frozen=True, slots=True)
class Billing:
    """Sets where periods begin, who issues invoices, statements and receipts, and how they are taxed."""

    zone: str = _setting(
        "UTC",
        "The time zone in which days begin (periods, caps, summaries, dates): an IANA name such as Europe/Berlin.",
        restart=True,
        **_ZONE,
    )
    seller_name: str | None = _setting(
        None, "The name of the seller. Without it, nothing is issued.", example="Example GmbH"
    )
    seller_address: tuple[str, ...] = _setting(
        (), "The lines of the address above the city: street, number and others."
    )
    seller_postcode: str | None = _setting(None, "The postal code.", example="10115")
    seller_city: str | None = _setting(None, "The city.", example="Berlin")
    seller_country: str | None = _setting(None, "The country: two letters, ISO 3166.", example="DE", **_COUNTRY)
    seller_vat_id: str | None = _setting(None, "The VAT id, with the country first.", example="DE123456789", **_VAT_ID)
    seller_tax_id: str | None = _setting(
        None, "The number that the tax office gave, if there is no VAT id.", example="29/815/08150"
    )
    seller_registration: str | None = _setting(None, "The number in the register of companies.", example="HRB 12345")
    seller_email: str | None = _setting(
        None, "The e-mail address for questions about a bill.", example="billing@example.org"
    )
    iban: str | None = _setting(None, "The IBAN to which customers pay.", example="DE02120300000000202051", **_IBAN)
    payment_days: int = _setting(30, "The number of days until an invoice is due.", least=0, most=365)
    tax_category: Literal["S", "Z", "E", "AE", "G", "O"] = _setting(
        "O",
        "The tax category for customers without one (EN 16931): S standard, Z zero, E exempt, O not subject to tax.",
    )
    tax_rate: str = _setting("0", "The tax rate for category S, in percent.", **_RATE)
    tax_reason: str | None = _setting(
        None, "The reason why category E or O is not taxed.", example="VAT exempt, small business"
    )
    invoice_series: str = _setting("INV-{year}-", "The text before the number of an invoice.", **_SERIES)
    statement_series: str = _setting("STM-{year}-", "The text before the number of a statement.", **_SERIES)
    credit_note_series: str = _setting("CRN-{year}-", "The text before the number of a credit note.", **_SERIES)
    receipt_series: str = _setting("RCT-{year}-", "The text before the number of a receipt.", **_SERIES)
    pdf_font: Path | None = _setting(  # noqa: RUF009
        None, "A TrueType font for PDFs, for scripts that Roboto lacks.", example="NotoSans-Regular.ttf"
    )
    pdf_font_bold: Path | None = _setting(None, "The bold font of pdf_font.", example="NotoSans-Bold.ttf")  # noqa: RUF009

    @property
    def party(self) -> Party:
        from softix_proxy.domain.billing.bill import Party

        return Party(
            name=self.seller_name or "",
            address=self.seller_address,
            postcode=self.seller_postcode or "",
            city=self.seller_city or "",
            country=taxes.parse_country(self.seller_country) if self.seller_country else "",
            vat_id=taxes.parse_vat_id(self.seller_vat_id) if self.seller_vat_id else "",
            tax_id=self.seller_tax_id or "",
            registration_id=self.seller_registration or "",
            email=self.seller_email or "",
        )

    def series(self, kind: DocumentKind, year: int) -> str:
        series: str = getattr(self, f"{kind.name.lower()}_series")
        return series.replace("{year}", f"{year:04d}")

    def treatment(self, customer: Customer) -> Treatment:
        """Returns how a customer is taxed. Raises BadInputError if the configuration is incomplete."""
        category = customer.category or Category(self.tax_category)
        rate = taxes.parse_rate(self.tax_rate) if customer.rate is None else customer.rate
        return Treatment.of(category, rate, customer.reason or self._reason_of(category))

    def _reason_of(self, category: Category) -> str:
        """Returns the configured reason if the category is the configured one."""
        return (self.tax_reason or "") if category is Category(self.tax_category) else ""

    def require(self, treatment: Treatment | None) -> None:
        """Raises BadInputError if something is not configured that a document needs to say about the seller.

        `treatment` is None if no tax is stated.
        """
        for name in self._missing(treatment):
            raise BadInputError(f"the seller has no {name.removeprefix('seller_')}", f"set billing.{name}")

    def _missing(self, treatment: Treatment | None) -> Iterator[str]:
        if not self.seller_name:
            yield "seller_name"
        if treatment is None:
            return
        if not self.seller_country:
            yield "seller_country"
        if treatment.rule.seller_vat_id and not self.seller_vat_id:
            yield "seller_vat_id"
        if not (self.seller_vat_id or self.seller_tax_id or self.seller_registration):
            yield "seller_registration"


def require_buyer(user: str, buyer: Party, treatment: Treatment) -> None:
    """Raises BuyerUnknownError if something about a customer is unknown that an invoice needs to say."""
    missing = "" if buyer.country else "--country"
    if treatment.rule.buyer_vat_id and not buyer.vat_id:
        missing = missing or "--vat-id"
    if missing:
        raise BuyerUnknownError(
            f"an invoice needs more about {user}: {missing.lstrip('-')}",
            f"softix bill customer {quote(user)} {missing} …",
        )
