from dataclasses import replace

import click
import pytest

from softix_proxy.cli.catalog.provider_fields import as_fields, tell_base_url
from softix_proxy.domain.catalog.providers import Provider, ProviderKey, ProviderStatus, ProviderType

LAB = Provider(1, "prv_a", "lab", ProviderType.VLLM, "http://lab:8000", b"sealed", "cancel", ProviderStatus.ACTIVE, 1)


def test_provider_fields_contain_no_sealed_key() -> None:
    shown = as_fields(replace(LAB, more_keys=(ProviderKey("pky_a", "second", b"sealed", 3),)))
    assert shown["keys"] == [{"label": "main", "weight": 1}, {"label": "second", "weight": 3}]
    assert (shown["type"], shown["has_key"], shown["base_url"]) == ("vllm", True, "http://lab:8000")
    assert "sealed" not in str(shown)


def test_base_url_notice_when_the_stored_url_differs_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    with click.Context(click.Command("add")):
        tell_base_url("", LAB)
        tell_base_url(LAB.base_url, LAB)
        assert capsys.readouterr().err == ""
        tell_base_url("http://lab:8000/v1/", LAB)
    assert "The base URL is http://lab:8000:" in capsys.readouterr().err


def test_provider_fields_contain_the_dropped_fields() -> None:
    shown = as_fields(replace(LAB, drop_fields=("stream_options",), version_in_url=True))
    assert (shown["drop_fields"], shown["version_in_url"]) == (["stream_options"], True)
