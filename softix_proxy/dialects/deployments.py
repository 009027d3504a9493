"""A request whose model stands in the path, as at Azure, in the words of those whose body names it."""

from __future__ import annotations

import msgspec

from softix_proxy.dialects.base import Endpoint
from softix_proxy.dialects.fields import JsonMembers
from softix_proxy.dialects.multipart import FormFields

_MODEL = frozenset(("model",))


def with_model(endpoint: Endpoint, body: bytes, model: str) -> bytes:
    """The body with this model, whichever it names; every other byte of a form, and value of JSON, as it was.

    Raises RefusedError for a body that is none.
    """
    if endpoint.form_fields is not None:
        return FormFields(body, _MODEL).with_text("model", model)
    fields, named = JsonMembers(body, _MODEL), msgspec.json.encode(model)
    raw = fields.raw("model")
    return body if raw is not None and bytes(raw) == named else fields.replaced({"model": named})
