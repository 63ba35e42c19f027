"""Settings of one organisation's node: `<folder>/node.toml`, overridden by `LEDGER_NODE_*` in the environment.

This room reads and writes settings and checks their form; it opens no database, no key and no connection. Paths are
kept as they are written and are relative to the node's folder: `Settings.at` makes them absolute. Nested settings are
overridden with two underscores (`LEDGER_NODE_LIMITS__BATCH_COMMANDS_MAX=50`).
"""

from __future__ import annotations

import json
import os
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PrivateAttr, ValidationError, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, SettingsError

from ledger_node.errors import ConfigError
from ledger_node.faults import faults
from network.faults import described_in_file, not_toml

FILE_NAME = "node.toml"
HOST = r"^[a-z0-9.:-]{1,253}$"
API_URL = r"^(https?://[!-~]{1,200})?$"
MSP_ID = r"^[A-Za-z][A-Za-z0-9.-]{0,60}$"
SQLITE_PREFIX = "sqlite:///"
ENVIRONMENT = "LEDGER_NODE_"
_PORTS = {"http": 80, "https": 443}
_MEND = "Mend the file and start again; docs/reference/settings.md says what each setting is."

Port = Annotated[int, Field(ge=1, le=65535)]
MspId = Annotated[str, Field(pattern=MSP_ID)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FabricSettings(_Strict):
    """How the node reaches its own peer and who it is there; certificates and keys are PEM files."""

    peer_endpoint: str = Field(pattern=r"^[A-Za-z0-9.-]+:[0-9]+$")
    tls_root: Path
    certificate: Path
    private_key: Path
    channel: str
    chaincode: str


class TlsSettings(_Strict):
    """The node's own TLS pair (server on the peer port, client when it fetches) and every organisation's TLS root."""

    certificate: Path
    private_key: Path
    roots: dict[MspId, Path]


class Limits(_Strict):
    """Every bound of the node, with its unit in its name."""

    document_size_bytes_max: int = Field(default=50 * 1024 * 1024, ge=1)
    batch_commands_max: int = Field(default=500, ge=1, le=500)
    batch_bytes_max: int = Field(default=2_000_000, ge=1000)
    batch_age_seconds_max: float = Field(default=0.1, ge=0)
    transactions_in_flight_max: int = Field(default=4, ge=1, le=20)
    outbox_commands_max: int = Field(default=200_000, ge=1)
    outbox_bytes_max: int = Field(default=500_000_000, ge=1000)
    status_seconds_max: float = Field(default=8.0, gt=0)
    endorse_tries_max: int = Field(default=8, ge=1)
    attest_tries_max: int = Field(default=5, ge=1)
    attest_retry_seconds: float = Field(default=2.0, gt=0)
    verify_batch_documents_max: int = Field(default=1000, ge=1)
    verify_batch_bytes_max: int = Field(default=256 * 1024 * 1024, ge=1)
    fetch_seconds_max: float = Field(default=60.0, gt=0)
    read_bytes_max: int = Field(default=1024**3, ge=0)
    projection_writes_max: int = Field(default=5000, ge=1)
    lag_blocks_max: int = Field(default=50, ge=0)
    connections_max: int = Field(default=2000, ge=10)
    connections_per_address_max: int = Field(default=1000, ge=1)
    handshake_seconds_max: float = Field(default=5.0, gt=0)
    header_seconds_max: float = Field(default=10.0, gt=0)
    body_bytes_per_second_min: int = Field(default=1000, ge=1)
    scrub_pass_bytes_max: int = Field(default=10 * 1024**3, ge=1)
    scrub_pass_pause_seconds: float = Field(default=3600.0, ge=0)
    scrub_round_seconds: float = Field(default=7 * 24 * 3600.0, gt=0)


class LogSettings(_Strict):
    """How the node logs, and whether each request is a line."""

    format: Literal["text", "json"] = "text"
    level: Literal["debug", "info", "warning", "error"] = "info"
    access: bool = True


def _origin(url: str) -> str:
    """An address as browsers name where a page is from: no path, small letters, no port that goes without saying.

    Source: RFC 6454 section 6.2; RFC 3490 for names that are not ASCII.
    """
    if not url:
        return ""
    parts = urlsplit(url.strip())
    if parts.scheme not in _PORTS or not parts.hostname or parts.username is not None:
        raise ValueError("is no address such as https://pages.supplier.example")
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ValueError("has a path, and pages have a host of their own: leave the path out")
    try:
        name, port = parts.hostname.encode("idna").decode("ascii"), parts.port
    except ValueError as error:
        raise ValueError(f"names no host and port: {error}") from error
    host = f"[{name}]" if ":" in name else name
    return f"{parts.scheme}://{host}" + ("" if port in (None, _PORTS[parts.scheme]) else f":{port}")


class WebSettings(_Strict):
    """The pages for browsers. `url` is how browsers reach them, as they spell it; of this machine when it is empty."""

    url: Annotated[str, AfterValidator(_origin)] = ""
    idle_minutes: int = Field(default=30, ge=1, le=24 * 60)
    session_hours: int = Field(default=12, ge=1, le=24 * 7)


class WebhookSettings(_Strict):
    """Webhooks: hosts that may have addresses of the own network and speak http, and how deliveries are tried."""

    private_hosts: tuple[Annotated[str, Field(pattern=HOST)], ...] = ()
    tls_roots: Path | None = None  # PEM, beside the system's
    seconds_max: float = Field(default=10.0, gt=0, le=60)
    tries_max: int = Field(default=20, ge=1, le=100)
    pause_seconds: float = Field(default=5.0, gt=0)
    pause_seconds_max: float = Field(default=6 * 3600.0, gt=0)
    in_flight_max: int = Field(default=8, ge=1, le=64)
    waiting_max: int = Field(default=10_000, ge=1)


class ResponseSettings(_Strict):
    """Whether this node answers invoices by itself, as their buyer.

    `folder` is where the files go (nowhere when it is left out), `sender` the own electronic address, SCHEME:ID, which
    stands in for what the invoices say.
    """

    folder: Path | None = None
    sender: str = Field(default="", pattern=r"^([A-Za-z0-9]{2,8}:[!-~]{1,100})?$")


class Settings(BaseSettings):
    """All settings of a node. `load_settings` reads them, `save_settings` writes them."""

    model_config = SettingsConfigDict(
        env_prefix=ENVIRONMENT, env_nested_delimiter="__", extra="forbid", frozen=True, env_ignore_empty=True
    )

    organisation: str = Field(pattern=r"^[a-z][a-z0-9-]{0,30}$")
    msp_id: MspId
    host: str = "127.0.0.1"
    peer_host: str = ""  # of the peer port; that of `host` when it is empty
    user_port: Port
    peer_port: Port
    api_url: str = Field(default="", pattern=API_URL)  # where people's programs reach the user port
    ledger: Literal["fabric", "embedded"]
    certificate: Path | None = None  # who the node is on the embedded ledger, PEM
    embedded_database: Path | None = None  # one file, shared by the nodes of one machine
    fabric: FabricSettings | None = None
    state_database: str = "sqlite:///state.db"
    readmodel_database: str = "sqlite:///readmodel.db"
    vault_dir: Path = Path("vault")
    fingerprint_key_file: Path = Path("fingerprint.key")
    agreement_key_file: Path = Path("agreement.key")  # made by ledger-node crypto make-agreement-key
    fingerprint_epoch: int = Field(default=1, ge=1)
    evidence_key_file: Path = Path("evidence.key")  # made when it is first needed
    open_days: bool = True
    hash_socket: Path | None = None  # of the hashing service; the user's own place for it when left out
    hash_backend: Literal["auto", "native", "hashlib"] = "auto"
    scrub: bool = True
    audit_file: Path = Path("audit.jsonl")
    logs: LogSettings = LogSettings()
    web: WebSettings = WebSettings()
    webhooks: WebhookSettings = WebhookSettings()
    responses: ResponseSettings = ResponseSettings()
    rules: Literal["block", "warn", "off"] = "block"
    rules_folder: Path | None = None  # of packs; the user's own place for them when left out
    tls: TlsSettings
    limits: Limits = Limits()
    _directory: Path = PrivateAttr(default_factory=Path.cwd)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment comes before the file, whose content arrives as keyword arguments."""
        return env_settings, init_settings

    @model_validator(mode="after")
    def _ledger_is_described(self) -> Self:
        if self.ledger == "fabric" and self.fabric is None:
            raise ValueError("ledger is fabric, but the table [fabric] is missing")
        if self.ledger == "embedded" and (self.embedded_database is None or self.certificate is None):
            raise ValueError("ledger is embedded, but embedded_database or certificate is missing")
        if self.user_port == self.peer_port:
            raise ValueError("user_port and peer_port are the same")
        return self

    @property
    def web_url(self) -> str:
        """How browsers reach the pages. Not 127.0.0.1: browsers have passkeys for names only."""
        return self.web.url or f"http://localhost:{self.user_port}"

    @property
    def directory(self) -> Path:
        """The node's folder, absolute."""
        return self._directory

    def at(self, path: Path) -> Path:
        """A path of these settings made absolute: what is relative is relative to the node's folder."""
        return self._directory / path

    def database_url(self, url: str) -> str:
        """A database URL with SQLite's file made absolute; URLs of servers stay as they are."""
        return SQLITE_PREFIX + str(self.at(Path(url.removeprefix(SQLITE_PREFIX)))) if is_sqlite(url) else url


def is_sqlite(url: str) -> bool:
    """Whether a database URL names a SQLite file."""
    return url.startswith(SQLITE_PREFIX)


def load_settings(directory: Path) -> Settings:
    """Read the settings of the node in `directory`.

    Args:
        directory: the node's folder, which holds node.toml.

    Raises: ConfigError naming the file, the setting and the fault.
    """
    path = directory / FILE_NAME
    try:
        content: dict[str, Any] = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{path} does not exist", "Write one with: ledger-node init --demo") from None
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}", "Look at its permissions.") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path} {not_toml(error)}", _MEND) from error
    try:
        settings = Settings(**content)
    except ValidationError as error:
        raise ConfigError(f"{path}: {described_in_file(_placed(faults(error)))}", _MEND) from error
    except SettingsError as error:  # of the environment alone: a table of settings that is no JSON
        named = [name for name in os.environ if name.startswith(ENVIRONMENT) and "__" not in name]
        text = f"one of {', '.join(sorted(named))} in the environment is not JSON"
        raise ConfigError(text, f"Set one setting each, such as {ENVIRONMENT}LIMITS__BATCH_COMMANDS_MAX=50.") from error
    settings._directory = directory.resolve()
    return settings


