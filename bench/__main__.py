"""python -m bench [ROW …] [--requests N] [--full] [--json FILE]"""

from __future__ import annotations

import json
import platform
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from bench.peers import peers
from bench.proxies import Stand
from bench.rows import ROWS, Cell, Options

_MARKS = {True: "met", False: "NOT MET", None: ""}


@click.command()
@click.argument("rows", nargs=-1, type=click.Choice([*ROWS, "peers"]))
@click.option("--requests", default=5000, show_default=True, help="Of a round.")
@click.option("--full", is_flag=True, help="10 M stored rows and 100,000 keys, in place of 1 M and 20,000.")
@click.option("--peers", "with_peers", is_flag=True, help="LiteLLM and Portkey as well, where they are installed.")
@click.option(
    "--against",
    type=click.Path(path_type=Path, exists=True, file_okay=False, resolve_path=True),
    help="A checkout of an earlier commit, to be measured in the same rounds.",
)
@click.option("--json", "file", type=click.Path(path_type=Path, dir_okay=False), help="Write the figures there, too.")
def main(
    rows: tuple[str, ...], requests: int, full: bool, with_peers: bool, against: Path | None, file: Path | None
) -> None:
    """Measure softix beside nginx (if it is installed), a bare aiohttp pass-through, and peers, in one run."""
    options = Options(requests, 10_000_000 if full else 1_000_000, 100_000 if full else 20_000)
    chosen = {name: ROWS[name] for name in (rows or ROWS) if name in ROWS}
    if with_peers or "peers" in rows:
        chosen["peers"] = peers
    found: dict[str, list[Cell]] = {}
    for name, row in chosen.items():
        click.echo(f"{name}: {(row.__doc__ or '').splitlines()[0]}", err=True)
        stand = Stand(against)
        try:
            found[name] = row(stand, options)
        except (AssertionError, OSError, subprocess.SubprocessError) as error:
            found[name] = [Cell(f"failed: {error}"[:200], "", met=False)]
        finally:
            stand.close()
    table = Table("row", "what", "value", "bar", "", title=f"Python {platform.python_version()}, {platform.system()}")
    for name, cells in found.items():
        for cell in cells:
            table.add_row(name, cell.what, cell.value, cell.bar, _MARKS[cell.met])
        table.add_section()
    Console(width=110).print(table)
    if file is not None:
        file.write_text(json.dumps({name: [asdict(cell) for cell in cells] for name, cells in found.items()}, indent=1))
    sys.exit(any(cell.met is False for cells in found.values() for cell in cells))


if __name__ == "__main__":
    main()
