"""From a usage export to an hledger journal: one transaction for each user and day of posting.

softix usage export --from 2026-10-01 --to 2026-11-01 --out october.csv
python import_usage.py october.csv > october.journal
hledger -f october.journal balance
"""

from __future__ import annotations

import csv
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path


def read(path: Path) -> Iterable[Mapping[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def journal(rows: Iterable[Mapping[str, str]]) -> str:
    """Exact: hledger keeps as many decimals as it is given."""
    charges: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for row in rows:
        charges[(row["posted_at"][:10], row["user_id"])] += Decimal(row["charge"])
    entries = (
        f"{day} AI usage of {user}\n    liabilities:prepaid:{user}  {charge:f} USD\n    income:ai  {-charge:f} USD\n"
        for (day, user), charge in sorted(charges.items())
        if charge
    )
    return "\n".join(entries)


if __name__ == "__main__":
    print(journal(read(Path(sys.argv[1]))))
