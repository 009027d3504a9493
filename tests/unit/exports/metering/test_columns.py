from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st
from support.posted import ROW

from softix_proxy.domain.pricing.meters import METERS
from softix_proxy.exports.metering.columns import COLUMNS, fields, format_factor


def test_usage_columns_have_their_documented_names_and_order() -> None:
    assert [column.name for column in COLUMNS] == [
        *("row_id", "posted_at", "usage_at", "request_id", "user_id", "user_name", "key_id", "key_prefix"),
        *("provider", "model", "model_served", "endpoint", "stream", *METERS, "service_tier", "price_version"),
        *(
            "markup",
            "request_fee",
            "provider_cost",
            "charge",
            "currency",
            "status_code",
            "error",
            "latency_ms",
            "ttfb_ms",
        ),
        *("usage_source", "attempts", "note", "corrects_row_id", "tags", "end_user"),
    ]


def test_usage_row_fields_are_formatted_by_column() -> None:
    shown = fields(ROW)
    assert shown["posted_at"] == "2026-10-01T00:00:00.000001Z"
    assert shown["request_id"] == "req_0000000040000"
    assert (shown["provider_cost"], shown["charge"], shown["currency"]) == ("0.000000000001", "25.00", "USD")
    assert (shown["input_tokens"], shown["output_tokens"], shown["reasoning_tokens"]) == (12, 0, None)
    assert (shown["markup"], shown["stream"], shown["usage_source"]) == ("1.075", True, "provider")
    assert fields(replace(ROW, error="provider_timeout"))["error"] == "provider_timeout"


@given(st.integers(0, 101 * 10**8))
def test_format_factor_with_any_fraction_is_exact_and_short(hundred_millionths: int) -> None:
    factor = Fraction(hundred_millionths, 10**8)
    written = format_factor(factor)
    assert Fraction(Decimal(written)) == factor
    assert "E" not in written
    assert not ("." in written and written.endswith("0"))
