"""Every option of every command, given what nobody should have to think of."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from support.commands import Leaf, leaves

from softix_proxy import assembly
from softix_proxy.cli.main import main

LEAVES = list(leaves())
NAMES = [" ".join(leaf.path) for leaf in LEAVES]
EMPTY = ["", " ", "\t "]
UNPRINTABLE = ["a\0b", "\x1b[31mred", "two\nlines", "half \ud83d"]
ALWAYS = ["9" * 20, "9" * 5_000, "-1", "x" * 5_000, "f" * 300]
IN_TURN = ["1e400", "nan", "../" * 40, "٣", "%s%n", "'; DROP TABLE users", "👩‍🚀", "none", "2026-13-45", "/dev/full"]
"""Two of these for each parameter."""
SERVES = {"serve", "quickstart", "portal", "audit follow"}
"""They would go on running where a value is accepted."""


def told(words: list[str]) -> tuple[int, str]:
    """Exit code and what was said. An exception that no command foresaw fails the test."""
    result = CliRunner().invoke(main, words)
    assert result.exception is None or isinstance(result.exception, SystemExit), (words, result.exc_info)
    return result.exit_code, result.output


@pytest.mark.parametrize("leaf", LEAVES, ids=NAMES)
@pytest.mark.parametrize("value", EMPTY + UNPRINTABLE)
def test_option_with_empty_or_unprintable_value_is_refused(leaf: Leaf, value: str, tmp_path: Path) -> None:
    """Before anything is opened: there is no instance in this folder, and none comes into being."""
    folder = tmp_path / "softix"
    for param in leaf.valued:
        if value not in EMPTY and "\0" not in value and isinstance(param.type, click.Path):
            continue  # a file may be named so
        code, said = told(["--data-dir", str(folder), *leaf.words(param, value)])
        expected = "is empty" if value in EMPTY else "one line of text"
        assert code == 2 and expected in said, (leaf.path, param.name, value, said)
    assert not folder.exists()


@pytest.mark.parametrize("option", ["--data-dir", "--config"])
def test_global_option_with_empty_value_is_refused(option: str) -> None:
    code, said = told([option, "", "users", "list"])
    assert code == 2 and f"{option} is empty" in said


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An instance with a user, a key, money, a provider and a priced model."""
    folder = tmp_path_factory.mktemp("template") / "softix"
    asyncio.run(assembly.initialise(assembly.read_settings(None, folder)))
    for line in (
        "users create ada --email ada@example.org",
        "keys create --user ada --name ci",
        "balance add ada@example.org 5.00 --note test",
        "providers add lab --type openai-compatible --base-url http://127.0.0.1:1",
        "models add gpt-test --provider lab --input 1 --output 2",
    ):
        code, said = told(["--data-dir", str(folder), *line.split()])
        assert code == 0, said
    return folder


@pytest.mark.parametrize("leaf", LEAVES, ids=NAMES)
def test_option_with_hostile_value_ends_in_one_line(
    leaf: Leaf, template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Done, or refused with exit code 1 or 2 and a short word; nothing else happens to be raised."""
    folder = tmp_path / "softix"
    shutil.copytree(template, folder)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for number, param in enumerate(leaf.valued, len(leaf.command.params)):
        for value in (*ALWAYS, IN_TURN[number % len(IN_TURN)], IN_TURN[(3 * number + 1) % len(IN_TURN)]):
            if " ".join(leaf.path) in SERVES and (param.name, value) not in REFUSED_AT_START:
                continue
            code, said = told(["--data-dir", str(folder), *leaf.words(param, value)])
            assert code in (0, 1, 2), (leaf.path, param.name, value, said)
            assert code == 0 or (said.strip() and max(map(len, said.splitlines())) < 600), (
                leaf.path,
                param.name,
                value,
            )


REFUSED_AT_START = {
    (name, value)
    for name in ("port", "host")
    for value in ("9" * 20, "9" * 5_000, "-1", "1e400", "x" * 5_000, "f" * 300, "'; DROP TABLE users")
} | {
    (name, value) for name in ("from_", "to", "after") for value in ("-1", "x" * 5_000, "f" * 300, "nan", "2026-13-45")
}
