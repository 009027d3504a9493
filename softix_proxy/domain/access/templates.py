"""Templates: the limits that new keys and new users get."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

from softix_proxy.domain.core.clock import CapPeriod

TemplateKind = Literal["key", "user"]
TEMPLATE_KINDS: tuple[TemplateKind, ...] = ("key", "user")
WHOLE_INSTANCE = 0
"""In place of an organisation's number: the default of all that have none of their own."""


class TemplateCap(NamedTuple):
    """What may be spent in a period."""

    period: CapPeriod
    amount_pico: int
    zone: str | None = None
    reset_day: str | None = None
    """The day as commands write it, such as `monday` or `15`."""
    alerts: str | None = None


class TemplatePart(NamedTuple):
    """The limits of a template for all models, or for those of a pattern."""

    models: str = ""
    rpm: int | None = None
    tpm: int | None = None
    concurrency: int | None = None
    caps: tuple[TemplateCap, ...] = ()

    @property
    def is_empty(self) -> bool:
        return not self.caps and self.rpm is None and self.tpm is None and self.concurrency is None


@dataclass(frozen=True, slots=True)
class LimitTemplate:
    """A named set of limits. A change of it changes no key and no user that there is."""

    id: int
    name: str
    kind: TemplateKind
    parts: tuple[TemplatePart, ...]
    """One part for each pattern of models, in the order of the patterns."""
    created_at_us: int


class TemplateDefault(NamedTuple):
    """Where a template is the default."""

    template_id: int
    kind: TemplateKind
    user_id: int
    """The number of the organisation, or `WHOLE_INSTANCE`."""


class TemplateStore(Protocol):
    """Stores templates, and where they are the default."""

    async def add(self, template: LimitTemplate) -> LimitTemplate:
        """Adds a template. `template.id` is ignored and assigned. Raises ConflictError if the name is taken."""
        ...

    async def find(self, name: str) -> LimitTemplate | None: ...

    async def list(self) -> Sequence[LimitTemplate]: ...

    async def set_parts(self, template_id: int, parts: Sequence[TemplatePart]) -> None: ...

    async def remove(self, template_id: int) -> None:
        """Removes the template. Where it was the default, there is none."""
        ...

    async def set_default(self, default: TemplateDefault) -> None:
        """Makes the template the default of its kind there, in place of another one."""
        ...

    async def clear_default(self, default: TemplateDefault) -> None:
        """Ends that the template is the default there. Nothing changes if it is not."""
        ...

    async def defaults(self) -> Sequence[TemplateDefault]: ...

    async def default_for(self, kind: TemplateKind, user_id: int) -> LimitTemplate | None:
        """Returns the default of the organisation, or else that of the instance."""
        ...
