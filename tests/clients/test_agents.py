"""Coding agents finish a task with a tool, through settings that `softix connect` wrote."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from clients.conftest import MODELS, program, settled
from support.agent_server import DONE, PROOF
from support.daemon import Prepared

TIMEOUT_S = 120


async def connect(made: Prepared, home: Path, client: str, model: str) -> None:
    arguments = ("connect", client, "--write", "--user", made.user, "--model", model, "--base-url", made.url)
    done = await asyncio.to_thread(made.instance.run, *arguments, HOME=str(home))
    assert done.code == 0, done.stderr


async def run(home: Path, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    kept: Mapping[str, str] = {"PATH": os.environ["PATH"], "HOME": str(home), **variables}

    def wait() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=home / "project",
            env=kept,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
        )

    return await asyncio.to_thread(wait)


@pytest.mark.parametrize("dialect", MODELS)
async def test_claude_code_with_connect_settings_writes_the_file_by_a_tool(
    served: Prepared, home: Path, dialect: str
) -> None:
    claude, proof = program("claude"), home / "project" / "proof.txt"
    await connect(served, home, "claude-code", MODELS[dialect])
    done = await run(
        home,
        *(claude, "-p", f"Write the file proof={proof}", "--permission-mode", "acceptEdits"),
        CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC="1",
        DISABLE_AUTOUPDATER="1",
    )
    assert (done.returncode, done.stdout.strip()) == (0, DONE), done.stdout + done.stderr
    assert proof.read_text() == PROOF
    rows = settled(served)
    assert len(rows) >= 2 and {row["model"] for row in rows} == {MODELS[dialect]}


@pytest.mark.parametrize("dialect", MODELS)
async def test_codex_with_connect_settings_writes_the_file_by_a_tool(
    served: Prepared, home: Path, dialect: str
) -> None:
    codex, proof = program("codex"), home / "project" / "proof.txt"
    await connect(served, home, "codex", MODELS[dialect])
    unguarded = ("--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox")
    done = await run(home, codex, "exec", *unguarded, f"Write the file proof={proof}")
    assert (done.returncode, done.stdout.strip()) == (0, DONE), done.stdout + done.stderr
    assert proof.read_text() == PROOF
    rows = settled(served)
    assert len(rows) >= 2 and {row["endpoint"] for row in rows} == {"responses"}
