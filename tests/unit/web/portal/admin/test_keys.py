from dataclasses import replace

import pytest
from support.one_of_each import USD
from support.operators_pages import ADMIN, LIMITS, SUPPORT
from support.operators_side import OperatorsSide

from softix_proxy.domain.access.keys import KeyLimits, KeyStatus

WHOLE = "sx_live_one" + "A" * 30


async def test_keys_page_finds_by_prefix_id_and_label(side: OperatorsSide) -> None:
    for text in ("sx_live_one", "key_one", "CI"):
        seen = await side.ask(SUPPORT, "GET", "/admin/keys", q=text)
        assert "/admin/keys/key_one" in seen.text
    assert "/admin/keys/key_one" not in (await side.ask(SUPPORT, "GET", "/admin/keys", q="sx_live_two")).text


async def test_keys_page_never_repeats_a_whole_key(side: OperatorsSide) -> None:
    assert WHOLE not in (await side.ask(SUPPORT, "GET", "/admin/keys", q=WHOLE)).text


async def test_keys_page_of_a_user_has_its_keys_alone(side: OperatorsSide) -> None:
    assert "/admin/keys/key_one" in (await side.ask(SUPPORT, "GET", "/admin/keys", user="usr_ada")).text
    assert (await side.ask(SUPPORT, "GET", "/admin/keys", user="usr_none")).status == 404


@pytest.mark.parametrize("path", ["/admin/keys", "/admin/keys/key_one", "/admin/users/usr_ada"])
async def test_key_that_has_expired_is_shown_as_expired(side: OperatorsSide, path: str) -> None:
    assert '<span class="badge warn">expired</span>' not in (await side.ask(SUPPORT, "GET", path)).text
    async with side.storage.writing() as unit:
        await unit.keys.update(replace(await unit.keys.get(1), expires_at_us=side.clock.us))
    assert '<span class="badge warn">expired</span>' in (await side.ask(SUPPORT, "GET", path)).text


async def test_key_limits_are_changed_and_an_empty_field_removes_one(side: OperatorsSide) -> None:
    form = {**LIMITS, "models": "ll*, lab/*", "rpm": "120", "tpm": "", "cap": "12.50", "cap_period": "week"}
    assert (await side.ask(ADMIN, "POST", "/admin/keys/key_one/edit", form)).status == 303
    key = await side.storage.reading().keys.get(1)
    assert key.limits == KeyLimits(rpm=120, cap_pico=25 * USD // 2, cap_period="week")
    assert key.models == ("ll*", "lab/*") and key.allow_ip == ("10.0.0.0/8",) and key.earlier_models == ()


async def test_key_limits_are_read_as_people_write_them(side: OperatorsSide) -> None:
    form = {**LIMITS, "rpm": "1,000", "cap": "$1,250.50"}
    assert (await side.ask(ADMIN, "POST", "/admin/keys/key_one/edit", form)).status == 303
    limits = (await side.storage.reading().keys.get(1)).limits
    assert (limits.rpm, limits.cap_pico) == (1000, 2501 * USD // 2)


async def test_key_edit_that_leaves_the_models_keeps_what_is_known_of_them(side: OperatorsSide) -> None:
    before = await side.storage.reading().keys.get(1)
    await side.ask(ADMIN, "POST", "/admin/keys/key_one/edit", LIMITS)
    after = await side.storage.reading().keys.get(1)
    assert (after.models, after.earlier_models) == (before.models, before.earlier_models)


@pytest.mark.parametrize(
    "change",
    [
        {"rpm": "-1"},
        {"rpm": "1.5"},
        {"tpm": "x"},
        {"cap": "1,5"},
        {"cap": "-1"},
        {"cap_period": "year"},
        {"models": "a b"},
        {"models": "nowhere/*"},
        {"label": "x" * 65},
    ],
)
async def test_key_edit_with_an_unusable_value_is_shown_again(side: OperatorsSide, change: dict[str, str]) -> None:
    before = await side.storage.reading().keys.get(1)
    seen = await side.ask(ADMIN, "POST", "/admin/keys/key_one/edit", {**LIMITS, **change})
    assert seen.status == 400 and 'role="alert"' in seen.text
    assert await side.storage.reading().keys.get(1) == before


async def test_key_is_revoked_only_with_the_box(side: OperatorsSide) -> None:
    assert (await side.ask(SUPPORT, "POST", "/admin/keys/key_one/revoke", {})).status == 400
    assert (await side.storage.reading().keys.get(1)).status is KeyStatus.ACTIVE
    assert (await side.ask(SUPPORT, "POST", "/admin/keys/key_one/revoke", {"sure": "yes"})).status == 303
    assert (await side.storage.reading().keys.get(1)).status is KeyStatus.REVOKED
    assert "revoked" in (await side.ask(SUPPORT, "GET", "/admin/keys/key_one")).text
