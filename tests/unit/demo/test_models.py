from __future__ import annotations

from fractions import Fraction

from softix_proxy.demo.models import models
from softix_proxy.domain.pricing.rates import STANDARD


def test_demo_models_have_a_price_and_bounds() -> None:
    assert [model.name for model in models()] == ["demo-small", "demo-large"]
    for model in models():
        assert model.provider_type == "demo" and model.context and model.max_output
        [band] = model.sheet.bands
        assert band.service_tier == STANDARD and set(band.unit_prices) == {"input_tokens", "output_tokens"}
    small = models()[0].sheet.bands[0].unit_prices
    assert Fraction(small["output_tokens"]) == 2
