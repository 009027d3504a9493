import json

from softix_proxy.exports.metering.columns import COLUMNS
from softix_proxy.exports.metering.jsonl_usage import LAYOUT
from softix_proxy.exports.metering.line_layout import Encoding


def test_json_line_of_a_row_is_one_object_with_every_column() -> None:
    line = LAYOUT.header + "".join(f"{cell.before}1" for cell in LAYOUT.cells) + LAYOUT.end
    assert line.endswith("}\n")
    assert list(json.loads(line)) == [column.name for column in COLUMNS]


def test_json_layout_writes_money_as_text_and_counts_as_numbers() -> None:
    encodings = {cell.column.name: cell.encoding for cell in LAYOUT.cells}
    assert encodings["charge"] is encodings["provider_cost"] is encodings["note"] is Encoding.JSON_TEXT
    assert encodings["input_tokens"] is encodings["stream"] is encodings["row_id"] is Encoding.JSON_BARE
