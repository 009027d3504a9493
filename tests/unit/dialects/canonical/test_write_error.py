from __future__ import annotations

from softix_proxy.dialects.canonical.json_values import encode
from softix_proxy.dialects.canonical.write_error import anthropic_error, google_error, openai_error, responses_error
from softix_proxy.dialects.core.errors import ProviderError, name_error


def test_written_error_of_each_kind_has_a_message_in_each_dialect() -> None:
    for kind in ProviderError:
        assert openai_error(kind, "so")["error"]["message"] == "so"
        assert anthropic_error(kind, "so")["error"]["message"] == "so"
        assert google_error(kind, "so")["error"]["message"] == "so"
        assert responses_error(kind, "so")["code"] in ("server_error", "rate_limit_exceeded")
        assert "no reason" in openai_error(kind, "")["error"]["message"]


def test_written_error_when_read_again_has_the_same_kind() -> None:
    for kind in (ProviderError.RATE_LIMITED, ProviderError.OVERLOADED, ProviderError.QUOTA):
        assert name_error(400, encode(openai_error(kind, ""))) == kind
        assert name_error(400, encode(anthropic_error(kind, ""))) == kind
