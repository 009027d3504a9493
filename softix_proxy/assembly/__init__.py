"""Wires the packages together and names the adapters. It imports late, so that `softix --help` is quick."""

from softix_proxy.assembly.backups import back_up, drill, restore
from softix_proxy.assembly.check_context import open_check_context
from softix_proxy.assembly.instance import (
    Initialised,
    Instance,
    admin_token,
    effective_settings,
    initialise,
    is_signed,
    migrate,
    migration_plan,
    needs_migration,
    open_id_provider,
    open_instance,
    reaching,
    read_settings,
)
from softix_proxy.assembly.mailing import mail_sender, mail_templates
from softix_proxy.assembly.process import loop_factory, prepare_process
from softix_proxy.assembly.serving import serving
from softix_proxy.assembly.webhook_delivery import webhook_post

__all__ = [
    "Initialised",
    "Instance",
    "admin_token",
    "back_up",
    "drill",
    "effective_settings",
    "initialise",
    "is_signed",
    "loop_factory",
    "mail_sender",
    "mail_templates",
    "migrate",
    "migration_plan",
    "needs_migration",
    "open_check_context",
    "open_id_provider",
    "open_instance",
    "prepare_process",
    "reaching",
    "read_settings",
    "restore",
    "serving",
    "webhook_post",
]
