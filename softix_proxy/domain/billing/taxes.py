"""The tax of a document: the categories of EN 16931, their requirements, and their texts if no tax is charged."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from softix_proxy.domain.core.errors import BadInputError

_MOST_SHOWN = 40
"""The letters of a wrong text that its remedy repeats."""
_RATE = re.compile(r"\d{1,2}(?:\.\d{1,4})?", re.ASCII)
_VAT_ID = re.compile(r"[A-Z]{2}[A-Z0-9+*]{2,13}", re.ASCII)
_COUNTRY = re.compile(r"[A-Z]{2}", re.ASCII)


class Category(StrEnum):
    """The codes of UNTDID 5305, as EN 16931 uses them."""

    STANDARD = "S"
    ZERO_RATED = "Z"
    EXEMPT = "E"
    REVERSE_CHARGE = "AE"
    EXPORT = "G"
    OUTSIDE = "O"


@dataclass(frozen=True, slots=True)
class Rule:
    """The requirements and the texts of a category."""

    name: str
    reason: str = ""
    """The reason without tax, unless another is given.

    It is empty if the operator has to give it, or if none is needed.
    """
    reason_code: str = ""
    """The code of the reason in the list VATEX."""
    taxed: bool = False
    """Whether the category has a rate above zero."""
    explained: bool = True
    """Whether the document must state a reason."""
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
    """The tax treatment of one customer."""

    category: Category
    rate: Decimal
    """The rate in percent. It is zero for every category except the standard one."""
    reason: str = ""
    reason_code: str = ""

    @classmethod
    def of(cls, category: Category, rate: Decimal, reason: str = "") -> Treatment:
        """Checks and completes a treatment.

        Raises BadInputError for a standard rate of zero, and for an exemption without its reason.
        """
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
        # A code means the usual reason, so another text has no code.
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
    """Parses `'19'` percent. It is below 100 and has at most four decimals. Raises BadInputError for anything else."""
    if not _RATE.fullmatch(text.strip()):
        raise BadInputError(f"not a tax rate: {text!r}", "write percent as a plain decimal, for example 19 or 7.7")
    return Decimal(text.strip())


def parse_vat_id(text: str) -> str:
    """Returns a VAT id without the spaces and dots that people write into it. Raises BadInputError."""
    bare = re.sub(r"[\s.-]", "", text).upper()
    if not _VAT_ID.fullmatch(bare):
        raise BadInputError("a VAT id begins with its country, such as DE123456789", f"change {text[:_MOST_SHOWN]!r}")
    return bare


def parse_country(text: str) -> str:
    """Returns the country's two letters, as in ISO 3166. Raises BadInputError."""
    code = text.strip().upper()
    if not _COUNTRY.fullmatch(code):
        raise BadInputError("a country is written with its two letters, such as DE", f"change {text[:_MOST_SHOWN]!r}")
    return code
