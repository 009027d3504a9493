"""The real thing in tests: the CLI and the daemon as processes of their own, on a data directory of their own."""

from __future__ import annotations

import asyncio
import json
import secrets
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import Future
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from support.described_answers import require_described
from support.process import environment

from softix_proxy import assembly
from softix_proxy import settings as settings_module
from softix_proxy.assembly import Instance as OpenInstance
from softix_proxy.domain.access.users import UserRole
from softix_proxy.domain.catalog.providers import ProviderType
from softix_proxy.domain.core.money import parse_usd
from softix_proxy.domain.pricing.rates import PriceSheet
from softix_proxy.operations.access import keys, users
from softix_proxy.operations.catalog import models, providers
from softix_proxy.operations.ledger import balance as balances
from softix_proxy.settings import Settings

START_TIMEOUT_S = 30
STOP_TIMEOUT_S = 30
DIRECTIVES = "x-fake,x-hostile,x-test-id"
"""Headers by which clients tell the fake providers what to do: they pass because the operator says so."""
_SETTINGS = {
    "SOFTIX_UPSTREAM_PASS_HEADERS": DIRECTIVES,
    "SOFTIX_UPSTREAM_MODELS_WITHOUT_REASONING": "gpt-test,claude-test",
}
"""What every daemon is told, unless a test says otherwise. The models are those that show all that they produce."""
PRICE = {"input": "1.00", "output": "2.00"}
"""USD per million tokens, of every prepared model."""


class Finished(NamedTuple):
    """A command that has ended."""

    code: int
    stdout: str
    stderr: str


