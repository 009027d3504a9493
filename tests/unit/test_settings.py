import re
from dataclasses import fields
from pathlib import Path

import pytest

from softix_proxy import settings
from softix_proxy.domain.core.errors import BadInputError
from softix_proxy.settings import Settings, describe, effective, example, load

ROOT = Path(__file__).parents[2]


def written(folder: Path, text: str) -> Path:
    path = folder / "config.toml"
    path.write_text(text)
    return path


def sections(loaded: Settings) -> list[object]:
    return [getattr(loaded, item.name) for item in fields(Settings) if item.name not in ("paths", "from_file")]


# Places


def test_data_dir_contains_configuration_database_and_master_key(tmp_path: Path) -> None:
    config = written(tmp_path, "[server]\nport = 1\n")
    for paths in (load(None, tmp_path, {}).paths, load(None, None, {"SOFTIX_DATA_DIR": str(tmp_path)}).paths):
        assert (paths.data_dir, paths.config) == (tmp_path, config)
        assert (paths.database, paths.master_key) == (tmp_path / "softix.db", tmp_path / "master.key")


def test_path_options_win_over_the_environment(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    first, second = written(tmp_path / "a", ""), written(tmp_path / "b", "")
    environ = {"SOFTIX_CONFIG": str(second), "SOFTIX_DATA_DIR": str(tmp_path / "b")}
    assert load(first, tmp_path / "a", environ).paths.config == first
    assert load(first, tmp_path / "a", environ).paths.data_dir == tmp_path / "a"
    assert load(None, tmp_path / "a", environ).paths.config == second


def test_paths_without_a_data_dir_are_those_of_the_platform(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    paths = load(None, None, {}).paths
    assert paths.config is None
    assert paths.data_dir.name == "softix"
    assert paths.database == paths.data_dir / "softix.db"


def test_file_in_the_data_directory_that_is_not_read_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    paths = load(None, None, {}).paths
    assert (paths.config_place, paths.unread_config) == (tmp_path / "config" / "softix" / "config.toml", None)
    paths.data_dir.mkdir(parents=True)
    beside = written(paths.data_dir, "")
    assert load(None, None, {}).paths.unread_config == beside
    assert load(beside, None, {}).paths.unread_config is None
    assert load(None, paths.data_dir, {}).paths.unread_config is None
    assert load(written(tmp_path, ""), paths.data_dir, {}).paths.unread_config == beside


def test_named_configuration_file_that_is_missing_is_refused(tmp_path: Path) -> None:
    for config, environ in ((tmp_path / "no.toml", {}), (None, {"SOFTIX_CONFIG": str(tmp_path / "no.toml")})):
        with pytest.raises(BadInputError, match=r"there is no configuration file .*no\.toml") as caught:
            load(config, tmp_path, environ)
        assert caught.value.exit_code == 2


# Values


def test_setting_is_taken_from_environment_then_file_then_default(tmp_path: Path) -> None:
    written(tmp_path, '[server]\nport = 9000\nhost = "::"\n[upstream]\nidle_timeout_s = 5\n')
    environ = {"SOFTIX_SERVER_PORT": "0", "SOFTIX_UPSTREAM_CONNECT_TIMEOUT_S": "0.5", "PATH": "/bin"}
    loaded = load(None, tmp_path, environ)
    assert (loaded.server.port, loaded.server.host, loaded.server.max_connections) == (0, "::", 4096)
    assert (loaded.upstream.idle_timeout_s, loaded.upstream.connect_timeout_s) == (5, 0.5)
    sources = {name: source for name, _, source in effective(loaded, environ)}
    assert (sources["server.port"], sources["server.host"]) == ("environment", "file")
    assert set(sources) == {f"{setting.section}.{setting.name}" for setting in describe()}
    assert [name for name, source in sources.items() if source == "default"] == [
        name for name in sources if name not in (*loaded.from_file, "upstream.connect_timeout_s")
    ]


@pytest.mark.parametrize(
    ("variable", "text", "section", "value"),
    [
        ("SOFTIX_DEMO_ENABLED", "True", "demo", True),
        ("SOFTIX_DEMO_ENABLED", "0", "demo", False),
        ("SOFTIX_SERVER_TRUSTED_PROXIES", "10.0.0.0/8, ::1", "server", ("10.0.0.0/8", "::1")),
        ("SOFTIX_SERVER_TRUSTED_PROXIES", "", "server", ()),
        ("SOFTIX_UPSTREAM_PASS_HEADERS", "X-Thing, x-other", "upstream", ("X-Thing", "x-other")),
        ("SOFTIX_MASTER_KEY_COMMAND", "kms 'a key' x", "master_key", ("kms", "a key", "x")),
        ("SOFTIX_MASTER_KEY_COMMAND", "", "master_key", None),
        ("SOFTIX_UPSTREAM_CA_FILE", "/etc/ca.pem", "upstream", Path("/etc/ca.pem")),
        ("SOFTIX_LOG_LEVEL", "debug", "log", "debug"),
        ("SOFTIX_MONEY_INTERRUPTED_CHARGE", "bound", "money", "bound"),
    ],
)
def test_variable_of_each_kind_is_parsed(tmp_path: Path, variable: str, text: str, section: str, value: object) -> None:
    name = variable.removeprefix(f"SOFTIX_{section.upper()}_").lower()
    assert getattr(getattr(load(None, tmp_path, {variable: text}), section), name) == value


def test_relative_path_in_a_file_starts_at_the_file_s_folder(tmp_path: Path) -> None:
    written(tmp_path, '[server]\ntls_cert = "tls/a.crt"\ntls_key = "/etc/a.key"\n')
    server = load(None, tmp_path, {}).server
    assert (server.tls_cert, server.tls_key) == (tmp_path / "tls/a.crt", Path("/etc/a.key"))


def test_sizes_in_mib_are_available_in_bytes() -> None:
    assert settings.ServerSection(max_body_mib=2).max_body_bytes == 2 << 20
    assert settings.UpstreamSection(drain_limit_mib=3).drain_limit_bytes == 3 << 20


def test_command_setting_is_shown_without_its_arguments(tmp_path: Path) -> None:
    loaded = load(None, tmp_path, {"SOFTIX_MASTER_KEY_COMMAND": "kms --token abc"})
    assert {name: value for name, value, _ in effective(loaded, {})}["master_key.command"] == ("kms", "…")


# Refusals


@pytest.mark.parametrize(
    ("text", "message", "remedy"),
    [
        ("[sever]\n", "no section 'sever'", "did you mean server?"),
        ("[server]\nprot = 1\n", "[server] has no setting 'prot'", "did you mean port?"),
        ("[log]\nzzz = 1\n", "[log] has no setting 'zzz'", "see: softix config example"),
        ("server = 1\n", "server is a section", "write [server] on a line of its own"),
        ("[server]\nport = 65536\n", "[server] port must be a whole number from 0 to 65535", "softix config example"),
        ("[server]\nport = -1\n", "port must be a whole number from 0 to 65535", "softix config example"),
        ("[server]\nport = true\n", "port must be a whole number", "softix config example"),
        ("[server]\nport = 1.0\n", "port must be a whole number", "softix config example"),
        ('[server]\nport = "1"\n', "port must be a whole number", "softix config example"),
        ('[server]\nhost = ""\n', "host must be text", "softix config example"),
        ("[server]\ndrain_s = nan\n", "drain_s must be a number", "softix config example"),
        ("[server]\ndrain_s = inf\n", "drain_s must be a number", "softix config example"),
        ("[server]\nheader_timeout_s = 0\n", "header_timeout_s must be a number from 0.001", "softix config example"),
        ('[server]\ntrusted_proxies = ["x"]\n', "trusted_proxies must be a list of networks", "softix config example"),
        ("[server]\ntrusted_proxies = [1]\n", "trusted_proxies must be a list of networks", "softix config example"),
        ("[server]\ntls_cert = 1\n", "tls_cert must be the path of a file", "softix config example"),
        ('[server]\ntls_cert = "a"\n', "server.tls_cert and server.tls_key belong together", "set both, or none"),
        (
            '[server]\ntls_client_ca = "a"\n',
            "server.tls_client_ca and server.tls_cert belong together",
            "set server.tls_cert",
        ),
        ('[demo]\nenabled = "yes"\n', "enabled must be true or false", "softix config example"),
        ('[log]\nlevel = "loud"\n', 'level must be "debug" or "info" or "warning" or "error"', "softix config"),
        ("[log]\nlevel = []\n", 'level must be "debug" or', "softix config"),
        ('[master_key]\ncommand = "kms x"\n', "command must be a list of texts", "softix config"),
        ("[master_key]\ncommand = []\n", "command must be a list of texts", "softix config"),
        ("[server]\nport =\n", "is not valid TOML at line 2, column 7", "compare: softix config example"),
        ("[server", "is not valid TOML at", "compare: softix config example"),
    ],
)
def test_invalid_configuration_file_is_refused_with_a_remedy(
    tmp_path: Path, text: str, message: str, remedy: str
) -> None:
    path = written(tmp_path, text)
    with pytest.raises(BadInputError) as caught:
        load(None, tmp_path, {})
    assert message in caught.value.message
    assert remedy in caught.value.remedy
    assert str(path) in caught.value.message or "belong together" in message
    assert "\n" not in caught.value.message + caught.value.remedy


@pytest.mark.parametrize(
    ("variable", "text", "message", "remedy"),
    [
        ("SOFTIX_SERVER_PROT", "1", "there is no setting 'SOFTIX_SERVER_PROT'", "did you mean SOFTIX_SERVER_PORT?"),
        ("SOFTIX_MASTERKEY", "1", "there is no setting 'SOFTIX_MASTERKEY'", "did you mean SOFTIX_MASTER_KEY?"),
        ("SOFTIX_SERVER_PORT", "hunter2", "SOFTIX_SERVER_PORT must be a whole number from 0 to 65535", "example"),
        ("SOFTIX_SERVER_PORT", "", "SOFTIX_SERVER_PORT must be a whole number", "example"),
        ("SOFTIX_SERVER_DRAIN_S", "1e3", "SOFTIX_SERVER_DRAIN_S must be a number", "example"),
        ("SOFTIX_SERVER_PORT", "٣", "SOFTIX_SERVER_PORT must be a whole number", "example"),
        ("SOFTIX_DEMO_ENABLED", "on", "SOFTIX_DEMO_ENABLED must be true or false", "example"),
        ("SOFTIX_LOG_FORMAT", "xml", 'SOFTIX_LOG_FORMAT must be "json" or "text"', "example"),
        ("SOFTIX_SERVER_TRUSTED_PROXIES", "10.0.0.1/8", "must be a list of networks", "example"),
        ("SOFTIX_UPSTREAM_PASS_HEADERS", "x-thing, x-api-key", "none of which proves who pays", "example"),
        ("SOFTIX_UPSTREAM_PASS_HEADERS", "anthropic-workspace-id", "or chooses a price or an account", "example"),
    ],
)
def test_invalid_variable_is_refused_without_its_value(
    tmp_path: Path, variable: str, text: str, message: str, remedy: str
) -> None:
    with pytest.raises(BadInputError) as caught:
        load(None, tmp_path, {variable: text})
    assert message in caught.value.message
    assert remedy in caught.value.remedy
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_variables_of_other_programs_are_ignored(tmp_path: Path) -> None:
    environ = {
        "SOFTIX_MASTER_KEY": "x",
        "SOFTIX_SERVICE_HOST": "10.0.0.1",
        "SOFTIX_SERVICE_PORT_HTTP": "80",
        "SOFTIX_PORT": "tcp://10.0.0.1:80",
        "SOFTIX_PORT_80_TCP_ADDR": "10.0.0.1",
        "_SOFTIX_COMPLETE": "bash_source",
    }
    assert sections(load(None, tmp_path, environ)) == sections(load(None, tmp_path, {}))


def test_configuration_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(BadInputError, match="is not UTF-8 text"):
        load(path, None, {})


# The example and the reference


def test_example_configuration_in_the_repository_is_current() -> None:
    assert (ROOT / "config.example.toml").read_text("utf-8") == example()


@pytest.mark.parametrize("change", [lambda text: text, lambda text: re.sub(r"(?m)^#(?=\w)", "", text)])
def test_example_configuration_equals_the_defaults(tmp_path: Path, change: object) -> None:
    assert callable(change)
    text = change(example())
    loaded = load(written(tmp_path, text), tmp_path, {})
    assert sections(loaded) == sections(load(None, tmp_path / "none", {}))
    assert len(loaded.from_file) in (0, sum(setting.default is not None for setting in describe()))


def test_examples_of_settings_without_a_default_are_valid(tmp_path: Path) -> None:
    text = re.sub(r"(?m)^# Not set; for example: ", "", example())
    loaded = load(written(tmp_path, text), tmp_path, {})
    assert len(loaded.from_file) == sum(setting.default is None for setting in describe())


def test_setting_has_a_description_a_type_and_a_unique_variable() -> None:
    described = list(describe())
    assert len(described) > 30
    for setting in described:
        assert setting.doc.endswith(".")
        assert setting.type
        assert setting.variable == f"SOFTIX_{setting.section.upper()}_{setting.name.upper()}"
    assert len({setting.variable for setting in described}) == len(described)


# Read anew


def test_reloaded_settings_apply_all_but_those_read_at_the_start(tmp_path: Path) -> None:
    running = load(None, tmp_path, {"SOFTIX_SERVER_PORT": "1"})
    written(tmp_path, "[server]\nport = 2\nmax_body_mib = 3\n[routing]\nretries = 1\n")
    told = settings.reloaded(running, load(None, tmp_path, {}))
    assert (told.taken, told.at_the_next_start) == (("server.max_body_mib", "routing.retries"), ("server.port",))
    assert (told.settings.server.port, told.settings.server.max_body_mib, told.settings.routing.retries) == (1, 3, 1)
    again = settings.reloaded(told.settings, load(None, tmp_path, {}))
    assert (again.taken, again.at_the_next_start) == ((), ("server.port",)), "it is told until it holds"


def test_documentation_of_settings_read_at_the_start_says_so() -> None:
    told = {f"{item.section}.{item.name}" for item in describe() if item.doc.endswith(" It is read at the start only.")}
    assert {"server.port", "server.tls_cert", "storage.busy_timeout_ms", "master_key.command"} <= told
    assert not {"log.level", "server.drain_s", "money.least_output_tokens", "routing.retries"} & told
