"""`python -m softix_proxy` is `softix`."""

from softix_proxy.cli.main import main

main(prog_name="softix")
