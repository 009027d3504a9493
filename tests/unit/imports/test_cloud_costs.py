import io
from collections.abc import Callable

import pytest

from softix_proxy.domain.core.errors import BadInputError
from softix_proxy.imports import formats
from softix_proxy.imports.cloud_costs import model_of_meter, model_of_usage_type
from softix_proxy.imports.mapping import BillMapping


@pytest.mark.parametrize(
    ("meter", "model"),
    [
        ("gpt 4o 0806 cached Inp glbl Tokens", "gpt 4o 0806"),
        ("gpt-4o-0806-Outp-glbl Tokens", "gpt-4o-0806"),
        ("gpt 4.1 mini Inp Data Zone Tokens", "gpt 4.1 mini"),
        ("o4-mini 0416 Outp glbl Tokens", "o4-mini 0416"),
        ("Tokens", "Tokens"),
    ],
)
def test_model_of_an_azure_meter_is_its_name_without_the_token_words(meter: str, model: str) -> None:
    assert model_of_meter(meter) == model


@pytest.mark.parametrize(
    ("usage_type", "model"),
    [
        ("USE1-Claude4.6Sonnet-input-tokens", "Claude4.6Sonnet"),
        ("USE1-Claude4.6Sonnet-cache-read-input-token-count", "Claude4.6Sonnet"),
        ("EUW1-openai.gpt-oss-120b-mantle-input-tokens-standard", "openai.gpt-oss-120b"),
        ("Other", "Other"),
    ],
)
def test_model_of_a_bedrock_usage_type_is_its_name_without_region_and_tokens(usage_type: str, model: str) -> None:
    assert model_of_usage_type(usage_type) == model


def test_azure_bill_is_read_as_lines_of_models(golden: Callable[..., object]) -> None:
    assert golden("azure.csv") == (
        "Azure's cost details",
        [("2026-10-01", "gpt 4o 0806", 250_000, None), ("2026-10-01", "gpt-4o-0806", 500_000, None), None],
    )


def test_azure_bill_in_euros_is_read_by_its_dollar_column_or_refused() -> None:
    def read(header: str) -> object:
        row = "10/01/2026,m Inp Tokens,Microsoft.CognitiveServices,Usage,5,EUR,7\n"
        file = io.BufferedReader(io.BytesIO(f"{header}\n{row}".encode()))  # type: ignore[arg-type]
        [line] = formats.read(file, "f.csv", "azure", BillMapping()).lines
        return line and line.amount_pico

    header = "date,meterName,consumedService,chargeType,costInBillingCurrency,billingCurrency,"
    assert read(header + "costInUsd") == 7 * 10**12
    with pytest.raises(BadInputError, match="the currency is 'EUR'"):
        read(header + "quantity")


def test_aws_bill_of_either_version_is_read_without_taxes_and_other_products(golden: Callable[..., object]) -> None:
    """Two versions of the report; hours add up to days, taxes and other products are left out."""
    line = ("2026-10-01", "Claude4.6Sonnet", 30_000, None)
    assert golden("aws_1.csv") == ("AWS's cost and usage report", [line, line, None, None])
    assert golden("aws_2.csv") == ("AWS's cost and usage report 2", [("2026-10-01", "Nova2.0Lite", 60, None)])
