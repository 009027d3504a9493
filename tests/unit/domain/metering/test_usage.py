from dataclasses import MISSING, fields
from typing import Any

import pytest

from softix_proxy.domain.metering.usage import (
    EVERY_ROW,
    MOST_SCANNED,
    AttemptRow,
    Correction,
    ExportLines,
    UsageFilter,
    UsageRow,
    UsageSource,
    UsageTotal,
    add_up,
)


def test_usage_sources_are_the_stored_words() -> None:
    expected = ["provider", "partial", "estimate", "interrupted", "none", "correction"]
    assert [str(source) for source in UsageSource] == expected


def test_add_up_of_usage_totals_returns_one_total() -> None:
    totals = [UsageTotal("a", "a", 3, 1, 1500, 25, 2, 4), UsageTotal("b", "b", 4, 1, 1500, 25, 3, 6)]
    assert add_up(totals) == UsageTotal("total", "total", 7, 2, 3000, 50, 5, 10)
    assert add_up([], "none") == UsageTotal("none", "none", 0, 0, 0, 0, 0, 0)


@pytest.mark.parametrize(
    ("record", "defaults"),
    [
        (UsageRow, {"corrects_row_id": None, "fee_pico": 0, "cost_price_id": None, "tags": "", "end_user": ""}),
        (AttemptRow, {"cost_price_id": None}),
        (Correction, {"fee_pico": 0, "cost_price_id": None}),
        (
            UsageFilter,
            {
                "span": None,
                "user_id": None,
                "key_id": None,
                "key_ids": None,
                "model_ids": None,
                "errors_only": False,
                "statuses": (),
                "tags": (),
                "end_user": None,
            },
        ),
    ],
)
def test_usage_record_with_required_fields_only_has_the_expected_defaults(
    record: Any, defaults: dict[str, Any]
) -> None:
    found = {field.name: field.default for field in fields(record) if field.default is not MISSING}
    assert found == defaults
    assert all(type(found[name]) is type(value) for name, value in defaults.items()), "0 is no False"


def test_lines_of_an_export_in_one_file_have_no_file_name_and_no_sums() -> None:
    lines = ExportLines(b"", 0, 0, 0)
    assert (lines.file, lines.sums) == ("", None)


def test_part_of_a_users_rows_passes_at_most_four_hundred_thousand_of_all() -> None:
    assert MOST_SCANNED == 400_000


def test_filter_of_every_row_leaves_none_out() -> None:
    assert UsageFilter() == EVERY_ROW
    assert all(getattr(EVERY_ROW, each.name) in (None, False, ()) for each in fields(UsageFilter))
