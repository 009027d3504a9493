"""The limits a minute by model, as a row of a key has them: JSON with a pattern and two numbers for each."""

from __future__ import annotations

import json

from softix_proxy.domain.access.keys import ModelRate


def read_rates(text: str) -> tuple[ModelRate, ...]:
    """Returns the limits that the text of the column says."""
    if text == "[]":
        return ()
    return tuple(ModelRate(models=models, rpm=rpm, tpm=tpm) for models, rpm, tpm in json.loads(text))


def write_rates(rates: tuple[ModelRate, ...]) -> str:
    """Returns the text of the column for these limits."""
    return json.dumps([[rate.models, rate.rpm, rate.tpm] for rate in rates])
