from softix_proxy.exports.metering.columns import COLUMNS
from softix_proxy.exports.metering.csv_usage import LAYOUT
from softix_proxy.exports.metering.line_layout import Encoding


def test_csv_header_and_lines_end_with_carriage_return_and_line_feed() -> None:
    assert LAYOUT.header == ",".join(column.name for column in COLUMNS) + "\r\n"
    assert LAYOUT.end == "\r\n"


def test_csv_cells_after_the_first_begin_with_a_comma() -> None:
    assert [cell.before for cell in LAYOUT.cells] == ["", *[","] * (len(COLUMNS) - 1)]


def test_csv_columns_of_free_text_are_protected_from_formulas() -> None:
    guarded = {cell.column.name for cell in LAYOUT.cells if cell.encoding is Encoding.CSV_TEXT}
    assert guarded == {"user_name", "provider", "model", "model_served", "service_tier", "note"}
    assert {cell.encoding for cell in LAYOUT.cells} == {Encoding.CSV_TEXT, Encoding.BARE}