def _placed(found: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Faults with the variable of the environment for those whose setting it has overridden."""
    variables = {field: ENVIRONMENT + field.upper().replace(".", "__") for field, _ in found}
    return [(variables[field] if variables[field] in os.environ else field, fault) for field, fault in found]


def save_settings(settings: Settings, directory: Path) -> None:
    """Write node.toml (mode 0600, since a database URL may hold a password); a former one is replaced in one step.

    Args:
        settings: as they are to be read again; paths are written as they stand.
        directory: the node's folder, made when missing.
    """
    directory.mkdir(parents=True, exist_ok=True)
    fresh = directory / f"{FILE_NAME}.new"
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as stream:
        stream.write(_text(settings.model_dump(mode="json", exclude_none=True)))
        stream.flush()
        os.fsync(stream.fileno())
    fresh.replace(directory / FILE_NAME)


def relocated(text: str, former: Path, now: Path) -> str:
    """The text of a node.toml whose files have moved to another folder.

    Args:
        text: as it was.
        former: the folder that the files were below.
        now: where they are now.

    Returns: the same text, when no absolute path below `former` stands in it; comments are lost otherwise.
    """
    content = tomllib.loads(text)
    moved = _relocated(content, former, now)
    return text if moved == content else _text(moved)


def _relocated(value: Any, former: Path, now: Path) -> Any:
    if isinstance(value, dict):
        return {name: _relocated(each, former, now) for name, each in value.items()}
    if not isinstance(value, str):
        return value
    prefix = SQLITE_PREFIX if is_sqlite(value) else ""
    path = Path(value.removeprefix(prefix))
    if not path.is_absolute() or not path.is_relative_to(former):
        return value
    return prefix + str(now / path.relative_to(former))


def _text(content: dict[str, Any]) -> str:
    return "\n".join(_toml(content, "")) + "\n"


def _toml(table: dict[str, Any], prefix: str) -> list[str]:
    """TOML of nested tables of strings, numbers and booleans, which is all that settings hold."""
    plain = {name: value for name, value in table.items() if not isinstance(value, dict)}
    # A JSON string, number or boolean is a TOML one too; keys are quoted where they hold a dot.
    lines = [f"{_key(name)} = {json.dumps(value)}" for name, value in plain.items()]
    for name, value in table.items():
        if isinstance(value, dict):
            inner = f"{prefix}{_key(name)}"
            lines += ["", f"[{inner}]", *_toml(value, f"{inner}.")]
    return lines


def _key(name: str) -> str:
    return name if name.replace("_", "").replace("-", "").isalnum() else json.dumps(name)
