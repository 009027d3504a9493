"""Converts requests of APIs with the model in the path, such as Azure's, to those with the model in the body."""

from __future__ import annotations

import msgspec

from softix_proxy.dialects.core.base import Endpoint
from softix_proxy.dialects.request.fields import JsonMembers
from softix_proxy.dialects.request.multipart import FormFields

_MODEL = frozenset(("model",))


def with_model(endpoint: Endpoint, body: bytes, model: str) -> bytes:
    """Returns the body with this model. It replaces the model that the body names, if any.

    Every other byte of a form and every other value of a JSON object stays unchanged. Raises RefusedError if the body
    is neither.
    """
    if endpoint.form_fields is not None:
        return FormFields(body, _MODEL).with_text("model", model)
    fields, named = JsonMembers(body, _MODEL), msgspec.json.encode(model)
    raw = fields.raw("model")
    return body if raw is not None and bytes(raw) == named else fields.replaced({"model": named})
