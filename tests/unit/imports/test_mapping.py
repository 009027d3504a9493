import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softix_proxy.domain.core.errors import BadInputError
from softix_proxy.imports import mapping
from softix_proxy.imports.mapping import BillMapping

FULL = b"""
[columns]
date = "Day"
model = ["Model", "Deployment"]
amount = "Cents"
tokens = ["In", "Out"]
divisor = 100
[only]
Service = ["AI *"]
[models]
"Chat Large*" = "GPT-4o"
"""


def read(raw: bytes) -> BillMapping:
    return mapping.read(io.BytesIO(raw), "m.toml")


def test_mapping_with_columns_rows_and_models_is_read() -> None:
    told = read(FULL)
    assert told.form is not None
    assert (told.form.date, told.form.model, told.form.amount, told.form.divisor) == (
        ("day",), ("model", "deployment"), ("cents",), 100,
    )  # fmt: skip
    assert (told.form.tokens, told.form.currency, told.only) == (("in", "out"), (), {"service": ("ai *",)})
    assert told.model("chat large V2") == "GPT-4o"
    assert told.model("other") == "other"


def test_mapping_with_only_models_has_no_form() -> None:
    assert read(b'[models]\n"a" = "b"\n') == BillMapping(None, {}, {"a": "b"})


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (b"x", "m.toml: not TOML"),
        (b"\xff", "m.toml: not TOML"),
        (b"a = " + b"[" * 5000, "m.toml: not TOML"),
        (b"[colums]", "m.toml: unknown 'colums'"),
        (b"columns = 5", "m.toml: columns is not a table"),
        (b'[columns]\nwhen = "x"', "m.toml: unknown 'when'"),
        (b'[columns]\namount = "x"', "m.toml: a column is missing"),
        (b'[columns]\ndate = "x"', "m.toml: a column is missing"),
        (b'[columns]\ndate = 5\namount = "x"', "m.toml: 'columns.date' is not a text"),
        (b'[columns]\ndate = []\namount = "x"', "m.toml: 'columns.date' is not a text"),
        (b'[columns]\ndate = ["x", 5]\namount = "x"', "m.toml: 'columns.date' is not a text"),
        (b'[columns]\ndate = "x"\namount = "y"\ndivisor = 0', "m.toml: columns.divisor is not"),
        (b'[columns]\ndate = "x"\namount = "y"\ndivisor = true', "m.toml: columns.divisor is not"),
        (b"[models]\na = 5", "m.toml: 'models.a' is not a text"),
        (b"#" * (mapping.MOST_FILE_BYTES + 1), "m.toml: not TOML"),
    ],
)
def test_text_that_is_no_mapping_is_refused_in_one_line(raw: bytes, told: str) -> None:
    with pytest.raises(BadInputError) as caught:
        read(raw)
    assert caught.value.message.startswith(told)
    assert "\n" not in caught.value.message


@given(st.binary(max_size=100) | st.text(alphabet='[]columnsdate="x5\n .{}', max_size=60).map(str.encode))
def test_arbitrary_text_is_a_mapping_or_refused(raw: bytes) -> None:
    try:
        read(raw)
    except BadInputError as error:
        assert error.message.startswith("m.toml")
