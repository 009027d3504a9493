import pytest

from softix_proxy.domain.bill import parse_iban, parse_series
from softix_proxy.domain.errors import BadInputError


def test_series_end_so_that_numbers_cannot_be_mistaken() -> None:
    for text in ("INV-{year}-", "{year}-R", "A", "2026."):
        assert parse_series(text) == text
    for text in ("", "INV-{year}", "R1", "R {year}-", "R/", "{month}-", "x" * 33):
        with pytest.raises(BadInputError):
            parse_series(text)


def test_an_iban_has_check_digits() -> None:
    assert parse_iban("de02 1203 0000 0000 2020 51") == "DE02120300000000202051"
    for text in ("DE03120300000000202051", "DE02", ""):
        with pytest.raises(BadInputError):
            parse_iban(text)
