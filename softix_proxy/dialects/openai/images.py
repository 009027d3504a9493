"""The endpoint POST /v1/images/generations, and the forms of /v1/images/edits and /v1/images/variations.

Some models are paid by the token, and their responses report tokens. Others are paid by the image, at a price that
depends on quality and size. The tiers of such a price are called `hd`, `1024x1792`, `hd/1024x1792`.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from softix_proxy.dialects.core.base import RequestSpec, StreamMeter, UsageReport
from softix_proxy.dialects.core.errors import classify_event
from softix_proxy.dialects.core.sse import EventAction, EventMeter
from softix_proxy.dialects.core.tokens import openai_report
from softix_proxy.dialects.openai.members import IMAGE_EDITS, IMAGE_VARIATIONS, IMAGES
from softix_proxy.dialects.openai.shared import FORM, FormEndpoint, OpenAIEndpoint
from softix_proxy.dialects.request.fields import MALFORMED, SHARED, JsonMembers, invalid, read_request, unmetered
from softix_proxy.dialects.request.inputs import TEMPLATE_TOKENS
from softix_proxy.dialects.request.members import MemberTable
from softix_proxy.dialects.request.multipart import FormFields
from softix_proxy.domain.pricing.rates import STANDARD

_SIZE = re.compile(r"([1-9]\d{1,4})x([1-9]\d{1,4})", re.ASCII)
_LARGEST = (1536, 1024)
"""The width and height of the largest size from which `auto` chooses."""
_TOKEN_PIXELS, _TYPICAL_PIXELS = 125, 1000
"""The pixels for each token: for the upper bound, and typically.

An image of the highest quality has a token for 252 pixels, one of medium quality for 993.
"""
_PARTIAL_TOKENS = 100
_PLAIN = (None, "", "auto", "standard", "1024x1024")
_QUALITIES = frozenset(("low", "medium", "high", "hd"))
_OWN = frozenset(("n", "size", "quality", "partial_images", "output_format"))
_WATCHED = SHARED | _OWN | IMAGES.watched
_UNBOUNDED_FORMATS = ("gif", "svg")
"""The formats that are many images, or another model's text."""
_EDIT_TOKENS = 16 * 8192 + 32_000
"""The upper bound of an edit's input in tokens.

An edit has at most sixteen images of some 6,000 tokens each, and a text of 32,000 letters.
"""


class _Answer(msgspec.Struct):
    data: list[msgspec.Raw] | None = None
    usage: Any = None


_ANSWER = msgspec.json.Decoder(_Answer)


def _ask(model: str, fields: JsonMembers | FormFields, table: MemberTable, input_tokens: int) -> RequestSpec:
    """Returns the spec. `input_tokens` is the most input of one image, since each may be billed with its own input."""
    members = table.read(fields)
    if fields.text("output_format") in _UNBOUNDED_FORMATS:
        raise unmetered("Moving images and SVG cannot be bounded here. Send another `output_format`.")
    images, stream = fields.count("n") or 1, fields.flag("stream")
    if stream and images > 1:
        raise unmetered("A stream of several images cannot be metered here: send `n` 1, or no `stream`.")
    size, quality = fields.text("size"), fields.text("quality")
    match = _SIZE.fullmatch(size or "")
    if size not in _PLAIN and match is None:
        raise invalid("`size` must be like 1024x1024.")
    if quality not in _PLAIN and quality not in _QUALITIES:
        raise invalid(f"`quality` must be one of: {', '.join(sorted(_QUALITIES))}, standard, auto.")
    width, height = (int(match[1]), int(match[2])) if match else _LARGEST
    partial = fields.count("partial_images", least=0) or 0
    tier = "/".join(word for word in (quality, size) if word is not None and word not in _PLAIN)
    return RequestSpec(
        model=model,
        stream=stream,
        max_output_tokens=width * height // _TOKEN_PIXELS + partial * _PARTIAL_TOKENS,
        choices=images,
        service_tier=tier or STANDARD,
        tier_of=("images",),
        inputs=images,
        most_input_tokens=images * input_tokens,
        calls={"images": images},
        priced_by=("images", "image_output_tokens"),
        typical={"images": images, "image_output_tokens": images * (width * height // _TYPICAL_PIXELS)},
        open_input=members.opens,
        unknown_members=members.unknown,
    )


def image_report(usage: object, images: int) -> UsageReport | None:
    """Reports tokens if the response reports tokens, and otherwise the number of images."""
    report = openai_report(usage, None, None)
    if report is None or not any(report.meters.values()):
        return UsageReport({"images": images}, None) if images else None
    meters = dict(report.meters)
    told = usage.get("output_tokens_details") if isinstance(usage, dict) else None
    if not told and "output_tokens" in meters:
        meters["image_output_tokens"] = meters.pop("output_tokens")
    return UsageReport(meters, clamped=report.clamped)


class ImageGenerations(OpenAIEndpoint):
    """Meters images that are made from a text."""

    name = "image_generations"
    path = "/v1/images/generations"
    members = IMAGES

    def read(self, body: bytes) -> RequestSpec:
        model, fields = read_request(body, _WATCHED)
        return _ask(model, fields, IMAGES, len(body) + TEMPLATE_TOKENS)

    def report(self, body: bytes) -> UsageReport | None:
        try:
            answer = _ANSWER.decode(body)
        except MALFORMED:
            return None
        return image_report(answer.usage, len(answer.data or ()))

    def stream(self, *, hide_usage: bool) -> StreamMeter:
        return ImageMeter()


class ImageEdits(FormEndpoint):
    name = "image_edits"
    path = "/v1/images/edits"
    members = IMAGE_EDITS
    form_fields: frozenset[str] | None = FORM | _OWN | IMAGE_EDITS.watched

    def read(self, body: bytes) -> RequestSpec:
        model, fields = self.form(body)
        return _ask(model, fields, self.members, _EDIT_TOKENS)

    report = ImageGenerations.report
    stream = ImageGenerations.stream


class ImageVariations(ImageEdits):
    name = "image_variations"
    path = "/v1/images/variations"
    members = IMAGE_VARIATIONS

    def read(self, body: bytes) -> RequestSpec:
        model, fields = self.form(body, "dall-e-2")  # Only this model makes variations.
        return _ask(model, fields, self.members, _EDIT_TOKENS)


class _Event(msgspec.Struct):
    type: Any = None
    usage: Any = None
    error: Any = None


_EVENT = msgspec.json.Decoder(_Event)
_ENDS = ("image_generation.completed", "image_edit.completed")


class ImageMeter(EventMeter):
    """Meters a stream of images. It ends with the finished image, whose event reports the usage, or with an error."""

    def inspect(self, data: bytes) -> EventAction:
        try:
            event = _EVENT.decode(data)
        except MALFORMED:
            return EventAction.PASS
        if event.error or event.type == "error":
            self.failure = classify_event(event.error)
            return EventAction.END
        if event.type not in _ENDS:
            return EventAction.PASS
        self.report = image_report(event.usage, 1)
        self.finishing = True
        return EventAction.END
