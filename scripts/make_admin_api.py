"""Makes `docs/reference/admin-api.json`, the description of the admin API, from the commands. `--check` compares."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from softix_proxy.cli.admin_api.described import CommandTable
from softix_proxy.web.admin_api import openapi

ROOT = Path(__file__).parents[1]
PLACE = ROOT / "docs" / "reference" / "admin-api.json"
ORIGIN = "https://portal.example.org"


def main() -> int:
    parser = argparse.ArgumentParser(description="Makes the description of the admin API.")
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    check = parser.parse_args().check
    document = openapi.document(CommandTable().described.values(), ORIGIN)
    made = json.dumps(document, indent=1, ensure_ascii=False) + "\n"
    if PLACE.is_file() and PLACE.read_text("utf-8") == made:
        print("the description of the admin API is current")
        return 0
    if not check:
        PLACE.write_text(made, "utf-8")
    print(f"{'out of date' if check else 'written'}: {PLACE.relative_to(ROOT)}")
    return 1 if check else 0


if __name__ == "__main__":
    raise SystemExit(main())
