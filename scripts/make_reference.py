"""Makes docs/reference/: every command, from the command line's own tree, every setting, from settings.py, every
type of provider, from its profile, the headers that pass, and what translation loses, from their tables.

python scripts/make_reference.py            write the pages
python scripts/make_reference.py --check    fail if a page is not what the code says
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import click

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from softix_proxy import settings  # noqa: E402
from softix_proxy.cli.main import main as softix  # noqa: E402
from softix_proxy.dialects.canonical.loss_table import NAMES  # noqa: E402
from softix_proxy.dialects.canonical.losses import LossTreatment, directions, rows  # noqa: E402
from softix_proxy.dialects.core.queries import FAMILIES as QUERIES  # noqa: E402
from softix_proxy.dialects.core.request_headers import COMMON, FAMILIES, PREFIXES, Reasons  # noqa: E402
from softix_proxy.dialects.core.response_headers import RETURNED  # noqa: E402
from softix_proxy.dialects.registry import PROVIDER_ENDPOINTS  # noqa: E402
from softix_proxy.domain.catalog.profiles import PROFILES, Profile, ProviderType  # noqa: E402
from softix_proxy.operations.catalog import catalogue  # noqa: E402

FOLDER = ROOT / "docs" / "reference"
MADE = "<!-- Made by scripts/make_reference.py: change the code, then run `make reference`. -->"


def walk(context: click.Context) -> Iterator[click.Context]:
    """The command and all below it, in the order of its help."""
    yield context
    group = context.command
    if isinstance(group, click.Group):
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            if command is not None and not command.hidden:
                yield from walk(click.Context(command, info_name=name, parent=context))


def usage(context: click.Context) -> str:
    return " ".join([context.command_path, *context.command.collect_usage_pieces(context)])


def option(context: click.Context, item: click.Option) -> str:
    names = " / ".join(", ".join(f"`{name}`" for name in group) for group in (item.opts, item.secondary_opts) if group)
    value = "" if item.is_flag or item.count else f" `{cell(item.make_metavar(context)).removesuffix(' RANGE')}`"
    notes = ["required"] if item.required else []
    if item.show_default and item.default not in (None, ()):
        notes.append(f"default `{item.default}`")
    remarks = f" ({'; '.join(notes)})" if notes else ""
    return f"| {names}{value} | {cell(item.help or '')}{remarks} |"


def cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


def section(context: click.Context) -> Iterator[str]:
    yield f"\n{'##' if context.command_path.count(' ') < 2 else '###'} {context.command_path}\n"
    meaning, _, example = " ".join((context.command.help or "").split()).partition("Example: ")
    yield f"{meaning.strip()}\n\n```text\n{usage(context)}\n```\n\nExample: `{example}`"
    options = [item for item in context.command.params if isinstance(item, click.Option) and not item.hidden]
    if options:
        yield "\n| option | meaning |\n| --- | --- |"
        yield from (option(context, item) for item in options)


def commands() -> str:
    sections = (line for context in walk(click.Context(softix, info_name="softix")) for line in section(context))
    intro = (
        "`--json` may be before the command or after it. The exit code is 0 if the command succeeded, 1 if it"
        " failed, and 2 if its arguments were wrong."
    )
    return "\n".join([MADE, "\n# Commands\n", intro, *sections]) + "\n"


def default(item: settings.Setting) -> str:
    return "not set" if item.default is None else f"`{json.dumps(item.default)}`"


def all_settings() -> str:
    intro = "Set them in `config.toml`, or in the environment, which overrides the file. Units are in the names."
    rows = (
        f"| `{item.section}.{item.name}` | `{item.variable}` | {cell(item.type)} | {default(item)} | {cell(item.doc)} |"
        for item in settings.describe()
    )
    table = ("| setting | variable | value | default | meaning |", "| --- | --- | --- | --- | --- |")
    return "\n".join([MADE, "\n# Settings\n", f"{intro}\n", *table, *rows]) + "\n"


def losses(client: str, provider: str) -> Iterator[str]:
    yield f"\n## {NAMES[client]} → {NAMES[provider]}\n\n| what | becomes | because |\n| --- | --- | --- |"
    order = list(LossTreatment)
    yield from (
        f"| `{row.field}` | {row.fate} | {cell(row.reason)} |"
        for row in sorted(rows(client, provider), key=lambda row: order.index(LossTreatment(row.fate)))
    )


def translation() -> str:
    intro = (
        "A client of one dialect can use a model that is served in another. Each heading names what the client"
        " speaks → what the provider speaks. The model's dialect cannot express everything:\n\n"
        "- A field is **refused** with `invalid_request` if the request would mean something else without it.\n"
        "- Otherwise it is **dropped** or **approximated**, and the answer's header `x-softix-dropped` names it.\n"
        "- Rows that begin with `answer:` are about what comes back. They are in no header, because the header of a"
        " stream is sent before them.\n\n"
        "Thoughts keep their provider's signature on their way through a client of another dialect, if the client"
        " gives back what it received. The signature is in `reasoning_details` of chat, in `encrypted_content` of"
        " responses, in `signature` or `data` of messages, and in `thoughtSignature` of Gemini. softix never sends a"
        " signature to another provider than the one that made it."
    )
    tables = (line for client, provider in directions() for line in losses(client, provider))
    return "\n".join([MADE, "\n# Translation\n", intro, *tables]) + "\n"


def address(profile: Profile) -> str:
    if profile.base_url:
        return f"`{profile.base_url}`"
    if profile.ports:
        return ", ".join(f"`http://127.0.0.1:{port}`" for port in profile.ports)
    return "within the daemon" if profile is PROFILES[ProviderType.DEMO] else "`--base-url`"


def providers() -> str:
    intro = (
        "These are the types for `softix providers add NAME --type TYPE`. A word in braces is an option of that"
        " name.\n\n"
        "The column *client leaves* says what happens when a client disconnects from a stream. With *cancel*, softix"
        " aborts the request, because the provider then stops billing. With *drain*, softix reads the answer to its"
        " end. A request of another dialect is translated if both are [translated](translation.md)."
    )
    table = "| type | where | key | client leaves | region | models in the price list | endpoints |"
    sections = catalogue.load()
    rows = (
        f"| `{kind.value}` | {address(profile)} | {KEYS[profile.auth]}{'' if profile.needs_key else ', if any'}"
        f" | {profile.on_hang_up} | {profile.region or '-'}"
        f" | {sum(model.name.startswith(profile.served) for model in sections.models(kind.value)) or '-'}"
        f" | {', '.join(f'`{name}`' for name in PROVIDER_ENDPOINTS if name in profile.endpoints)} |"
        for kind, profile in PROFILES.items()
    )
    return "\n".join([MADE, "\n# Providers\n", f"{intro}\n", table, "| --- " * 7 + "|", *rows]) + "\n"


KEYS = {"bearer": "bearer token", **{name: f"`{name}`" for name in ("x-api-key", "x-goog-api-key", "api-key")}}


def listed(title: str, names: Reasons) -> Iterator[str]:
    yield f"\n## {title}\n\n| header | why it passes |\n| --- | --- |"
    yield from (f"| `{name}` | {cell(reason)} |" for name, reason in names.items())


def headers() -> str:
    intro = (
        "A provider receives only the listed headers of a client's request, because a header may choose another"
        " price or another account. A header with the client's API key in it never passes, nor does one that"
        " `Connection` names. The same holds for the query: only the listed parts pass.\n\n"
        "To let another header pass, add it to the setting `upstream.pass_headers`. It refuses names that prove who"
        " pays, that belong to one hop, or that choose a price or an account.\n\n"
        "A client receives only the headers of a provider's response that the last table lists.\n\n"
        "softix itself adds the provider's key, `host`, `content-type`, `content-length` and"
        " `accept-encoding: identity`."
    )
    sections = [listed("Everywhere", COMMON)]
    for family, names in FAMILIES.items():
        begin = {f"{prefix}*": reason for prefix, reason in PREFIXES[family].items()}
        sections.append(listed(f"Between clients and providers of the dialects of {family}", {**names, **begin}))
    sections += [
        listed(f"To providers of the type {kind.value}", profile.request_headers)
        for kind, profile in PROFILES.items()
        if profile.request_headers
    ]
    sections.append(listed("From providers to clients", RETURNED))
    text = "\n".join([MADE, "\n# Headers\n", intro, *(line for each in sections for line in each)])
    return text + queries() + "\n"


def queries() -> str:
    rows = (
        f"| `{name}` | {family} | {cell(reason)} |"
        for family, names in QUERIES.items()
        for name, reason in names.items()
    )
    return "\n".join(["\n\n## In the query\n", "| part | dialect | why it passes |", "| --- | --- | --- |", *rows])


PAGES: Mapping[str, Callable[[], str]] = {
    "commands.md": commands,
    "headers.md": headers,
    "providers.md": providers,
    "settings.md": all_settings,
    "translation.md": translation,
}


def main() -> int:
    parser = argparse.ArgumentParser(
        description="Makes the reference of commands, settings, providers, and translation."
    )
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    check = parser.parse_args().check
    stale = []
    for name, made in PAGES.items():
        page = FOLDER / name
        if not page.is_file() or page.read_text("utf-8") != made():
            stale.append(name)
            if not check:
                FOLDER.mkdir(parents=True, exist_ok=True)
                page.write_text(made(), "utf-8")
    print(f"{'out of date' if check else 'written'}: {', '.join(stale)}" if stale else "the reference is current")
    return 1 if check and stale else 0


if __name__ == "__main__":
    raise SystemExit(main())
