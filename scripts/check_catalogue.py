"""Compares the shipped catalogue with LiteLLM's price list, and fails at a difference that nobody has looked at.

    python scripts/check_catalogue.py --litellm WHEEL             fail unless each difference is in the reviewed file
    python scripts/check_catalogue.py --litellm WHEEL --missing   print what is not in it, as lines for it

The reviewed file is scripts/catalogue/differences.csv: model, field, ours, theirs, decision, reason. A line holds for
just these two values: where one changes, the difference is new. What is no difference any more has to go, too.

A price that they have and we have not is a difference. One that we have and they have not is none: they are silent.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from catalogue.litellm import Entry, LiteLLM  # noqa: E402
from catalogue.sections import load  # noqa: E402

from softix_proxy.domain.pricing.meters import METERS  # noqa: E402
from softix_proxy.domain.pricing.rates import PRICE_KEYS, STANDARD  # noqa: E402

REVIEWED = Path(__file__).resolve().parent / "catalogue" / "differences.csv"
SHIPPED = ROOT / "softix_proxy" / "data" / "catalogue"
NONE = "-"


class Difference(NamedTuple):
    model: str
    """`section/name`."""
    field: str
    """`price key`, with `@tier` and `>tokens` where it is not the standard tier from zero tokens on."""
    ours: str
    theirs: str


def ours(sheet: Mapping[str, Any]) -> dict[tuple[str, int], dict[str, Decimal]]:
    """(Tier, above so many tokens) → prices."""
    return {
        (band.get("service_tier", STANDARD), band.get("above_input_tokens", 0)): {
            key: Decimal(price) for key, price in band["prices"].items()
        }
        for band in sheet.get("bands", ())
    }


def applied(bands: Mapping[tuple[str, int], Mapping[str, Decimal]], tier: str, above: int, key: str) -> Decimal | None:
    """What a request of that tier and size pays us, by the same rules as in the books; None where there is no tier."""
    reached = [start for known, start in bands if known == tier and start <= above + 1]  # theirs may be off by one
    if not reached:
        return None
    prices = bands[(tier, max(reached))]
    name: str | None = PRICE_KEYS[key]
    while name is not None:
        if METERS[name].price_key in prices:
            return prices[METERS[name].price_key]
        name = METERS[name].fallback
    return None


def differences(model: str, sheet: Mapping[str, Any], entry: Entry) -> Iterator[Difference]:
    bands = ours(sheet)
    for tier, above, key, theirs in entry.prices():
        mine = applied(bands, tier, above, key)
        if mine != theirs and (mine is not None or theirs):
            place = (f"@{tier}" if tier != STANDARD else "") + (f">{above}" if above else "")
            yield Difference(model, key + place, _text(mine), _text(theirs))


def _text(price: Decimal | None) -> str:
    return NONE if price is None else format(price.normalize(), "f")


def found(litellm: LiteLLM) -> tuple[set[Difference], int]:
    """Every difference, and how many models both lists have."""
    seen: set[Difference] = set()
    shared = 0
    for section in load():
        for line in (SHIPPED / f"{section.name}.jsonl").read_text("utf-8").splitlines():
            row = json.loads(line)
            entry = litellm.find(section, row["name"])
            if entry is not None:
                shared += 1
                seen.update(differences(f"{section.name}/{row['name']}", row["sheet"], entry))
    return seen, shared


def reviewed() -> dict[Difference, tuple[str, str]]:
    with REVIEWED.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    if any(row["decision"] not in ("ours", "theirs") or not row["reason"] for row in rows):
        raise SystemExit(f"{REVIEWED.name}: a line without a decision (ours, theirs) or a reason")
    return {
        Difference(row["model"], row["field"], row["ours"], row["theirs"]): (row["decision"], row["reason"])
        for row in rows
    }


def main() -> int:
    parser = argparse.ArgumentParser(description="Compares the catalogue with LiteLLM's price list.")
    parser.add_argument("--litellm", type=Path, required=True, help="LiteLLM's wheel: pip download --no-deps litellm")
    parser.add_argument("--missing", action="store_true", help="print what is not reviewed, as CSV")
    asked = parser.parse_args()
    seen, shared = found(LiteLLM(asked.litellm))
    known = reviewed()
    new, gone = sorted(seen - known.keys()), sorted(known.keys() - seen)
    if asked.missing:
        csv.writer(sys.stdout).writerows([*difference, "", ""] for difference in new)
        return 0
    for word, listed in (("not reviewed", new), ("reviewed, and no difference any more", gone)):
        for difference in listed:
            print(f"{word}: {' '.join(difference)}")
    theirs = [difference for difference in seen & known.keys() if known[difference][0] == "theirs"]
    for difference in theirs:
        print(f"to be taken over in sections.toml: {' '.join(difference)}")
    print(f"{shared} models are in both lists; {len(seen)} prices differ, {len(seen) - len(new)} of them reviewed")
    return 1 if new or gone or theirs else 0


if __name__ == "__main__":
    raise SystemExit(main())
