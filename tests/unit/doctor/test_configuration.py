from pathlib import Path

from softix_proxy import assembly
from softix_proxy.doctor.findings import Severity
from softix_proxy.settings import Settings


async def test_configuration_check_names_the_file_or_its_place(made: Settings, look) -> None:
    place = made.paths.data_dir / "config.toml"
    [found] = await look("configuration")
    assert (found.severity, found.message) == (
        Severity.OK,
        f"there is no configuration file; it would be read from {place}",
    )
    place.write_text("")
    [found] = await look("configuration", settings=assembly.read_settings(None, made.paths.data_dir))
    assert (found.severity, found.message) == (Severity.OK, f"settings come from {place}")


async def test_configuration_check_of_a_file_that_is_not_read_warns(made: Settings, look, tmp_path: Path) -> None:
    (made.paths.data_dir / "config.toml").write_text("")
    (tmp_path / "other.toml").write_text("")
    [found] = await look("configuration", settings=assembly.read_settings(tmp_path / "other.toml", made.paths.data_dir))
    assert found.severity is Severity.WARNING
    assert found.message == (
        f"{made.paths.data_dir / 'config.toml'} is not read: softix reads {tmp_path / 'other.toml'}"
    )
    assert "--config" in found.remedy
