import json
import secrets
import shlex
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
from click.testing import CliRunner, Result

from softix_proxy import assembly
from softix_proxy.cli.catalog.providers import providers
from softix_proxy.cli.main import main
from softix_proxy.domain.core.clock import SystemClock
from softix_proxy.operations.catalog import catalogue
from softix_proxy.storage.sqlite.core.database import Database
from softix_proxy.storage.sqlite.unit import SqliteStorage

FIELDS = [
    "id", "name", "type", "base_url", "on_hang_up", "status", "has_key", "keys", "region", "created_at",
    "version_in_url", "drop_fields", "unknown_members",
]  # fmt: skip


class LockBox:
    """Keeps secrets in memory, each at its place."""

    sealed: ClassVar[dict[bytes, tuple[bytes, tuple[str, ...]]]] = {}

    def seal_secret(self, secret: bytes, *place: str) -> bytes:
        blob = secrets.token_bytes(16)
        self.sealed[blob] = (secret, place)
        return blob

    def open_secret(self, blob: bytes, *place: str) -> str:
        secret, sealed_for = self.sealed[blob]
        assert place == sealed_for
        return secret.decode()


@pytest.fixture
def softix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Runs a command line on a real database."""
    Database(tmp_path / "softix.db", SystemClock()).create()

    @asynccontextmanager
    async def open_instance(_settings: object) -> AsyncIterator[SimpleNamespace]:
        database = await Database(tmp_path / "softix.db", SystemClock()).open()

        async def vault() -> object:
            return LockBox()

        settings = SimpleNamespace(upstream=SimpleNamespace(ca_file=None))
        try:
            opened = SimpleNamespace(settings=settings, storage=SqliteStorage(database), vault=vault)

            async def entered(_operation: str, _token: str | None) -> SimpleNamespace:
                return opened

            opened.entered = entered
            yield opened
        finally:
            await database.close()

    monkeypatch.setattr(assembly, "read_settings", lambda *_: None)
    monkeypatch.setattr(assembly, "open_instance", open_instance)

    def run(line: str, stdin: str = "", code: int = 0) -> Result:
        result = CliRunner().invoke(main, shlex.split(line), input=stdin)
        assert result.exit_code == code, result.output
        return result

    return run


def read(result: Result) -> Any:
    return json.loads(result.stdout)


@pytest.fixture
def key() -> str:
    return "sk-" + secrets.token_urlsafe(24)


def sealed_keys() -> set[str]:
    return {secret.decode() for secret, _ in LockBox.sealed.values()}


# Adding


def test_providers_add_with_key_stdin_seals_the_key_from_standard_input(
    softix: Callable[..., Result], key: str
) -> None:
    result = softix("providers add openai --type openai --key-stdin --json", key + "\n")
    added = read(result)
    assert list(added) == [*FIELDS, "tested"]
    assert added | {"id": "", "created_at": ""} == {
        "id": "",
        "name": "openai",
        "type": "openai",
        "base_url": "https://api.openai.com",
        "on_hang_up": "cancel",
        "status": "active",
        "has_key": True,
        "keys": [{"label": "main", "weight": 1}],
        "region": None,
        "created_at": "",
        "version_in_url": False,
        "drop_fields": [],
        "unknown_members": None,
        "tested": {
            "ok": False,
            "status": None,
            "message": "the host name is not known",
            "remedy": "check the base URL and the machine's DNS",
        },
    }
    assert added["id"].startswith("prv_")
    assert key in sealed_keys()
    assert len(read(softix("models list --provider openai --json"))) == len(catalogue.load().models("openai"))


def test_providers_add_with_key_variable_or_key_file_seals_the_key(
    softix: Callable[..., Result], key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOME_KEY", key)
    assert read(softix("providers add a --type anthropic --key-env SOME_KEY --json"))["has_key"]
    (tmp_path / "key").write_text(f"{key[::-1]}\n")
    assert read(softix(f"providers add b --type anthropic --key-file {tmp_path}/key --on-hang-up drain --json"))[
        "has_key"
    ]
    assert {key, key[::-1]} <= sealed_keys()
    assert read(softix("providers show b --json"))["on_hang_up"] == "drain"


def test_providers_commands_have_no_option_that_takes_the_key_itself() -> None:
    options = {option for command in providers.commands.values() for p in command.params for option in p.opts}
    assert {"--key-stdin", "--key-env", "--key-file"} <= options
    assert "--key" not in options


def test_providers_add_with_version_in_base_url_reports_the_normalized_url(softix: Callable[..., Result]) -> None:
    result = softix("providers add lab --type openai-compatible --base-url http://lab:8000/v1/")
    assert "The base URL is http://lab:8000:" in result.stderr
    assert "softix models add NAME --provider lab" in result.stderr
    assert "has_key          no" in result.stdout


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("add x --type openai", "needs an API key"),
        ("add x --type openai-compatible", "--base-url"),
        ("add x --type openai-compatible --base-url http://169.254.169.254", "link-local"),
        ("add X --type demo", "not a usable name"),
        ("add x --type openai --key-env NO_SUCH_VARIABLE", "no key"),
        ("add x --type openai --key-env A --key-stdin", "more than one source"),
        ("set-key x", "no key"),
        ("set-key x --key-stdin", "no key"),
        ("add x --type other", "--type"),
        ("add x", "the type is missing"),
        ("add azure --key-env SOME_KEY", "needs its resource"),
        ("add azure --key-env SOME_KEY --resource a.b", "needs its resource"),
        ("add azure --key-env SOME_KEY --resource a --project b", "--project has no place"),
        ("add x --type azure --base-url http://a --key-env SOME_KEY --resource a", "--resource has no place"),
        ("add groq --key-env SOME_KEY --free", "groq has prices"),
        ("add groq --key-env SOME_KEY --models none", "no 'none'"),
        ("add groq --key-env SOME_KEY --models ,", "--models is empty"),
    ],
)
def test_providers_command_with_bad_input_exits_with_code_2_and_a_reason(
    softix: Callable[..., Result], line: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOME_KEY", "sk-any")
    assert said in softix(f"providers {line}", code=2).stderr


def test_providers_add_with_unreadable_key_file_exits_with_code_1(
    softix: Callable[..., Result], tmp_path: Path
) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    for name in ("none", "binary"):
        result = softix(f"providers add x --type openai --key-file {tmp_path}/{name}", code=1)
        assert "cannot read" in result.stderr


# The rest


def test_providers_list_and_show_with_two_providers_return_the_same_fields(
    softix: Callable[..., Result], key: str
) -> None:
    softix("providers add demo --type demo")
    softix("providers add lab --type openai-compatible --base-url http://lab --key-stdin", key)
    listed = read(softix("providers list --json"))
    assert [(one["name"], list(one)) for one in listed] == [("demo", FIELDS), ("lab", FIELDS)]
    assert read(softix(f"--json providers show {listed[1]['id']}")) == listed[1]
    assert softix("providers list").stdout.splitlines()[0].split("\t")[:2] == ["name", "type"]
    assert "no provider 'none'" in softix("providers show none", code=1).stderr


def test_providers_update_with_new_base_url_without_the_key_is_refused(softix: Callable[..., Result], key: str) -> None:
    softix("providers add lab --type openai-compatible --base-url http://lab --key-stdin", key)
    softix("providers set-key lab --key-stdin", key + "2")
    refusal = softix("providers update lab --base-url http://bal --json", code=1)
    assert "key again" in json.loads(refusal.stderr)["remedy"]
    assert read(softix("providers update lab --on-hang-up drain --json"))["on_hang_up"] == "drain"
    assert (
        read(softix("providers update lab --base-url http://bal --key-stdin --json", key + "3"))["base_url"]
        == "http://bal"
    )
    assert {key, key + "2", key + "3"} <= sealed_keys()


def test_providers_update_with_drop_and_keep_field_changes_the_dropped_fields(softix: Callable[..., Result]) -> None:
    line = "providers add lab --type openai-compatible --base-url http://lab --no-test"
    softix(f"{line} --drop-field stream_options --drop-field store")
    assert read(softix("providers show lab --json"))["drop_fields"] == ["stream_options", "store"]
    assert "stream_options, store" in softix("providers list").stdout
    changed = softix("providers update lab --drop-field user --keep-field store --json")
    assert read(changed)["drop_fields"] == ["stream_options", "user"]
    for field in ("max_tokens", "messages", "service_tier", "n"):
        refused = softix(f"providers update lab --drop-field {field}", code=2)
        assert f"{field} decides" in refused.stderr
    assert "not the name of a field" in softix("providers update lab --drop-field a.b", code=2).stderr
    assert read(softix("providers show lab --json"))["drop_fields"] == ["stream_options", "user"]


def test_providers_update_with_a_rule_for_unknown_members_sets_and_removes_it(softix: Callable[..., Result]) -> None:
    assert (
        read(softix("providers add lab --type openai-compatible --base-url http://lab --no-test --json"))[
            "unknown_members"
        ]
        is None
    )
    for rule in ("pass", "strip", "refuse"):
        assert read(softix(f"providers update lab --unknown-members {rule} --json"))["unknown_members"] == rule
    assert read(softix("providers update lab --region eu --json"))["unknown_members"] == "refuse"
    assert read(softix("providers update lab --unknown-members none --json"))["unknown_members"] is None
    assert "pass" in softix("providers update lab --unknown-members wombat", code=2).stderr


def test_providers_disable_enable_and_remove_change_the_status(softix: Callable[..., Result], key: str) -> None:
    added = read(softix("providers add main --type anthropic --key-stdin --json", key))
    assert read(softix("providers disable main --json"))["status"] == "disabled"
    assert read(softix("models list --json")) == []
    assert read(softix("providers enable main --json"))["status"] == "active"
    assert "--yes" in softix("providers remove main", code=2).stderr
    assert read(softix("providers show main --json"))["status"] == "active"
    removed = read(softix("providers remove main --yes --json"))
    assert (removed["status"], removed["has_key"], removed["name"]) == ("removed", False, added["id"])
    assert "no provider" in softix("providers remove main --yes", code=1).stderr
    softix("providers add main --type anthropic --key-stdin", key)


@pytest.mark.parametrize("name", sorted(providers.commands))
def test_providers_command_help_contains_an_example(name: str) -> None:
    result = CliRunner().invoke(main, ["providers", name, "--help"])
    assert result.exit_code == 0 and f"softix providers {name}" in " ".join(result.output.split())


# The real program


def test_provider_key_after_add_is_in_no_file_and_no_output_of_the_process(tmp_path: Path, key: str) -> None:
    def run(*line: str, stdin: str = "") -> str:
        program = [sys.executable, "-c", "from softix_proxy.cli.main import main; main()", "--data-dir", str(tmp_path)]
        done = subprocess.run([*program, *line], input=stdin, capture_output=True, text=True, check=True)
        assert key not in done.stdout + done.stderr
        return done.stdout

    run("init")
    run("providers", "add", "openai", "--type", "openai", "--key-stdin", "--no-test", stdin=key)
    assert json.loads(run("providers", "show", "openai", "--json"))["has_key"]
    assert json.loads(run("prices", "show", "gpt-4o-mini", "--json"))["prices"]["input"] == "0.15"
    assert all(key.encode() not in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
