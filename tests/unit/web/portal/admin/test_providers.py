from support.operators_pages import ADMIN, AUDITOR
from support.operators_side import OperatorsSide

from softix_proxy.domain.catalog.providers import ProviderStatus


async def test_provider_pages_show_health_and_no_secret(side: OperatorsSide) -> None:
    listed = await side.ask(AUDITOR, "GET", "/admin/providers")
    shown = await side.ask(AUDITOR, "GET", "/admin/providers/prv_lab")
    assert "lab" in listed.text and "llama" in shown.text and "127.0.0.1:9" in shown.text
    for text in (listed.text, shown.text):
        assert "sealed</" not in text and "b&#39;sealed" not in text and b"sealed".hex() not in text


async def test_provider_is_disabled_and_enabled_by_its_button(side: OperatorsSide) -> None:
    path = "/admin/providers/prv_lab/status"
    for status in (ProviderStatus.DISABLED, ProviderStatus.ACTIVE):
        assert (await side.ask(ADMIN, "POST", path, {"status": status.value})).status == 303
        assert (await side.storage.reading().providers.get(1)).status is status
    assert (await side.ask(ADMIN, "POST", path, {"status": "removed"})).status == 400
    assert (await side.storage.reading().providers.get(1)).sealed_key == b"sealed"


async def test_provider_is_disabled_only_after_a_question(side: OperatorsSide) -> None:
    path = "/admin/providers/prv_lab"
    shown = (await side.ask(ADMIN, "GET", path)).text
    assert f'href="{path}/disable"' in shown and 'name="status" value="disabled"' not in shown
    asked = await side.ask(ADMIN, "GET", f"{path}/disable")
    assert f'action="{path}/status"' in asked.text and 'name="status" value="disabled"' in asked.text
    assert "no request reaches" in asked.text
    assert (await side.storage.reading().providers.get(1)).status is ProviderStatus.ACTIVE
    assert (await side.ask(AUDITOR, "GET", f"{path}/disable")).status == 404
    await side.ask(ADMIN, "POST", f"{path}/status", {"status": "disabled"})
    shown = (await side.ask(ADMIN, "GET", path)).text
    assert f'href="{path}/disable"' not in shown and 'name="status" value="active"' in shown


async def test_models_of_a_disabled_provider_say_so(side: OperatorsSide) -> None:
    pages = ("/admin/models", "/admin/providers/prv_lab")
    for path in pages:
        assert "provider disabled" not in (await side.ask(ADMIN, "GET", path)).text
    await side.ask(ADMIN, "POST", "/admin/providers/prv_lab/status", {"status": "disabled"})
    for path in pages:
        assert "provider disabled" in (await side.ask(ADMIN, "GET", path)).text
