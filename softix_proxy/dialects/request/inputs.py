"""Counts the inputs of a list, each of which the model reads by itself.

The context window bounds one input, and not the sum of a list. So a bound needs the number of inputs, and whether all
of them are text, whose tokens are at most its bytes. Large lists are not decoded for this: a list of two million
numbers takes a hundred times the memory of its text.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from softix_proxy.dialects.request.fields import LARGE_BODY_BYTES, MALFORMED, JsonMembers, is_heavy
from softix_proxy.domain.core.records import record

TEMPLATE_TOKENS = 1024
"""The most tokens that a provider's own prompts (chat template, tool descriptions) may add to those of the body."""
EACH_ADDS_TOKENS = 64
"""The most tokens that a provider adds to each further text of a list: marks of its ends, and a short prefix."""
_TOKENS = b"0123456789,[] \t\r\n"
_TEXTS_OR_TOKENS = msgspec.json.Decoder(str | list[str | int | list[int]] | None)
_TEXT, _LIST = b'"'[0], b"["[0]


@record(frozen=True, slots=True)
class Inputs:
    """What a model reads of one member."""

    number: int
    """The most inputs. At least 1."""
    text_only: bool = True
    """Whether all of them are text or tokens, which are in the body."""
    counted: bool = True
    """Whether they were counted. Otherwise the size of the list bounds their number."""

    def most_tokens(self, body_bytes: int) -> int:
        """Returns the most tokens of all inputs together, if they are text only. A token is at least one byte."""
        return body_bytes + TEMPLATE_TOKENS + (self.number - 1) * EACH_ADDS_TOKENS


ONE = Inputs(1)


def read_inputs(fields: JsonMembers, name: str, texts: msgspec.json.Decoder[Any] = _TEXTS_OR_TOKENS) -> Inputs:
    """Counts the inputs in this member. A text is one input, and so is a list of numbers, which are its tokens.

    `texts` accepts text only. It makes a list of several inputs, and anything else of one.
    """
    raw = fields.raw(name)
    if raw is None:
        return ONE
    if is_heavy(raw):
        return _of_heavy(fields, name, raw)
    try:
        found = texts.decode(raw)
    except MALFORMED:
        return Inputs(max(len(fields.elements(name, memoryview(raw).nbytes) or ()), 1), text_only=False)
    return Inputs(_separate(found)) if isinstance(found, list) else ONE


def _separate(found: Sequence[Any]) -> int:
    """Returns how many inputs are in a list. All single numbers together are one."""
    numbers = sum(type(each) is int for each in found)
    return max(len(found) - numbers + (numbers > 0), 1)


def _of_heavy(fields: JsonMembers, name: str, raw: msgspec.Raw) -> Inputs:
    """Counts the inputs of a member that is too large to be decoded."""
    view = memoryview(raw)
    if view[0] != _LIST:
        return Inputs(1, text_only=view[0] == _TEXT)
    data = bytes(raw) if view.nbytes <= LARGE_BODY_BYTES else b"{"
    if not data.translate(None, _TOKENS):
        return Inputs(data.count(b"["))  # the lists within, and one of all numbers beside them
    elements = fields.elements(name)
    if elements is None:
        return Inputs(view.nbytes // 2, text_only=b"{" not in data, counted=False)
    return Inputs(max(len(elements), 1), text_only=all(memoryview(each)[0] == _TEXT for each in elements))
