from __future__ import annotations

import pytest

from softix_proxy.domain.access.keys import ModelRate
from softix_proxy.storage.sqlite.metering.model_rates import read_rates, write_rates


@pytest.mark.parametrize(
    ("rates", "text"),
    [
        ((), "[]"),
        ((ModelRate(models="openai/*", rpm=5, tpm=None),), '[["openai/*", 5, null]]'),
        (
            (ModelRate(models="a", rpm=None, tpm=7), ModelRate(models="b", rpm=1, tpm=2)),
            '[["a", null, 7], ["b", 1, 2]]',
        ),
    ],
)
def test_limits_that_are_written_are_read_back(rates: tuple[ModelRate, ...], text: str) -> None:
    assert write_rates(rates) == text and read_rates(text) == rates
