from softix_proxy.exports.metering.columns import COLUMNS
from softix_proxy.exports.metering.csv_usage import LAYOUT
from softix_proxy.exports.metering.line_layout import Encoding


def test_header_and_lines_end_with_crlf() -> None:
    assert LAYOUT.header == ",".join(column.name for column in COLUMNS) + "\r\n"
    assert LAYOUT.end == "\r\n"


def test_commas_stand_between_the_values() -> None:
    assert [cell.before for cell in LAYOUT.cells] == ["", *[","] * (len(COLUMNS) - 1)]


def test_only_free_text_is_kept_from_being_a_formula() -> None:
    guarded = {cell.column.name for cell in LAYOUT.cells if cell.encoding is Encoding.CSV_TEXT}
    assert guarded == {"user_name", "provider", "model", "model_served", "service_tier", "note"}
    assert {cell.encoding for cell in LAYOUT.cells} == {Encoding.CSV_TEXT, Encoding.BARE}
