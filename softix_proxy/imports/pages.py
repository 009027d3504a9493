"""Reads JSON bills: pages of buckets, with one bucket for each day and results in it.

OpenAI and Anthropic share this shape.

A file is one page, or a list of the pages in order. It is decoded as a whole, which its size limit permits.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, BinaryIO, NamedTuple

from softix_proxy.domain.core.errors import BadInputError
from softix_proxy.domain.reporting.reconciliation import ProviderBillLine
from softix_proxy.imports import values

MOST_FILE_BYTES = 64 << 20


class Bucket(NamedTuple):
    day: int


@dataclass(frozen=True, slots=True)
class Pages:
    """A kind of JSON bill."""

    title: str
    start: str
    """The bucket's member for its start."""
    end: str
    line: Callable[[dict[str, Any], Bucket, values.FilePosition], ProviderBillLine]

    def lines(self, pages: list[dict[str, Any]], name: str) -> Iterator[ProviderBillLine]:
        """Yields one line for each result. Raises BadInputError, also if pages are missing."""
        number = 0
        for page in pages:
            for bucket in _dicts(page.get("data"), name, number + 1, "data"):
                place = values.FilePosition(name, number + 1, self.start)
                day = values.day(bucket.get(self.start), place)
                values.require_within_a_day(bucket.get(self.start), bucket.get(self.end), place)
                for result in _dicts(bucket.get("results"), name, number + 1, "results"):
                    number += 1
                    yield self.line(result, Bucket(day), values.FilePosition(name, number))
        if pages and pages[-1].get("has_more"):
            raise BadInputError(
                f"{name}: there are more pages", "fetch them all, and put them in one list: [page, page]"
            )


def read(file: BinaryIO, name: str) -> list[dict[str, Any]]:
    """Returns the pages of a file. Raises BadInputError."""
    raw = file.read(MOST_FILE_BYTES + 1)
    if len(raw) > MOST_FILE_BYTES:
        raise BadInputError(f"{name} is larger than {MOST_FILE_BYTES >> 20} MiB", "export fewer days at once")
    try:
        data = json.loads(raw.decode("utf-8-sig"), parse_float=_decimal, parse_int=_whole, parse_constant=_refuse)
    except UnicodeDecodeError:
        raise BadInputError(f"{name}: not UTF-8", "export it again") from None
    except json.JSONDecodeError as error:
        raise BadInputError(
            f"{name}, line {error.lineno}, column {error.colno}: not JSON ({error.msg})", "export it again"
        ) from None
    except (ValueError, RecursionError):
        raise BadInputError(f"{name}: not a bill in JSON", "export it again, and do not edit it") from None
    return list(_dicts(data if isinstance(data, list) else [data], name, 1, "data"))


def first_result(pages: list[dict[str, Any]]) -> dict[str, Any]:
    """Returns the first result together with its bucket's own fields. They show which kind of bill it is."""
    for page in pages:
        for bucket in page["data"] if isinstance(page.get("data"), list) else ():
            if isinstance(bucket, dict) and isinstance(bucket.get("results"), list):
                for result in bucket["results"]:
                    if isinstance(result, dict):
                        return {**bucket, **result}
    return {}


def _dicts(found: object, name: str, row: int, column: str) -> Iterator[dict[str, Any]]:
    place = values.FilePosition(name, row, column)
    if not isinstance(found, list):
        raise place.wrong("a list is expected")
    for item in found:
        if not isinstance(item, dict):
            raise place.wrong("an object is expected")
        yield item


def _decimal(text: str) -> Decimal:
    if len(text) > values.MOST_CHARACTERS:
        raise ValueError
    try:
        return Decimal(text)
    except InvalidOperation:  # its exponent is beyond what a Decimal has
        raise ValueError from None


def _whole(text: str) -> int:
    if len(text) > values.MOST_CHARACTERS:
        raise ValueError
    return int(text)


def _refuse(text: str) -> object:
    raise ValueError
