from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softix_proxy.domain.core.clock import parse_instant
from softix_proxy.domain.core.errors import BadInputError
from softix_proxy.domain.pricing.rates import PriceSheet
from softix_proxy.imports.price_list import PriceRow, read

CSV = b"""\xef\xbb\xbfmodel,user,starts_at,input,output,above_input_tokens,free\r
gpt-4o,,,2.50,10.00,,\r
gpt-4o,,,5.00,20.00,200000,\r
lab/llama,ada,2027-01-01,0.10,,,\r
mine,,,,,,yes\r
"""


def test_csv_price_list_with_bands_users_dates_and_free_models_is_read() -> None:
    tiered, customer, free = read(CSV, "prices.csv")
    bands = [
        {"prices": {"input": "2.50", "output": "10.00"}},
        {"prices": {"input": "5.00", "output": "20.00"}, "above_input_tokens": 200_000},
    ]
    assert tiered == PriceRow("line 2", "gpt-4o", None, None, PriceSheet.parse({"bands": bands}))
    assert (customer.place, customer.model, customer.user) == ("line 4", "lab/llama", "ada")
    assert customer.starts_at_us == parse_instant("2027-01-01")
    assert free.sheet.free


def test_json_price_list_keeps_numbers_as_they_are_written() -> None:
    text = '[{"model": "m", "input": 0.10, "output": 3}, {"model": "n", "free": true}]'
    priced, free = read(text.encode(), "prices.json")
    assert priced.sheet == PriceSheet.parse({"bands": [{"prices": {"input": "0.10", "output": "3"}}]})
    assert free.sheet.free and free.place == "item 2"


@pytest.mark.parametrize(
    ("data", "name", "told"),
    [
        (b"", "p.csv", "has no prices"),
        (b"model,input\n", "p.csv", "has no prices"),
        (b"model,input\nm,1,2\n", "p.csv", "line 2: not as many cells"),
        (b"model,imput\nm,1\n", "p.csv", "line 2: unknown column 'imput'"),
        (b"model,input\n,1\n", "p.csv", "line 2: no model"),
        (b"model,input\nm,1e3\n", "p.csv", "line 2: not a price for input: '1e3'"),
        (b"model,input\nm,1\nm,2\n", "p.csv", "line 2: a price has two bands"),
        (b"model,input,free\nm,1,yes\n", "p.csv", "free and a price at once"),
        (b"model,input,above_input_tokens\nm,1,many\n", "p.csv", "not a number of tokens"),
        (b"model,input,starts_at\nm,1,soon\n", "p.csv", "line 2: not a date"),
        (b'model,input\n"m,1\n', "p.csv", "not CSV"),
        (b"\xff\xfe", "p.csv", "not UTF-8"),
        (b"{", "p.json", "is not JSON"),
        (b"{}", "p.json", "is not a list"),
        (b'[{"model": "m", "input": [1]}]', "p.json", "item 1: a value"),
        (b'[{"model": "m", "input": 1e3}]', "p.json", "item 1: not a price"),
        (b"[" * 100_000, "p.json", "is not JSON"),
    ],
)
def test_unreadable_price_list_is_refused_with_its_place(data: bytes, name: str, told: str) -> None:
    with pytest.raises(BadInputError) as raised:
        read(data, name)
    assert told in raised.value.message and raised.value.message.startswith(name)


JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists, max_leaves=5)


@given(
    st.binary() | st.lists(st.dictionaries(st.sampled_from(["model", "input", "user", "free"]), JSON)).map(json.dumps)
)
def test_arbitrary_price_list_is_read_or_refused(data: bytes | str) -> None:
    for name in ("p.csv", "p.json"):
        try:
            rows = read(data if isinstance(data, bytes) else data.encode(), name)
        except BadInputError:
            continue
        assert all(isinstance(row, PriceRow) for row in rows)