class Instance:
    """One data directory. `cli` runs commands on it, `start` the daemon."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data_dir = folder / "softix"
        self.log = folder / "daemon.log"
        """What the daemon says on standard error, over all its starts."""
        self.output = folder / "daemon.out"
        self.url = ""
        self.process: subprocess.Popen[bytes] | None = None

    # Commands

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "softix_proxy", "--data-dir", str(self.data_dir), *arguments]

    def run(self, *arguments: str, stdin: str | None = None, **variables: str) -> Finished:
        done = subprocess.run(
            self.command(*arguments),
            input="" if stdin is None else stdin,
            capture_output=True,
            text=True,
            env=environment(**variables),
            timeout=120,
        )
        return Finished(done.returncode, done.stdout, done.stderr)

    def cli(self, *arguments: str, stdin: str | None = None, check: bool = True, **variables: str) -> Any:
        """The command's JSON; None where it printed none. With `check` its failure is the test's."""
        done = self.run("--json", *arguments, stdin=stdin, **variables)
        assert not check or done.code == 0, f"softix {' '.join(arguments)} ended with {done.code}: {done.stderr}"
        if not done.stdout.strip():
            return None
        require_described(("--json", *arguments), done.stdout)
        return json.loads(done.stdout)

    # Without a process, for what only prepares a test

    @property
    def settings(self) -> Settings:
        return settings_module.load(None, self.data_dir, {})

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[OpenInstance]:
        async with assembly.open_instance(self.settings) as opened:
            yield opened

    # The daemon

    async def start(self, *arguments: str, **variables: str) -> None:
        """Returns when it serves. Settings are given as variables: `SOFTIX_LOG_LEVEL="debug"`."""
        assert self.process is None or self.process.poll() is not None, "it runs already"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command("--json", "serve", "--port", "0", *arguments),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                env=environment(**{**_SETTINGS, **variables}),
            )
        serving: Future[str] = Future()
        threading.Thread(target=self._read_output, args=(self.process, serving), daemon=True).start()
        try:
            self.url = await asyncio.wait_for(asyncio.wrap_future(serving), START_TIMEOUT_S)
        except BaseException:
            await self.kill()
            raise

    def _read_output(self, process: subprocess.Popen[bytes], serving: Future[str]) -> None:
        assert process.stdout is not None
        with process.stdout as lines, self.output.open("ab") as output:
            for line in lines:
                output.write(line)
                output.flush()
                if (
                    line.startswith(b"{")
                    and not serving.done()
                    and (told := json.loads(line)).get("event") == "serving"
                ):
                    serving.set_result(told["url"])
        if not serving.done():
            serving.set_exception(RuntimeError(f"softix serve ended with {process.wait()}: {self.log_text()[-2000:]}"))

    def log_text(self) -> str:
        return self.log.read_text() if self.log.exists() else ""

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def send(self, number: int) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    async def wait(self, timeout_s: float = STOP_TIMEOUT_S) -> int:
        """The exit code. Raises subprocess.TimeoutExpired."""
        assert self.process is not None
        return await asyncio.to_thread(self.process.wait, timeout_s)

    async def stop(self, number: int = signal.SIGTERM, timeout_s: float = STOP_TIMEOUT_S) -> int:
        """Sends the signal, and returns the exit code."""
        self.send(number)
        return await self.wait(timeout_s)

    async def kill(self) -> None:
        """As `kill -9` does, and waits until it is gone."""
        if self.running:
            await self.stop(signal.SIGKILL)

    @asynccontextmanager
    async def serving(self, *arguments: str, **variables: str) -> AsyncIterator[Instance]:
        """Runs within the block; stopped gracefully at its end, killed if that fails."""
        await self.start(*arguments, **variables)
        try:
            yield self
            if self.running:
                assert await self.stop() == 0, self.log_text()[-2000:]
        finally:
            await self.kill()


@dataclass
class Prepared:
    """An instance with a user who has a key and money, and providers whose models are priced."""

    instance: Instance
    key: str = field(repr=False)
    key_id: str
    user: str
    """Name of the user."""
    user_id: str
    provider_keys: Mapping[str, str] = field(repr=False)
    """Provider → the secret that softix shows to it; made for this test."""

    @property
    def url(self) -> str:
        return self.instance.url

    @property
    def openai_url(self) -> str:
        return f"{self.url}/v1"

    @property
    def headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.key}"}

    def balance(self) -> dict[str, Any]:
        """`balance held available credit_limit currency`, as the CLI shows them."""
        shown: dict[str, Any] = self.instance.cli("balance", "show", self.user)
        return shown

    def usage(self) -> list[dict[str, Any]]:
        """All rows, the newest first."""
        rows: list[dict[str, Any]] = self.instance.cli("usage", "list", "--limit", "100000")
        return rows

    def verify(self) -> Any:
        return self.instance.cli("ledger", "verify")


async def prepared(
    folder: Path,
    provider_url: str,
    *,
    balance: str = "25.00",
    chat_models: tuple[str, ...] = ("gpt-test",),
    message_models: tuple[str, ...] = ("claude-test",),
    on_hang_up: Any = None,
    **key_options: Any,
) -> Prepared:
    """Providers `chat-lab` and `message-lab` at this URL; the daemon is not started yet.

    What is left over goes to `operations.access.keys.create`.
    """
    instance = Instance(folder)
    await assembly.initialise(instance.settings)
    sheet = PriceSheet.parse({"bands": [{"prices": PRICE}]})
    secrets_of = {name: f"sk-{secrets.token_urlsafe(24)}" for name in ("chat-lab", "message-lab")}
    labs = (
        ("chat-lab", ProviderType.OPENAI_COMPATIBLE, chat_models),
        ("message-lab", ProviderType.ANTHROPIC, message_models),
    )
    async with instance.opened() as opened:
        storage, vault = opened.storage, await opened.vault()
        for name, kind, offered in labs:
            await providers.add(
                storage, vault, name=name, kind=kind, base_url=provider_url, key=secrets_of[name], on_hang_up=on_hang_up
            )
            for model in offered:
                await models.add(
                    storage,
                    name=model,
                    provider=name,
                    sheet=sheet,
                    context_tokens=100_000,
                    max_output_tokens=4_096,
                )
        user = await users.create(storage, name="ada", email="ada@example.org", role=UserRole.USER, postpaid=False)
        if balance:
            await balances.add(storage, user.public_id, parse_usd(balance), note="for the test")
        issued = await keys.create(storage, vault, user=user.public_id, **key_options)
    return Prepared(instance, issued.text, issued.key.public_id, user.name, user.public_id, secrets_of)
