"""Limits with terms, limits of models, and templates in a file: applied once, and a second run changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

Read = Callable[[str], Any]
FILE = """
[[users]]
name = "bob"
email = "bob@example.org"

[[templates]]
name = "trial"
rpm = 60
default = true

[[templates]]
name = "trial"
model = "gpt-*"
rpm = 5

[[keys]]
user = "bob"
name = "ci"

[[key_limits]]
key = "ci"
spend_month = "20.00"
zone = "Europe/Berlin"
reset_day = "15"
alert = "50,80"

[[key_limits]]
key = "ci"
model = "gpt-4*"
rpm = 3
spend_day = "1.00"

[[user_limits]]
user = "bob"
spend_total = "99.00"
"""


def test_limits_and_templates_of_a_file_are_made_once(tmp_path: Path, read: Read) -> None:
    place = tmp_path / "softix.toml"
    place.write_text(FILE)
    told = read(f"apply {place} --dry-run")
    assert read("templates list") == [] and told["created"] > 0
    read(f"apply {place} --yes")
    key = read("keys limits ci")
    assert key["rpm"] == 60 and [rate["model"] for rate in key["model_rates"]] == ["gpt-*", "gpt-4*"]
    assert [(each["model"], each["amount"], each["reset_day"]) for each in key["limits"]] == [
        (None, "20.00", "15"),
        ("gpt-4*", "1.00", None),
    ]
    assert [each["amount"] for each in read("users limits bob")["limits"]] == ["99.00"]
    again = read(f"apply {place} --yes")
    assert again["changes"] == [] and again["keys"] == []
    place.write_text(FILE.replace("20.00", "30.00").replace("rpm = 5", "rpm = 6"))
    changes = read(f"apply {place} --yes")["changes"]
    assert sorted(each["section"] for each in changes) == ["key_limits", "templates"]
    assert read("keys limits ci")["limits"][0]["amount"] == "30.00"
    assert read("keys limits ci")["model_rates"][0]["rpm"] == 5, "a template changes no key that there is"
