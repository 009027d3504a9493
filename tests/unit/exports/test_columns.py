from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from softix_proxy.domain.usage import METERS, Source, UsageRow
from softix_proxy.exports.columns import COLUMNS, fields, format_factor

ROW = UsageRow(
    id=1_790_812_800_000_001,
    request_id=1 << 22,
    usage_at_us=1_790_812_799_000_000,
    user_id=1,
    user_public_id="usr_ada",
    user_name="ada",
    key_public_id="key_one",
    key_prefix="sx_live_one",
    provider="lab",
    model_id=2,
    model="llama",
    model_served=None,
    endpoint="/v1/messages",
    stream=True,
    meters={"input_tokens": 12, "output_tokens": 0},
    service_tier="standard",
    price_id=7,
    markup=Fraction(43, 40),
    cost_pico=1,
    charge_pico=25 * 10**12,
    hold_pico=0,
    status_code=200,
    error=None,
    latency_ms=80,
    ttfb_ms=None,
    attempts=1,
    source=Source.PROVIDER,
    note=None,
)


def test_names_and_order_are_what_importers_rely_on() -> None:
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
        *("usage_source", "attempts", "note", "corrects_row_id"),
    ]


def test_fields_of_a_row() -> None:
    shown = fields(ROW)
    assert shown["posted_at"] == "2026-10-01T00:00:00.000001Z"
    assert shown["request_id"] == "req_0000000040000"
    assert (shown["provider_cost"], shown["charge"], shown["currency"]) == ("0.000000000001", "25.00", "USD")
    assert (shown["input_tokens"], shown["output_tokens"], shown["reasoning_tokens"]) == (12, 0, None)
    assert (shown["markup"], shown["stream"], shown["usage_source"]) == ("1.075", True, "provider")
    assert fields(replace(ROW, error="provider_timeout"))["error"] == "provider_timeout"


@given(st.integers(0, 101 * 10**8))
def test_factors_are_exact_and_short(hundred_millionths: int) -> None:
    factor = Fraction(hundred_millionths, 10**8)
    written = format_factor(factor)
    assert Fraction(Decimal(written)) == factor
    assert "E" not in written
    assert not ("." in written and written.endswith("0"))
