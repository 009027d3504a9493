from __future__ import annotations

import re

import pytest
from support.sources import ROOT

from softix_proxy.dialects.canonical.loss_table import ANSWERS, CARRIED, NAMES, READING, WRITING
from softix_proxy.dialects.canonical.losses import LossTreatment, directions, losses, rows
from softix_proxy.dialects.translate.dialect_table import DIALECTS, PROVIDERS
from softix_proxy.domain.core.errors import Code, RefusedError


def test_loss_tables_for_each_dialect_are_present() -> None:
    assert set(READING) == set(DIALECTS)
    assert set(NAMES) == set(WRITING) == set(PROVIDERS) - set(CARRIED)
    assert len(list(directions())) == len(DIALECTS) * (len(NAMES) - 1)


def test_losses_of_a_carrier_of_messages_are_those_of_messages() -> None:
    for carrier in CARRIED:
        _, writing = losses("chat_completions", carrier)
        writing.meet("seed")
        assert list(writing.found) == ["seed"]


def test_loss_in_both_directions_is_noted_once() -> None:
    reading, writing = losses("chat_completions", "messages")
    reading.meet("store")
    writing.meet("seed")
    writing.meet("seed")
    assert list(reading.found) == list(writing.found) == ["store", "seed"]


def test_loss_that_must_not_happen_is_refused() -> None:
    reading, _ = losses("responses", "messages")
    with pytest.raises(RefusedError, match="`previous_response_id` cannot be translated") as refused:
        reading.meet("previous_response_id")
    assert refused.value.code is Code.INVALID_REQUEST


def test_loss_entry_in_every_table_has_a_treatment_and_a_reason() -> None:
    entries = [entry for table in (*READING.values(), *WRITING.values(), ANSWERS) for entry in table.items()]
    assert all(loss.fate in set(LossTreatment) and loss.reason for _, loss in entries)
    assert all(re.fullmatch(r"[a-z_0-9]+", name) for name, _ in entries)
    assert all(loss.reason.endswith(".") for _, loss in entries if loss.fate == LossTreatment.REFUSED)


@pytest.mark.parametrize("table", [READING, WRITING])
def test_loss_entry_in_every_table_is_used_by_the_code(table: dict[str, dict[str, object]]) -> None:
    folders = {
        "chat_completions": "openai/chat",
        "converse": "bedrock",
        "generate_content": "gemini",
        "messages": "anthropic",
        "responses": "openai/responses",
    }
    package = ROOT / "softix_proxy" / "dialects"
    shared = "".join(
        path.read_text("utf-8")
        for folder in ("canonical", "translate")
        for path in (package / folder).glob("*.py")
        if path.name != "loss_table.py"
    )
    shared += (package / "anthropic" / "claude.py").read_text("utf-8")
    for dialect, entries in table.items():
        own = "".join(path.read_text("utf-8") for path in (package / folders[dialect]).glob("*.py"))
        chat = (package / "openai/chat/write_request.py").read_text("utf-8") if dialect == "responses" else ""
        idle = [
            name
            for name in entries
            if f'"{name}"' not in own + shared + chat and not (name in ("audio", "video") and ".kind)" in own)
        ]
        assert idle == [], dialect


def test_loss_rows_of_a_direction_list_only_fields_of_its_client() -> None:
    fields = {row.field for row in rows("chat_completions", "messages")}
    assert {"seed", "n", "logit_bias", "no_output_limit"} <= fields
    assert not fields & {"top_k", "mcp_servers"}
    assert "top_k" in {row.field for row in rows("generate_content", "responses")}
    assert "answer: images" in {row.field for row in rows("messages", "generate_content")}
    assert "answer: images" not in {row.field for row in rows("chat_completions", "generate_content")}
