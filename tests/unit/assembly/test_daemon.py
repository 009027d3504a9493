import logging
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

import pytest
from support.portal_daemon import free_port

from softix_proxy import assembly
from softix_proxy.assembly.daemon import Serving
from softix_proxy.domain.core.errors import FailureError
from softix_proxy.settings import Settings, describe
from softix_proxy.telemetry import logs

READ_AT_THE_START = " It is read at the start only."
OF_COMMANDS = "billing"
"""The section that no daemon uses: each command reads it anew."""


@pytest.fixture(autouse=True)
def logs_as_before() -> Iterator[None]:
    root, own = logging.getLogger(), logging.getLogger("softix")
    before = root.handlers[:], root.level, own.level, logging.raiseExceptions
    yield
    logs.set_up("info", "json")
    root.handlers[:], level, own_level, logging.raiseExceptions = before
    root.setLevel(level)
    own.setLevel(own_level)


@pytest.fixture
async def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.delenv("SOFTIX_MASTER_KEY", raising=False)
    made = assembly.read_settings(None, tmp_path / "softix")
    port = free_port()
    portal = replace(made.portal, enabled=True, port=port, public_url=f"http://localhost:{port}")
    made = replace(made, server=replace(made.server, port=0), portal=portal)
    await assembly.initialise(made)
    return made


@pytest.fixture
async def daemon(settings: Settings) -> AsyncIterator[Serving]:
    async with assembly.serving(settings) as serving:
        yield serving


def live(daemon: Serving) -> dict[str, Any]:
    """What the daemon works with, as its parts have it."""
    server, root = daemon._server, logging.getLogger()
    stream = getattr(root.handlers[0], "stream", None)
    assert daemon.portal is not None
    pages = daemon.portal._context.settings
    return {
        "policy": daemon._lifecycle.policy,
        "care": daemon._target_pool.care,
        "limits": (daemon._upstream._limits, daemon._lines._limits),
        "listening": server._connections._listening,
        "lingering": server._connections._options["lingering_s"],
        "room": (server._connections.table.most, server._connections.table.most_of_one),
        "body budget": server._requests.bodies.most_bytes,
        "key share": server._requests.key_shares.most,
        "guesses": daemon._lifecycle.guesses.per_minute,
        "bodies": (server._requests.max_body_bytes, server._requests.body_timeout_s),
        "proxies": server._requests.client_addresses.of("10.1.1.1", "192.0.2.7"),
        "scrapers": server._requests.metrics_access._networks.have("10.1.1.1"),
        "drain_s": daemon.settings.server.drain_s,
        "lame_duck_s": daemon.settings.server.lame_duck_s,
        "pages": (pages.portal, pages.mail, pages.oidc, pages.payments, pages.roles),
        "log": (logging.getLogger("softix").level, type(root.handlers[0].formatter), getattr(stream, "name", None)),
    }


def another(value: Any, name: str, hint: Any, folder: Path) -> Any:
    """A value that the setting may have, and has not."""
    if get_origin(hint) is not None and (choices := [each for each in get_args(hint) if isinstance(each, str)]):
        return next(each for each in choices if each != value)
    if isinstance(value, bool):
        return not value
    if isinstance(value, (int, float)):
        return value + 1
    if name in ("server.trusted_proxies", "server.metrics_networks"):
        return ("10.0.0.0/8",)
    return folder / "other" if "Path" in str(hint) else ("kms",)


async def test_reload_of_each_setting_applies_it_or_reports_that_a_restart_is_needed(
    daemon: Serving, settings: Settings, tmp_path: Path
) -> None:
    """What its documentation says about it is what happens."""
    daemon.reload(settings)
    before = live(daemon)
    for item in describe():
        if item.section == OF_COMMANDS:
            continue
        section, name = getattr(settings, item.section), f"{item.section}.{item.name}"
        hint = get_type_hints(type(section))[item.name]
        value = another(getattr(section, item.name), name, hint, tmp_path)
        told = daemon.reload(replace(settings, **{item.section: replace(section, **{item.name: value})}))
        if item.doc.endswith(READ_AT_THE_START):
            assert (told.taken, told.at_the_next_start) == ((), (name,))
            assert live(daemon) == before, name
        else:
            assert (told.taken, told.at_the_next_start) == ((name,), ())
            assert live(daemon) != before, f"{name} was told to be taken, and was not"
        daemon.reload(settings)
        assert live(daemon) == before, name


async def test_reload_of_unusable_settings_changes_nothing(daemon: Serving, settings: Settings, tmp_path: Path) -> None:
    before = live(daemon)
    unusable = replace(
        settings,
        log=replace(settings.log, file=tmp_path / "none" / "softix.log"),
        server=replace(settings.server, max_body_mib=1),
    )
    with pytest.raises(FailureError, match="cannot write the log"):
        daemon.reload(unusable)
    assert live(daemon) == before and daemon.settings == settings
