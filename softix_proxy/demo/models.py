"""The demo's models and their prices, which are invented, but of the size that small and large models have."""

from __future__ import annotations

import json

from softix_proxy.operations.catalog.catalogue import CatalogueModel

_CONTEXT = 32_768
_MAX_OUTPUT = 4_096
PRICES = {
    "demo-small": {"bands": [{"prices": {"input": "0.50", "output": "2.00"}}]},
    "demo-large": {"bands": [{"prices": {"input": "2.50", "output": "10.00"}}]},
}
"""Model → the sheet for `PriceSheet.parse`, in USD per million tokens."""


def models() -> tuple[CatalogueModel, ...]:
    """Returns the models in the catalogue's form, for `operations.catalog.providers.add`.

    Each works in both dialects.
    """
    return tuple(
        CatalogueModel("demo", name, _CONTEXT, _MAX_OUTPUT, json.dumps(sheet)) for name, sheet in PRICES.items()
    )


BY_NAME = {model.name: model for model in models()}
