"""Help texts and decisions are written for the reader: a verb first, whole sentences, and what was rejected."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from support.sources import ROOT

from softix_proxy import settings
from softix_proxy.cli.main import COMMANDS, main

VERBS = re.findall(
    r"\w+",
    """
    Accept Acknowledge Add Approve Calculate Cancel Change Check Close Compare Correct Create Delete Disable
    Enable Explain Export Invite Issue List Make Move Offer Print Propose Prove Refuse Reject Remove
    Replace Replay Revoke Run Set Show Sign Stop Sum Test Tune Undo Update Use Verify
    """,
)
"""What a command can do. A new one is added here once it is sure that none of these says it."""
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("*.md"))


def every_command(context: click.Context) -> Iterator[click.Context]:
    yield context
    if isinstance(context.command, click.Group):
        for name in context.command.list_commands(context):
            command = context.command.get_command(context, name)
            assert command
            yield from every_command(click.Context(command, info_name=name, parent=context))


def everything() -> list[click.Context]:
    return list(every_command(click.Context(main, info_name="softix")))


def unclear(text: str) -> str | None:
    """What is wrong with a help text that says what something does or is."""
    text = text.partition("  [default:")[0]
    if not text:
        return "there is none"
    if not text[0].isupper():
        return "it begins with a small letter"
    if not text.rstrip().endswith("."):
        return "it ends without a full stop"
    return None


def test_help_of_a_command_begins_with_a_verb() -> None:
    told = {context.command_path: context.command.help or "" for context in everything()}
    told |= {f"softix --help: {name}": text for name, text in COMMANDS.items()}
    wrong = [f"{path}: {text.split()[0]}" for path, text in told.items() if text.split()[0].strip(",.:") not in VERBS]
    assert wrong == [], "say first what the command does, with a verb"


def test_first_sentence_of_help_has_a_line_to_itself() -> None:
    """A list of commands shows it, and cuts what is longer."""
    for context in everything():
        first = re.split(r"\n\s*\n| Example: ", (context.command.help or "").strip())[0]
        assert "\n" not in first and first.endswith("."), context.command_path


def test_help_of_an_option_is_a_sentence() -> None:
    wrong = [
        f"{context.command_path} {item.opts[0]}: {problem}"
        for context in everything()
        for item in context.command.params
        if isinstance(item, click.Option) and not item.hidden and (problem := unclear(item.help or ""))
    ]
    assert wrong == []


def test_text_of_a_setting_is_a_sentence() -> None:
    wrong = {f"{item.section}.{item.name}": unclear(item.doc) for item in settings.describe()}
    assert {name: problem for name, problem in wrong.items() if problem} == {}


@pytest.mark.parametrize("text", ["", "of the cap.", "Of the cap"])
def test_unclear_of_a_clipped_text_says_why(text: str) -> None:
    assert unclear(text)


@pytest.mark.parametrize("page", DECISIONS, ids=lambda path: path.stem)
def test_decision_says_what_was_rejected(page: Path) -> None:
    text = page.read_text("utf-8")
    number, _, title = text.partition("\n")[0].removeprefix("# ").partition(". ")
    assert int(number) == int(page.name[:4]) and title, f"the first line is `# {int(page.name[:4])}. What was decided`"
    assert re.search(r"\brejected\b", text, re.IGNORECASE), "say what was rejected, and why"
