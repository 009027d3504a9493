"""Runs `softix` as `python -m softix_proxy`."""

from softix_proxy.cli.main import main

main(prog_name="softix")
