"""Which tax a document has: the categories of EN 16931, what each needs, and what it says where no tax is charged."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from softix_proxy.domain.core.errors import BadInputError

_RATE = re.compile(r"\d{1,2}(?:\.\d{1,4})?", re.ASCII)
_VAT_ID = re.compile(r"[A-Z]{2}[A-Z0-9+*]{2,13}", re.ASCII)
_COUNTRY = re.compile(r"[A-Z]{2}", re.ASCII)


class Category(StrEnum):
    """Codes of UNTDID 5305, as EN 16931 has them."""

    STANDARD = "S"
    ZERO_RATED = "Z"
    EXEMPT = "E"
    REVERSE_CHARGE = "AE"
    EXPORT = "G"
    OUTSIDE = "O"


@dataclass(frozen=True, slots=True)
class Rule:
    """What a category asks for and says."""

    name: str
    reason: str = ""
    """Why there is no tax, where nothing else was said; empty where the operator has to say it, or none is due."""
    reason_code: str = ""
    """Of the list VATEX."""
    taxed: bool = False
    """Has a rate above zero."""
    explained: bool = True
    """A reason has to stand on the document."""
    seller_vat_id: bool = True
    buyer_vat_id: bool = False


RULES: Mapping[Category, Rule] = {
    Category.STANDARD: Rule("standard rate", taxed=True, explained=False),
    Category.ZERO_RATED: Rule("zero rated", explained=False),
    Category.EXEMPT: Rule("exempt"),
    Category.REVERSE_CHARGE: Rule(
        "reverse charge",
        "Reverse charge: the recipient is liable for the tax (Article 196, Directive 2006/112/EC)",
        "VATEX-EU-AE",
        buyer_vat_id=True,
    ),
    Category.EXPORT: Rule("export", "Supplied outside the territory in which the tax is levied", "VATEX-EU-G"),
    Category.OUTSIDE: Rule("not subject to tax", "Not subject to tax", "VATEX-EU-O", seller_vat_id=False),
}


@dataclass(frozen=True, slots=True)
class Treatment:
    """What applies to one customer."""

    category: Category
    rate: Decimal
    """In percent; zero for every category but the standard one."""
    reason: str = ""
    reason_code: str = ""

    @classmethod
    def of(cls, category: Category, rate: Decimal, reason: str = "") -> Treatment:
        """Raises BadInputError for a standard rate of zero, and for an exemption without its reason."""
        rule = RULES[category]
        if rule.taxed and not rate:
            raise BadInputError(
                "the standard category has a rate above zero",
                "set billing.tax_rate, or softix bill customer USER --tax-rate 19",
            )
        told = reason or rule.reason
        if rule.explained and not told:
            raise BadInputError(
                f"tax category {category.value} ({rule.name}) needs its reason",
                "set billing.tax_reason, or softix bill customer USER --tax-reason TEXT",
            )
        # A code stands for the usual reason: another text is not what it says.
        code = rule.reason_code if told == rule.reason else ""
        return cls(category, rate if rule.taxed else Decimal(0), told if rule.explained else "", code)

    @property
    def rule(self) -> Rule:
        return RULES[self.category]


def parse_category(text: str) -> Category:
    try:
        return Category(text.upper())
    except ValueError:
        known = ", ".join(f"{category.value} ({rule.name})" for category, rule in RULES.items())
        raise BadInputError(f"not a tax category: {text!r}", f"one of: {known}") from None


def parse_rate(text: str) -> Decimal:
    """`'19'` percent; below 100, at most four decimals. Raises BadInputError."""
    if not _RATE.fullmatch(text.strip()):
        raise BadInputError(f"not a tax rate: {text!r}", "write percent as a plain decimal, for example 19 or 7.7")
    return Decimal(text.strip())


def parse_vat_id(text: str) -> str:
    """Without the spaces and dots that people write into it. Raises BadInputError."""
    bare = re.sub(r"[\s.-]", "", text).upper()
    if not _VAT_ID.fullmatch(bare):
        raise BadInputError(f"not a VAT id: {text!r}", "it begins with the country, for example DE123456789")
    return bare


def parse_country(text: str) -> str:
    """Two letters, as in ISO 3166. Raises BadInputError."""
    code = text.strip().upper()
    if not _COUNTRY.fullmatch(code):
        raise BadInputError(f"not a country: {text!r}", "write its two letters, for example DE")
    return code
