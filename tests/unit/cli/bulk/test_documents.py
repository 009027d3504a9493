from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

Run = Callable[..., Result]
Read = Callable[[str], Any]
YAML = """
users:
  - name: bob
    email: bob@example.org
    postpaid: true
keys:
  - {user: bob, name: ci, rpm: 60, models: [gpt-*, best]}
"""


@pytest.mark.parametrize(
    ("text", "code", "told"),
    [
        ("[[user]]\n", 2, "an unknown section 'user'"),
        ("users = 5\n", 2, "users in wrong.toml is not a list of things"),
        ("[[users]]\nname = 'bob'\n", 2, "users 1: email is missing"),
        ("[[users]]\nname = 'bob'\nemail = 'b@example.org'\nmail = 'x'\n", 2, "there is no 'mail'"),
        ("[[users]]\nname = 'bob'\nemail = 'b@example.org'\npostpaid = 'yes'\n", 2, "postpaid is not a boolean"),
        ("[[users]]\nname = 'bob'\nemail = 'b@example.org'\nstatus = 'gone'\n", 2, "none of its values"),
        ("[[users]]\nname = 'bob'\nemail = 'bob'\n", 2, "users bob: "),
        ("[[keys]]\nuser = 'nobody'\nname = 'ci'\n", 1, "no user 'nobody'"),
        ("[[keys]]\nuser = 'nobody'\n", 2, "keys 1: name is missing"),
        ("[[users]\n", 2, "wrong.toml is not valid TOML at line"),
        ("", 0, "0 created"),
        (
            "[[users]]\nname='a'\nemail='a@example.org'\n[[users]]\nname='a'\nemail='b@example.org'\n",
            2,
            "users a twice",
        ),
    ],
)
def test_wrong_file_is_told_where_and_what(tmp_path: Path, run: Run, text: str, code: int, told: str) -> None:
    place = tmp_path / "wrong.toml"
    place.write_text(text)
    assert told in run(f"apply {place} --yes", code=code).stderr


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"\xff\xfe", "is not UTF-8"),
        (b"users: [", "is not valid YAML"),
        (b"- a\n", "has no sections"),
        (b"&a [*a]", ""),
    ],
)
def test_wrong_yaml_is_refused(tmp_path: Path, run: Run, content: bytes, told: str) -> None:
    place = tmp_path / "wrong.yaml"
    place.write_bytes(content)
    assert told in run(f"apply {place} --yes", code=2).stderr
    assert "cannot read" in run(f"apply {tmp_path}/none.yaml --yes", code=1).stderr


def test_yaml_means_the_same(file: Path, run: Run, read: Read, tmp_path: Path) -> None:
    run(f"apply {file} --yes")
    place = tmp_path / "softix.yaml"
    place.write_text(YAML)
    assert read(f"apply {place} --yes")["unchanged"] == 2
