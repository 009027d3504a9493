"""What each path answers to each method and client, as it is written down in a table that people can read."""

from __future__ import annotations

import difflib
from typing import Any

from support.route_matrix import PATHS, PATHS_OF_STOPPING, STOPPING, as_table, ask_for
from support.sources import ROOT

TABLE = ROOT / "tests/golden/routing/answers.txt"


async def test_app_response_for_each_path_method_and_client_matches_the_golden_table(place: Any) -> None:
    lines = []
    for path in PATHS:
        lines += [path, *as_table(await ask_for(place.session, place.url, path, place.refusals))]
    place.context.monitor.draining = True
    lines.append(STOPPING)
    for path in PATHS_OF_STOPPING:
        lines += [path, *as_table(await ask_for(place.session, place.url, path, place.refusals))]
    changed = list(difflib.unified_diff(TABLE.read_text("utf-8").splitlines(), lines, "written down", "now", n=0))
    assert not changed, "\n".join(changed)
