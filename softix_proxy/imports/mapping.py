"""Reads an operator's mapping of a bill's columns and models, in TOML.

    [columns]
    date = "Day"
    model = "Model"
    amount = "Cost"            # or tokens alone, to compare those
    currency = "Currency"      # left out: the file is in US dollars
    tokens = ["In", "Out"]     # added up
    divisor = 100              # amounts are cents
    [only]
    Service = ["AI *"]         # other rows are left out
    [models]
    "Chat Large*" = "gpt-4o"   # what the bill calls it = what softix calls it

`[columns]` defines a format of its own. `[only]` and `[models]` alone apply to any other format. Patterns may have `*`
and `?`. Upper and lower case are the same.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, BinaryIO

from softix_proxy.domain.core.errors import BadInputError
from softix_proxy.imports.forms import ColumnNames, CsvBillLayout

MOST_FILE_BYTES = 1 << 20
_COLUMNS = ("date", "model", "amount", "currency", "tokens", "divisor")
_TABLES = ("columns", "only", "models")


@dataclass(frozen=True, slots=True)
class BillMapping:
    """The content of a mapping file."""

    form: CsvBillLayout | None = None
    only: Mapping[str, ColumnNames] = field(default_factory=dict)
    """Column in lower case → patterns. A row must fit one of them."""
    models: Mapping[str, str] = field(default_factory=dict)
    """Pattern in lower case → the model's name in softix."""

    def model(self, name: str) -> str:
        return next((model for pattern, model in self.models.items() if fnmatchcase(name.lower(), pattern)), name)


def read(file: BinaryIO, name: str) -> BillMapping:
    """Reads a mapping file. Raises BadInputError if the file is not one."""
    raw = file.read(MOST_FILE_BYTES + 1)
    try:
        data = tomllib.loads(raw.decode()) if len(raw) <= MOST_FILE_BYTES else None
    except (UnicodeDecodeError, RecursionError):
        data = None
    except (tomllib.TOMLDecodeError, ValueError) as error:
        raise BadInputError(f"{name}: not TOML ({error})", _REMEDY) from None
    if data is None:
        raise BadInputError(f"{name}: not TOML", _REMEDY)
    _known(data, _TABLES, name)
    columns, only, models = (_table(data.get(key, {}), name, key) for key in _TABLES)
    return BillMapping(
        _form(columns, name) if columns else None,
        {key.strip().lower(): _texts(value, name, f"only.{key}") for key, value in only.items()},
        {key.lower(): _texts(value, name, f"models.{key}")[0] for key, value in models.items()},
    )


_REMEDY = 'it needs at least: [columns] date = "…" and amount = "…" (or tokens), or [models]'


def _form(columns: Mapping[str, Any], name: str) -> CsvBillLayout:
    _known(columns, _COLUMNS, name)
    found = {key: _texts(columns[key], name, f"columns.{key}") for key in _COLUMNS[:-1] if key in columns}
    if "date" not in found or not ("amount" in found or "tokens" in found):
        raise BadInputError(f"{name}: a column is missing", _REMEDY)
    divisor = columns.get("divisor", 1)
    if isinstance(divisor, bool) or not isinstance(divisor, int) or not 1 <= divisor <= 10**12:
        raise BadInputError(f"{name}: columns.divisor is not a whole number from 1", _REMEDY)
    return CsvBillLayout(
        title=name,
        divisor=divisor,
        date=found["date"],
        model=found.get("model", ()),
        amount=found.get("amount", ()),
        currency=found.get("currency", ()),
        tokens=found.get("tokens", ()),
    )


def _known(data: Mapping[str, Any], keys: ColumnNames, name: str) -> None:
    for key in data:
        if key not in keys:
            raise BadInputError(f"{name}: unknown {key!r}", f"one of: {', '.join(keys)}")


def _table(data: object, name: str, key: str) -> Mapping[str, Any]:
    if not isinstance(data, dict):
        raise BadInputError(f"{name}: {key} is not a table", _REMEDY)
    return data


def _texts(value: object, name: str, key: str) -> tuple[str, ...]:
    """Returns one text or several. They are in lower case, except a model's name."""
    texts = [text for text in (value if isinstance(value, list) else [value]) if isinstance(text, str) and text.strip()]
    if not texts or (isinstance(value, list) and len(texts) < len(value)):
        raise BadInputError(f"{name}: {key!r} is not a text, or a list of texts", _REMEDY)
    return tuple(text.strip() if key.startswith("models.") else text.strip().lower() for text in texts)
