"""Documents, help texts and remedies against the code: what they name exists."""

from __future__ import annotations

import ast
import json
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from support.sources import ROOT, sources

from softix_proxy import settings
from softix_proxy.cli.main import COMMANDS, main

PAGES = [
    *ROOT.glob("*.md"),
    *(ROOT / "docs").rglob("*.md"),
    *(path for path in (ROOT / "examples").rglob("*") if path.is_file() and "node_modules" not in path.parts),
]
CALL = re.compile(r"(?:^|(?<=[\s(`/\"]))softix((?: +|\", *\")[^\n`]*)")
"""`softix …` in code, with a path before it or not; also as a list of arguments."""
FENCE = re.compile(r"^ *```(\w*)[^\n]*\n(.*?)^ *```", re.DOTALL | re.MULTILINE)
SPAN = re.compile(r"(?<!`)`(softix [^`]+)`(?!`)")
PROGRAMS = (".py", ".js", ".mjs", ".ts")
OTHER_VARIABLES = {"SOFTIX_MASTER_KEY", "SOFTIX_TOKEN", "SOFTIX_CONFIG", "SOFTIX_DATA_DIR"}
"""The variables that are read apart from the settings."""
END = re.compile(r"^(\||\|\||&&|;|>|>>|<|2>|&)$")
REMEDY = re.compile(r"(?:softix )((?:--?[a-z][\w-]*|[a-z][\w-]*)(?: .*)?)", re.DOTALL)


class WrongError(Exception):
    """What is named does not exist."""


def check(words: list[str]) -> None:
    """Raises WrongError unless these commands and options exist; `a|b` stands for each of the two."""
    context = click.Context(main, info_name="softix")
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word.startswith("-") and word != "-":
            _option(context, word, rest)
        elif isinstance(context.command, click.Group):
            found = [(name, context.command.get_command(context, name)) for name in word.split("|")]
            for name, command in found:
                if command is None:
                    raise WrongError(f"{context.command_path} has no command {name!r}")
            name, command = found[0]
            assert command
            context = click.Context(command, info_name=name, parent=context)


def _option(context: click.Context, word: str, rest: list[str]) -> None:
    for name in word.partition("=")[0].split("|"):
        known = {
            text: item for item in context.command.get_params(context) for text in (*item.opts, *item.secondary_opts)
        }
        item = known.get(name)
        if item is None:
            raise WrongError(f"{context.command_path} has no option {name}")
    if isinstance(item, click.Option) and not item.is_flag and "=" not in word and rest:
        rest.pop(0)


def arguments(text: str) -> list[str]:
    """The words of one command: up to a pipe, a redirection, the next command or a comment."""
    bare = re.sub(r"[\[\]]|…|\.\.\.", " ", re.sub(r"\s#.*", "", text))
    try:
        words = shlex.split(bare.replace(";", " ; "))
    except ValueError:
        words = bare.split()
    end = next((at for at, word in enumerate(words) if END.match(word)), len(words))
    return [word.strip('(),"') for word in words[:end] if word.strip('(),"')]


def calls(path: Path) -> Iterator[str]:
    """Each command that a page or an example shows; in prose and comments, only what begins as a command does."""
    text = path.read_text("utf-8").replace("\\\n", " ")
    shown = [text]
    if path.suffix == ".md":
        shown = [body for language, body in FENCE.findall(text) if language in ("", "sh", "bash", "console", "shell")]
        shown += SPAN.findall(FENCE.sub("", text))
    for line in (line for part in shown for line in part.splitlines()):
        prose = path.suffix in PROGRAMS or re.match(r"\s*(#|//)", line)
        for match in CALL.finditer(line):
            call = match[1].replace('", "', " ").replace('","', " ")
            if not prose or call.split()[0] in COMMANDS:
                yield call


def problems(shown: Iterator[str]) -> list[str]:
    found = []
    for call in shown:
        words = arguments(call)
        if words and not re.fullmatch(r"-?-?[a-z][\w|-]*", words[0]):
            continue
        try:
            check(words)
        except WrongError as wrong:
            found.append(f"softix{call}: {wrong}")
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_command_in_a_document_exists(page: Path) -> None:
    assert problems(calls(page)) == []


def every_command(context: click.Context) -> Iterator[click.Context]:
    yield context
    if isinstance(context.command, click.Group):
        for name in context.command.list_commands(context):
            command = context.command.get_command(context, name)
            assert command
            yield from every_command(click.Context(command, info_name=name, parent=context))


