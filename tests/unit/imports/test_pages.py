import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softix_proxy.domain.core.errors import BadInputError
from softix_proxy.domain.reporting.reconciliation import ProviderBillLine
from softix_proxy.imports import pages
from softix_proxy.imports.openai_bill import COSTS_JSON

DAY_S = 1790812800


def page(*results: Any, more: bool = False, start: Any = DAY_S, end: Any = DAY_S + 86_400) -> dict[str, Any]:
    return {"data": [{"start_time": start, "end_time": end, "results": list(results)}], "has_more": more}


def cost(value: Any, currency: Any = "usd") -> dict[str, Any]:
    return {"amount": {"value": value, "currency": currency}, "line_item": None}


def lines(data: Any) -> list[ProviderBillLine]:
    raw = data if isinstance(data, bytes) else json.dumps(data).encode()
    return list(COSTS_JSON.lines(pages.read(io.BytesIO(raw), "f.json"), "f.json"))


def test_pages_in_a_list_are_read_in_order() -> None:
    read = lines([page(cost("1"), more=True), page(cost(2), cost("3e-1"))])
    assert [line.amount_pico for line in read] == [10**12, 2 * 10**12, 3 * 10**11]


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (page(cost("1"), more=True), "f.json: there are more pages"),
        (page(cost("1"), cost("1,000")), "f.json, row 2, column 'amount.value': not an amount: '1,000'"),
        (page(cost("1", "eur")), "f.json, row 1, column 'amount.currency': the currency is 'eur'"),
        (page({"line_item": "x"}), "f.json, row 1, column 'amount': there is no amount"),
        (page(cost("1"), start="soon"), "f.json, row 1, column 'start_time': not a date: 'soon'"),
        (page(cost("1"), end=DAY_S + 86_401), "f.json, row 1, column 'start_time': it does not lie within one day"),
        (page(5), "f.json, row 1, column 'results': an object is expected"),
        ({"data": 5}, "f.json, row 1, column 'data': a list is expected"),
        ([5], "f.json, row 1, column 'data': an object is expected"),
        (b"{", "f.json, line 1, column 2: not JSON"),
        (b"\xff", "f.json: not UTF-8"),
        (b"[NaN]", "f.json: not a bill in JSON"),
        (b"[1" + b"0" * 99 + b"]", "f.json: not a bill in JSON"),
        (b"[1." + b"0" * 99 + b"]", "f.json: not a bill in JSON"),
        (b"[1e9999999999999999999]", "f.json: not a bill in JSON"),
        (b"[" * 100_000, "f.json: not a bill in JSON"),
    ],
)
def test_json_that_is_no_bill_is_refused_in_one_line(data: Any, told: str) -> None:
    with pytest.raises(BadInputError) as caught:
        lines(data)
    assert caught.value.message.startswith(told)
    assert "\n" not in caught.value.message


def test_json_file_above_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "MOST_FILE_BYTES", 10)
    with pytest.raises(BadInputError, match="larger than"):
        lines(page(cost("1")))


def test_first_result_of_pages_is_the_first_one_present() -> None:
    assert pages.first_result([{"data": 5}, {"data": [7, {"results": []}]}, page(cost("1"))])["amount"]
    assert pages.first_result([]) == {}


leaf = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.sampled_from(["usd", "1e-6"])
anything = st.recursive(
    leaf,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["data", "results", "start_time", "end_time", "amount", "value", "currency", "line_item"]),
            inner,
            max_size=6,
        )
    ),
    max_leaves=25,
)


@given(st.one_of(anything, st.builds(page, anything, start=st.just(DAY_S) | anything)))
def test_arbitrary_json_is_read_or_refused(data: Any) -> None:
    try:
        lines(data)
    except BadInputError as error:
        assert error.message.startswith("f.json")


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_read_or_refused(raw: bytes) -> None:
    try:
        lines(raw)
    except BadInputError as error:
        assert error.message.startswith("f.json")
