from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

Softix = Callable[..., Result]
Read = Callable[[str], Any]
ALERT = (
    "INSERT INTO abuse_alerts (public_id, rule, subject, text, figures, first_us, last_us)"
    " VALUES ('abu_one', 'spend', 'key_ada', 'Much.', '{\"spent_pico\": 5}', 1, 2)"
)

ACTED = (
    "INSERT INTO abuse_actions (public_id, alert_id, action, before, began_us, until_us)"
    " VALUES ('act_one', 1, 'throttle', '{}', 3, 5), ('act_two', 1, 'suspend', '{}', 3, NULL)"
)


def factor_of(rule: Any) -> int:
    [value] = [each["value"] for each in rule["thresholds"] if each["name"] == "factor"]
    return int(value)


def test_abuse_rules_are_listed_with_thresholds_and_units(read: Read) -> None:
    [spend] = [rule for rule in read("abuse rules") if rule["rule"] == "spend"]
    assert (spend["enabled"], spend["action"]) == (True, "alert")
    assert spend["thresholds"][0] == {"name": "factor", "value": 8, "unit": "times"}
    assert spend["blind_to"]


def test_abuse_alert_is_listed_shown_and_acknowledged(read: Read, run: Softix, instance: Path) -> None:
    read("abuse list")
    with closing(sqlite3.connect(instance / "softix.db")) as connection, connection:
        connection.execute(ALERT)
        connection.execute(ACTED)
    [listed] = read("abuse list --open")
    assert (listed["id"], listed["text"]) == ("abu_one", "Much.")
    assert read("abuse show abu_one")["figures"] == [{"name": "spent_pico", "value": 5}]
    assert read("abuse ack abu_one")["acknowledged_at"]
    assert read("abuse list --open") == []
    assert [each["undone_at"] for each in read("abuse show abu_one")["actions"]] == [None, None]
    [action, _] = read("abuse undo abu_one --yes")["actions"]
    assert (action["action"], bool(action["undone_at"])) == ("throttle", True)
    assert "nothing is to be undone" in run("abuse undo abu_one --yes", code=1).stderr


def test_abuse_tune_changes_a_rule_for_one_key_and_for_all(read: Read) -> None:
    read("users create ada --email ada@example.org")
    key = read("keys create --user ada --name ci")["id"]
    assert factor_of(read("abuse tune spend --threshold factor=20")) == 20
    tuned = read(f"abuse tune spend --key {key} --disable --action suspend")
    assert (tuned["enabled"], tuned["action"], factor_of(tuned)) == (False, "suspend", 20)
    [of_key] = [rule for rule in read(f"abuse rules --key {key}") if rule["rule"] == "spend"]
    assert of_key == tuned
    [of_all] = [rule for rule in read("abuse rules") if rule["rule"] == "spend"]
    assert (of_all["enabled"], of_all["action"]) == (True, "alert")
    assert factor_of(read("abuse tune spend --reset")) == 8


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("tune nothing --disable", 1),
        ("tune spend --threshold speed=1", 2),
        ("tune spend --threshold factor=1", 2),
        ("tune spend --threshold factor=much", 2),
        ("tune spend --action shout", 2),
        ("tune spend --key nobody --disable", 1),
        ("show abu_0", 1),
        ("ack abu_0", 1),
        ("undo abu_0 --yes", 1),
    ],
)
def test_abuse_with_wrong_options_says_what_to_do(run: Softix, line: str, code: int) -> None:
    run(f"abuse {line}", code=code)