def test_help_of_each_command_ends_with_an_example_of_it() -> None:
    wrong = []
    for context in every_command(click.Context(main, info_name="softix")):
        path = context.command_path.removeprefix("softix").strip()
        _, found, example = " ".join((context.command.help or "").split()).partition("Example: ")
        shown = [match[1] for match in CALL.finditer(example.replace("$(", " "))]
        if not found or not shown or path not in " ".join(shown):
            wrong.append(f"{context.command_path}: its help ends with no `Example: {context.command_path} …`")
        wrong += problems(iter(shown))
    assert wrong == []


def spoken(tree: ast.Module) -> Iterator[str]:
    """The texts of a program, with X in the place of what is filled in."""
    inside = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "X" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inside:
            yield node.value


def test_command_in_a_message_exists() -> None:
    """Remedies first of all. Of prose (`softix serves`), only what begins with a command is a command."""
    wrong = []
    for source in sources("softix_proxy"):
        for text in spoken(source.tree):
            for match in REMEDY.finditer(text):
                first, *_ = match[1].split()
                if first in COMMANDS or first.startswith("--"):
                    sentence = re.split(
                        r"[,;:.)`'\"]+(?:\s|$)|\n| \(| and | or | as | with | for | to | in ", match[1]
                    )[0]
                    wrong += [f"{source.place}: {line}" for line in problems(iter([f" {sentence}"]))]
    assert wrong == []


def test_reference_of_commands_is_current() -> None:
    command = [sys.executable, ROOT / "scripts" / "make_reference.py", "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stdout}{done.stderr}\ninstead of editing: make reference"


def test_example_configuration_contains_every_setting() -> None:
    text = (ROOT / "config.example.toml").read_text("utf-8")
    section, found = "", {}
    for line in text.splitlines():
        if match := re.fullmatch(r"\[(\w+)\]", line):
            section = match[1]
        elif match := re.match(r"#(?: Not set; for example: )?(\w+) = (.+)", line):
            found[f"{section}.{match[1]}"] = match[2]
    described = {f"{item.section}.{item.name}": item for item in settings.describe()}
    assert list(found) == list(described)
    assert text == settings.example(), "softix config example > config.example.toml"


def test_proven_clients_in_the_document_are_exactly_those_tested() -> None:
    """What `tests/clients` installs, and no other."""
    told = (ROOT / "docs" / "clients.md").read_text("utf-8").partition("## Proven with")[2]
    rows = [line.split("|")[2] for line in told.splitlines() if line.startswith("| ") and "`" in line.split("|")[2]]
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    programs = json.loads((ROOT / "tests" / "clients" / "package.json").read_text("utf-8"))["dependencies"]
    sdks = {"anthropic", "google-genai", "openai"}
    libraries = {re.split(r"[<>=]", line)[0] for line in (*extras["clients"], *extras["test"])}
    assert sdks <= libraries
    used = sdks | {re.split(r"[<>=]", line)[0] for line in extras["clients"]} | set(programs)
    assert {name for row in rows for name in re.findall(r"`([^`]+)`", row)} == used


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_variable_in_a_document_is_a_setting(page: Path) -> None:
    known = {item.variable for item in settings.describe()} | OTHER_VARIABLES
    named = set(re.findall(r"\bSOFTIX_[A-Z][A-Z_]*[A-Z]\b", page.read_text("utf-8")))
    assert named - known - {"SOFTIX_API_KEY", "SOFTIX_BASE_URL"} == set(), "settings.py has no such setting"


@pytest.mark.parametrize("page", [path for path in PAGES if path.suffix == ".md"], ids=lambda path: path.name)
def test_link_in_a_document_leads_to_a_file(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", FENCE.sub("", page.read_text("utf-8")))
    lost = [link for link in links if "://" not in link and not link.startswith("mailto:")]
    assert [link for link in lost if not (page.parent / link).exists()] == []


@pytest.mark.parametrize(
    ("words", "wrong"),
    [
        ("users create ada --email a --role admin", None),
        ("--data-dir /srv users list --json", None),
        ("models list|show", None),
        ("keys create --user U [--rpm N] | jq .key", None),
        ("usage export --from=2026-10-01 > out.csv", None),
        ("user list", "softix has no command 'user'"),
        ("users made", "softix users has no command 'made'"),
        ("models list|shown", "softix models has no command 'shown'"),
        ("users create ada --mail a", "softix users create has no option --mail"),
        ("--datadir x users list", "softix has no option --datadir"),
    ],
)
def test_check_of_commands_with_an_unknown_word_reports_it(words: str, wrong: str | None) -> None:
    found = problems(iter([f" {words}"]))
    assert found == ([f"softix {words}: {wrong}"] if wrong else [])
