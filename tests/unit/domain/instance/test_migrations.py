from dataclasses import replace
from pathlib import Path

from softix_proxy.domain.instance.migrations import FIRST_WITHOUT_REQUESTS, MigrationPlan, Step

PLAN = MigrationPlan(
    database=Path("softix.db"),
    schema=7,
    needed_schema=8,
    steps=(Step(8, "batches", "What users keep at a provider."),),
    backup_dir=Path("."),
    needed_bytes=(64 << 20) + 1,
    free_bytes=(64 << 20) + 1,
    slots=(),
)


def test_migration_plan_with_room_and_no_server_has_no_obstacle() -> None:
    assert PLAN.obstacle is None


def test_migration_plan_with_serving_process_names_it_as_the_obstacle() -> None:
    obstacle = replace(PLAN, slots=(3, 4)).obstacle
    assert obstacle is not None and "slot 3" in obstacle[0] and obstacle[1] == "stop softix serve, then try again"
    portal = FIRST_WITHOUT_REQUESTS
    obstacle = replace(PLAN, slots=(portal,)).obstacle
    assert obstacle is not None and obstacle[1] == "stop softix portal, then try again"
    obstacle = replace(PLAN, slots=(3, portal)).obstacle
    assert obstacle is not None and obstacle[1] == "stop softix serve and softix portal, then try again"


def test_migration_plan_with_too_little_room_names_the_needed_size_rounded_up() -> None:
    obstacle = replace(PLAN, free_bytes=64 << 20).obstacle
    assert obstacle is not None and "needs 65 MiB in ., where 64 MiB are free" in obstacle[0]


def test_migration_plan_without_steps_has_no_obstacle() -> None:
    assert replace(PLAN, steps=(), slots=(3,), free_bytes=0).obstacle is None
