"""The parts that OpenAI's endpoints share."""

from __future__ import annotations

import msgspec

from softix_proxy.dialects.core.base import Family, RequestSpec, UsageReport
from softix_proxy.dialects.core.tokens import openai_report, read_answer
from softix_proxy.dialects.request.fields import ONE_MODEL, JsonMembers, invalid
from softix_proxy.dialects.request.members import MemberTable
from softix_proxy.dialects.request.multipart import FormFields

FORM = frozenset(("model", "stream", "models", "fallbacks"))
"""The fields that matter in every form."""
_USAGE_OPTION = frozenset(("include_usage",))
_INCLUDE = b'{"include_usage":true}'


def wants_usage(fields: JsonMembers) -> bool:
    """Returns whether the client of a stream requested the usage chunk."""
    options = fields.raw("stream_options")
    if options is None or not fields.has("stream_options"):
        return False
    return JsonMembers(options, _USAGE_OPTION, "`stream_options`").flag("include_usage")


class OpenAIEndpoint:
    """The stateless base of OpenAI's endpoints: their output limit fields, and the changes to a body."""

    name: str
    path: str
    members: MemberTable
    family: Family = "openai"
    metered = True
    framed = True
    form_fields: frozenset[str] | None = None
    bound_header = ""
    output_fields: tuple[str, ...] = ()
    """The fields for the output limit.

    The first is the dialect's own, the others are the names at relatives of OpenAI.
    """
    reports_on_request = False
    """Whether a stream has usage only if `stream_options` requests it."""

    def rewrite(
        self,
        body: bytes,
        *,
        model: str | None,
        max_output_tokens: int | None,
        ask_usage: bool,
        output_fields: tuple[str, ...] = (),
    ) -> bytes:
        fields = JsonMembers(body, frozenset((*self.output_fields, "stream_options")))
        changes: dict[str, bytes] = {}
        if model is not None:
            changes["model"] = msgspec.json.encode(model)
        if max_output_tokens is not None and self.output_fields:
            given = [name for name in self.output_fields if fields.raw(name) is not None]
            names = [*given, *output_fields] or self.output_fields[:1]
            changes |= dict.fromkeys(names, b"%d" % max_output_tokens)
        if ask_usage and self.reports_on_request:
            changes["stream_options"] = _with_usage(fields)
        return fields.replaced(changes) if changes else body

    def with_header(self, spec: RequestSpec, value: str) -> RequestSpec:
        return spec

    def limit_calls(self, body: bytes, limit: int) -> bytes:
        return body

    def report(self, body: bytes) -> UsageReport | None:
        answer = read_answer(body)
        return openai_report(answer.usage, answer.model, answer.service_tier) if answer is not None else None


class FormEndpoint(OpenAIEndpoint):
    """An endpoint whose requests are forms. softix can change only the model's name in a form."""

    form_fields: frozenset[str] | None = FORM

    def form(self, body: bytes, default_model: str | None = None) -> tuple[str, FormFields]:
        """Returns the model that a form names, and its watched texts. Raises RefusedError if it names no valid one."""
        fields = FormFields(body, self.form_fields or frozenset())
        if fields.text("models") or fields.text("fallbacks"):
            raise invalid(ONE_MODEL)
        model = fields.text("model") or default_model
        if not model:
            raise invalid("`model` is missing.")
        return model, fields

    def rewrite(
        self,
        body: bytes,
        *,
        model: str | None,
        max_output_tokens: int | None,
        ask_usage: bool,
        output_fields: tuple[str, ...] = (),
    ) -> bytes:
        return body if model is None else FormFields(body, frozenset(("model",))).replaced({"model": model})


def _with_usage(fields: JsonMembers) -> bytes:
    options = fields.raw("stream_options")
    if options is None or not fields.has("stream_options"):
        return _INCLUDE
    return JsonMembers(options, _USAGE_OPTION).replaced({"include_usage": b"true"})
