from __future__ import annotations

from pathlib import Path
from typing import Any

from softix_proxy import settings
from softix_proxy.domain.accounts.public_url import parse_public_url
from softix_proxy.web.admin_api.api_context import ApiContext
from softix_proxy.web.server.client_address import ClientAddresses


def test_settings_that_are_read_anew_count_for_the_next_call(tmp_path: Path) -> None:
    nothing: Any = None
    before = settings.load(None, tmp_path, {})
    after = settings.load(None, tmp_path, {"SOFTIX_SERVER_TRUSTED_PROXIES": "10.0.0.0/8"})
    url = parse_public_url("https://portal.example.org")
    context = ApiContext(nothing, nothing, nothing, before, url, ClientAddresses(()))
    assert context.client_addresses.of("10.0.0.1", "192.0.2.7") == "10.0.0.1"
    context.take_all(after)
    assert context.settings is after
    assert context.client_addresses.of("10.0.0.1", "192.0.2.7") == "192.0.2.7"
