"""What is stored and read does not depend on the order of a table's columns, nor on that of a record's fields."""

from __future__ import annotations

import ast
import asyncio
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from support import every_record
from support.process import environment
from support.sources import ROOT

from softix_proxy.storage.sqlite.core.engine import connect

pytestmark = pytest.mark.only_engine("sqlite", reason="turns its tables round")

RECORDS = frozenset(
    [
        "AbuseAlert",
        "Account",
        "AccountToken",
        "AdminToken",
        "RepeatableCall",
        "AttemptRow",
        "AuditEntry",
        "AutoTopUp",
        "Budget",
        "BudgetAlert",
        "BudgetState",
        "Cap",
        "CapAlert",
        "EndUserSpend",
        "Invitation",
        "KeyOwner",
        "Project",
        "Batch",
        "BatchSummary",
        "Ceremony",
        "ClosedPeriod",
        "CorrectionSum",
        "DailyCost",
        "Delivery",
        "Ended",
        "FailedAttempt",
        "FederatedIdentity",
        "GuessingNetwork",
        "Intent",
        "KeptFile",
        "Key",
        "KeyAddress",
        "KeyAgent",
        "KeyLimits",
        "KeyState",
        "KeyUse",
        "LimitTemplate",
        "TemplateDefault",
        "ListedDelivery",
        "LowBalance",
        "MarkupVersion",
        "Membership",
        "MisdatedPosting",
        "Model",
        "ModelRoute",
        "Notice",
        "ObjectShare",
        "OnlinePayment",
        "TakenAction",
        "Tuning",
        "HourUse",
        "Everyone",
        "PaymentTries",
        "SuspendedKey",
        "OpenHolds",
        "OpenLine",
        "OpenRequest",
        "Orphan",
        "OwnedObject",
        "Passkey",
        "Payment",
        "PaymentPosting",
        "PeriodContents",
        "PeriodSum",
        "PolicyAcceptance",
        "Posting",
        "PriceVersion",
        "Proposal",
        "Provider",
        "ProviderKey",
        "RefundRequest",
        "QueuedNotice",
        "ReportedHealth",
        "RouteLeg",
        "SecondSums",
        "SecurityEvent",
        "Session",
        "Settlement",
        "Spend",
        "StoredDocument",
        "StoredEvent",
        "Timeouts",
        "TotpFactor",
        "Transfer",
        "UnpricedAsks",
        "UsageRow",
        "UsageSum",
        "UsageTotal",
        "User",
        "UserSum",
        "Wallet",
        "WalletEntry",
        "WalletState",
        "WalletUse",
        "WebhookEndpoint",
        "WebhookEvent",
        "WidenedBound",
        "Widening",
    ]
)
"""The records of the domain that are made from rows, or written."""


def has_default(step: ast.AnnAssign) -> bool:
    if isinstance(step.value, ast.Call) and ast.unparse(step.value.func) == "field":
        return bool({keyword.arg for keyword in step.value.keywords} & {"default", "default_factory", "init"})
    return step.value is not None


def turned_round(place: Path) -> list[str]:
    """Reverses the fields of the records in a file, those without a default first. Returns the records' names."""
    tree = ast.parse(place.read_text("utf-8"))
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef) and node.name in RECORDS]
    for node in classes:
        declared = [step for step in node.body if isinstance(step, ast.AnnAssign)]
        without, given = ([step for step in declared if has_default(step) is has] for has in (False, True))
        order = iter(without[::-1] + given[::-1])
        node.body = [next(order) if isinstance(step, ast.AnnAssign) else step for step in node.body]
    if classes:
        place.write_text(ast.unparse(tree), "utf-8")
    return [node.name for node in classes]


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return asyncio.run(every_record.everything(tmp_path_factory.mktemp("as_it_is"), permuted=False))


def test_tables_with_reversed_columns_hold_the_same_records(expected: Any, tmp_path: Path) -> None:
    assert asyncio.run(every_record.everything(tmp_path, permuted=True)) == expected
    made, permuted = (connect(tmp_path / f"{name}.db") for name in ("made", "permuted"))
    for table in ("usage", "key_states", "transfers", "intents", "attempts", "usage_daily", "keys", "bills"):
        columns = [[row[1] for row in one.execute(f"PRAGMA table_info({table})")] for one in (made, permuted)]
        assert columns[0] == columns[1][::-1], table
    made.close()
    permuted.close()


def test_records_with_reversed_fields_are_stored_the_same(expected: Any, tmp_path: Path) -> None:
    """A field that changes place with another of its type would be no error anywhere, only a wrong value."""
    package = tmp_path / "softix_proxy"
    shutil.copytree(ROOT / "softix_proxy", package, ignore=shutil.ignore_patterns("__pycache__", "data"))
    turned = [name for place in (package / "domain").rglob("*.py") for name in turned_round(place)]
    assert sorted(turned) == sorted(RECORDS)
    (tmp_path / "books").mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "support.every_record", tmp_path / "books"],
        cwd=tmp_path,
        env={**environment(), "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT / 'tests'}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout)
    assert found == {"package": os.fspath(package), "told": json.loads(json.dumps(expected))}


def test_list_of_reversed_records_contains_every_record_that_a_mapping_makes() -> None:
    made = set()
    for place in (ROOT / "softix_proxy" / "storage").rglob("*.py"):
        for node in ast.walk(ast.parse(place.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "RecordMapping":
                made.add(ast.unparse(node.args[0]))
    assert made - {"make"} <= RECORDS | {"Span"}, "Span is a pair of instants, which is taken apart in many places"
    assert made >= {"UsageRow", "Key", "Posting", "Transfer", "StoredDocument"}
