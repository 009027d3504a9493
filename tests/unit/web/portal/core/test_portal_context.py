from __future__ import annotations

from dataclasses import replace

from support.portal import Portal


async def test_changed_settings_apply_to_requests_to_come(portal: Portal) -> None:
    context = portal.context
    settings = replace(
        context.settings,
        portal=replace(context.settings.portal, registration="open"),
        server=replace(context.settings.server, trusted_proxies=("127.0.0.0/8",)),
    )
    context.take_all(settings)
    assert context.settings.portal.registration == "open"
    assert context.client_addresses.of("127.0.0.1", "203.0.113.9") == "203.0.113.9"


async def test_each_request_has_a_number_of_its_own(portal: Portal) -> None:
    assert portal.context.new_request_id() != portal.context.new_request_id()
    assert portal.context.new_request_id().startswith("pag_")
