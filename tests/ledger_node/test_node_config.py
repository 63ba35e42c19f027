"""Settings are read strictly, overridden by the environment, and written so that they read back the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ledger_node.config import FabricSettings, Settings, TlsSettings, load_settings, save_settings
from ledger_node.errors import ConfigError

TLS = TlsSettings(certificate=Path("tls.crt"), private_key=Path("tls.key"), roots={"Bank.MSP": Path("bank.crt")})


def settings(**changes: Any) -> Settings:
    values: dict[str, Any] = {
        "organisation": "supplier",
        "msp_id": "SupplierMSP",
        "user_port": 8001,
        "peer_port": 8002,
        "ledger": "embedded",
        "certificate": Path("me.crt"),
        "embedded_database": Path("../ledger.db"),
        "tls": TLS,
    }
    return Settings(**(values | changes))


def fabric() -> FabricSettings:
    return FabricSettings(
        peer_endpoint="127.0.0.1:7051",
        tls_root=Path("ca.crt"),
        certificate=Path("cert.pem"),
        private_key=Path("key.pem"),
        channel="scf",
        chaincode="scf",
    )


@pytest.mark.parametrize("changes", [{}, {"ledger": "fabric", "fabric": fabric()}, {"open_days": False}])
def test_settings_read_back_as_they_were_written(tmp_path: Path, changes: dict[str, Any]) -> None:
    written = settings(**changes)
    save_settings(written, tmp_path / "node")
    assert load_settings(tmp_path / "node").model_dump() == written.model_dump()


def test_the_file_can_be_read_by_its_owner_only(tmp_path: Path) -> None:
    save_settings(settings(), tmp_path)
    assert (tmp_path / "node.toml").stat().st_mode & 0o777 == 0o600


def test_paths_are_relative_to_the_nodes_folder(tmp_path: Path) -> None:
    save_settings(settings(), tmp_path)
    loaded = load_settings(tmp_path)
    assert loaded.at(loaded.vault_dir) == tmp_path / "vault"
    assert loaded.at(Path("/absolute")) == Path("/absolute")
    assert loaded.directory == tmp_path
    assert loaded.database_url(loaded.state_database) == f"sqlite:///{tmp_path / 'state.db'}"
    assert loaded.database_url("postgresql+psycopg://host/db") == "postgresql+psycopg://host/db"


def test_the_environment_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_settings(settings(), tmp_path)
    monkeypatch.setenv("LEDGER_NODE_HOST", "10.0.0.1")
    monkeypatch.setenv("LEDGER_NODE_LIMITS__BATCH_COMMANDS_MAX", "7")
    loaded = load_settings(tmp_path)
    assert (loaded.host, loaded.limits.batch_commands_max) == ("10.0.0.1", 7)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("colour = 'red'", "colour"),
        ("user_port = 0", "user_port"),
        ("user_port = 70000", "user_port"),
        ("peer_port = 8001", "are the same"),
        ("ledger = 'paper'", "ledger"),
        ("ledger = 'fabric'", r"\[fabric\] is missing"),
        ("msp_id = '../etc'", "msp_id"),
        ("organisation = 'A B'", "organisation"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, content: str, text: str) -> None:
    save_settings(settings(), tmp_path)
    name = content.partition(" ")[0]
    lines = (tmp_path / "node.toml").read_text().splitlines()
    kept = [line for line in lines if line.partition(" ")[0] != name]
    (tmp_path / "node.toml").write_text("\n".join([content, *kept]))
    with pytest.raises(ConfigError, match=text):
        load_settings(tmp_path)


def test_an_embedded_ledger_needs_its_file_and_who_the_node_is() -> None:
    for missing in ("certificate", "embedded_database"):
        with pytest.raises(ValueError, match="is missing"):
            settings(**{missing: None})


def test_a_missing_or_broken_file_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="does not exist") as caught:
        load_settings(tmp_path)
    assert "ledger-node init" in caught.value.remedy
    (tmp_path / "node.toml").write_text("= nonsense")
    with pytest.raises(ConfigError, match="is not TOML at line 1, column 1"):
        load_settings(tmp_path)


def test_a_fault_of_the_environment_names_its_variable_and_not_the_file_s_setting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_settings(settings(), tmp_path)
    monkeypatch.setenv("LEDGER_NODE_LIMITS__BATCH_COMMANDS_MAX", "many")
    with pytest.raises(ConfigError, match="LEDGER_NODE_LIMITS__BATCH_COMMANDS_MAX: has to be a whole number"):
        load_settings(tmp_path)
    monkeypatch.delenv("LEDGER_NODE_LIMITS__BATCH_COMMANDS_MAX")
    monkeypatch.setenv("LEDGER_NODE_LIMITS", "many")
    with pytest.raises(ConfigError, match="LEDGER_NODE_LIMITS in the environment is not JSON"):
        load_settings(tmp_path)


def test_text_in_another_encoding_and_a_file_that_ends_too_soon_are_told_in_words(tmp_path: Path) -> None:
    for raw, words in ((b"host = '\xff'", "is not text in UTF-8"), (b"host = [", "is not TOML at its end")):
        (tmp_path / "node.toml").write_bytes(raw)
        with pytest.raises(ConfigError, match=words):
            load_settings(tmp_path)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("", ""),
        ("HTTPS://Pages.Supplier.EXAMPLE:443/", "https://pages.supplier.example"),
        ("http://pages.example:80", "http://pages.example"),
        ("https://pages.example:8443", "https://pages.example:8443"),
        ("http://[::1]:8001/", "http://[::1]:8001"),
        ("https://Käufer.example", "https://xn--kufer-gra.example"),
    ],
)
def test_the_address_of_the_pages_is_read_as_browsers_spell_it(written: str, read: str) -> None:
    assert settings(web={"url": written}).web_url == (read or "http://localhost:8001")


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("https://pages.example/scf", "leave the path out"),
        ("https://pages.example?x=1", "leave the path out"),
        ("pages.example", "is no address such as"),
        ("ftp://pages.example", "is no address such as"),
        ("https://me:secret@pages.example", "is no address such as"),
        ("https://pages.example:99999", "names no host and port"),
        ("https://", "is no address such as"),
    ],
)
def test_an_address_at_which_no_browser_finds_pages_is_refused(written: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        settings(web={"url": written})
