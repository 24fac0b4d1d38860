"""Settings from a TOML file and the environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from flowtriage.configuration import SECTIONS, Settings, keys, load_settings
from flowtriage.errors import ConfigurationError


def write(folder: Path, text: str) -> Path:
    path = folder / "flowtriage.toml"
    path.write_text(text)
    return path


def test_defaults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert load_settings(environment={}) == Settings()


def test_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    file = write(
        tmp_path,
        """
        [store]
        url = "postgresql://hunter@db/flows"
        wait = 2
        [folders]
        data = "out"
        flows = "/var/flows"
        [ranking]
        limit = 250
        threshold = 1e-6
        [context]
        iploc = ""
        mmdb = ["city.mmdb", "/usr/share/asn.mmdb"]
        [reputation]
        msticpy = ["OTX"]
        """,
    )
    settings = load_settings(file, {})
    assert settings.store.url == "postgresql://hunter@db/flows"
    assert settings.store.wait == 2.0
    assert settings.folders.data == tmp_path / "out"
    assert settings.folders.flows == Path("/var/flows")
    assert settings.ranking.limit == 250
    assert settings.ranking.threshold == 1e-6
    assert settings.context.iploc is None
    assert settings.context.mmdb == (tmp_path / "city.mmdb", Path("/usr/share/asn.mmdb"))
    assert settings.reputation.msticpy == ("OTX",)
    assert settings.source == file
    assert "ranking.limit" in settings.given
    assert "ranking.seed" not in settings.given


def test_the_environment_overrides_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, "[ranking]\nlimit = 250\nseed = 3\n")
    other = tmp_path / "other.toml"
    other.write_text("[ranking]\nlimit = 99\n")
    monkeypatch.chdir(tmp_path)
    assert load_settings(environment={}).ranking.limit == 250
    environment = {
        "FLOWTRIAGE_RANKING_LIMIT": "7",
        "FLOWTRIAGE_RANKING_FEEDBACK_DAYS": "30",
        "FLOWTRIAGE_STORE_WAIT": "0.5",
        "FLOWTRIAGE_CONTEXT_MMDB": "a.mmdb:b.mmdb",
        "FLOWTRIAGE_BENCH_DATA": "of something else",
    }
    settings = load_settings(environment=environment)
    assert (settings.ranking.limit, settings.ranking.seed) == (7, 3)
    assert settings.ranking.feedback_days == 30
    assert settings.store.wait == 0.5
    assert settings.context.mmdb == (tmp_path / "a.mmdb", tmp_path / "b.mmdb")
    assert load_settings(environment={"FLOWTRIAGE_CONFIG": str(other)}).ranking.limit == 99


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[store", "is not valid TOML"),
        ("[database]\nurl = 'x'", "database: unknown section; did you mean"),
        ("store = 'x'", "store: expected a section; write [store]"),
        ("[store]\nurll = 'x'", "store.urll: unknown key; did you mean url or wait?"),
        ("[store]\nurl = 3", "store.url: expected a string, got 3"),
        ("[ranking]\nlimit = 'ten'", "ranking.limit: expected an integer, got 'ten'"),
        ("[ranking]\nlimit = 2.5", "ranking.limit: expected an integer, got 2.5"),
        ("[ranking]\nlimit = true", "ranking.limit: expected an integer, got True"),
        ("[ranking]\nlimit = 0", "ranking.limit: must be 1 or more, got 0"),
        ("[ranking]\nthreshold = nan", "ranking.threshold: must be 0 or more, got nan"),
        ("[folders]\ndata = ''", "folders.data: expected a path, got ''"),
        ("[context]\nmmdb = 'a.mmdb'", "context.mmdb: expected a list of strings, got 'a.mmdb'"),
    ],
)
def test_invalid_values_are_reported_with_file_and_key(
    tmp_path: Path, text: str, message: str
) -> None:
    file = write(tmp_path, text)
    with pytest.raises(ConfigurationError) as error:
        load_settings(file, {})
    assert str(error.value).startswith(str(file))
    assert message in str(error.value)


def test_invalid_variables_are_reported_by_name() -> None:
    with pytest.raises(
        ConfigurationError,
        match=r"FLOWTRIAGE_RANKING_LIMIT: ranking.limit: expected an integer, got 'x'",
    ):
        load_settings(environment={"FLOWTRIAGE_RANKING_LIMIT": "x"})
    with pytest.raises(FileNotFoundError):
        load_settings("absent.toml", {})


def test_every_key_is_documented() -> None:
    page = (Path(__file__).parents[3] / "docs" / "configuration.md").read_text()
    for section in SECTIONS:
        for name, key in keys(section).items():
            row = next(line for line in page.splitlines() if f"`{section}.{name}`" in line)
            assert key.metadata["about"] in row
            assert f"`FLOWTRIAGE_{section.upper()}_{name.upper()}`" in page
