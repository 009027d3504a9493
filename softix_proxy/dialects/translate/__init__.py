"""Translates between a client of one dialect and a provider of another. It is pure: one Translation for each request.

Every dialect is read into the canonical form and written from it. So a further dialect needs four functions, and not
four for each other dialect. The losses of each direction are in `losses.py` and nowhere else.
"""

from softix_proxy.dialects.canonical.types import WriteOptions
from softix_proxy.dialects.translate.envelopes import Adaptation, Translated, Unwrapper
from softix_proxy.dialects.translate.token_counts import Count, Silent
from softix_proxy.dialects.translate.translation import (
    Interpretation,
    StreamInterpretation,
    StreamTranslator,
    Translation,
    translation,
)

__all__ = [
    "Adaptation",
    "Count",
    "Interpretation",
    "Silent",
    "StreamInterpretation",
    "StreamTranslator",
    "Translated",
    "Translation",
    "Unwrapper",
    "WriteOptions",
    "translation",
]
