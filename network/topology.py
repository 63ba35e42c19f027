"""network.yaml: organisations, ports, channel. It describes a network; it starts nothing and asks no process.

Each organisation has one MSP and runs one orderer, one peer and one chaincode process. All paths are absolute once
the topology is loaded; `data_dir` in the file is relative to the file's folder.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Literal, Self

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    ValidationError,
    field_validator,
    model_validator,
)

from network.errors import SetupError
from network.faults import described_in_file, faults, not_yaml
from network.folders import OrganisationFolders

DEMO_ORGANISATIONS = ("supplier", "buyer", "financier", "carrier")
PORTS_PER_ORGANISATION = 10
_MEND = "Mend the file and try again; docs/reference/settings.md says what each setting is."
FORMS = {
    r"^[a-z][a-z0-9-]{0,30}$": "a name of up to 31 small letters, digits and dashes, a letter first",
    r"^[A-Za-z][A-Za-z0-9.-]{0,60}$": "an MSP id such as BuyerMSP",
    r"^[A-Za-z0-9.-]{1,253}$": "a host's name or IPv4 address",
    r"^[a-z][a-z0-9.-]{0,60}$": "a channel's name of small letters, digits, dots and dashes, a letter first",
    r"^[A-Za-z0-9]+([-_][A-Za-z0-9]+)*$": "a contract's name of letters and digits, with single dashes between them",
    r"^[A-Za-z_][A-Za-z0-9_.]*$": "a Python package such as chaincode",
    r"^[A-Za-z0-9]+([_-][A-Za-z0-9]+)*$": "a collection's name of letters and digits, with single dashes between them",
}
"""What fields have to be, by their patterns."""

Port = Annotated[int, Field(ge=1, le=65535)]
Consensus = Literal["bft", "raft"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Ports(_Strict):
    """The ports of one organisation; the operations ports serve /healthz and /metrics on loopback only."""

    orderer: Port
    orderer_admin: Port
    orderer_operations: Port
    peer: Port
    peer_chaincode: Port
    peer_operations: Port
    chaincode: Port

    @classmethod
    def block(cls, first: int) -> Self:
        """Consecutive ports from `first` on."""
        return cls(**{name: first + offset for offset, name in enumerate(cls.model_fields)})


class Organisation(_Strict):
    """One organisation: its name in commands and paths, its MSP, its host and ports."""

    name: str = Field(pattern=r"^[a-z][a-z0-9-]{0,30}$")
    msp_id: str = Field(pattern=r"^[A-Za-z][A-Za-z0-9.-]{0,60}$")
    host: str = Field(default="127.0.0.1", pattern=r"^[A-Za-z0-9.-]{1,253}$")
    ports: Ports

    @property
    def orderer_endpoint(self) -> str:
        return f"{self.host}:{self.ports.orderer}"

    @property
    def peer_endpoint(self) -> str:
        return f"{self.host}:{self.ports.peer}"

    @property
    def chaincode_endpoint(self) -> str:
        return f"127.0.0.1:{self.ports.chaincode}"


class Other(_Strict):
    """An organisation that runs on a host of its own: what the channel says of it, and no key and no process here."""

    name: str = Field(pattern=r"^[a-z][a-z0-9-]{0,30}$")
    msp_id: str = Field(pattern=r"^[A-Za-z][A-Za-z0-9.-]{0,60}$")
    host: str = Field(pattern=r"^[A-Za-z0-9.-]{1,253}$")
    orderer: Port
    peer: Port

    @property
    def orderer_endpoint(self) -> str:
        return f"{self.host}:{self.orderer}"

    @property
    def peer_endpoint(self) -> str:
        return f"{self.host}:{self.peer}"


MspId = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9.-]{0,60}$")]


def _each_once(msp_ids: tuple[str, ...]) -> tuple[str, ...]:
    twice = sorted({each for each in msp_ids if msp_ids.count(each) > 1})
    if twice:
        raise ValueError(f"{twice[0]} is named more than once")
    return msp_ids


MspIds = Annotated[tuple[MspId, ...], Field(min_length=1), AfterValidator(_each_once)]
"""Different ones: one that is named twice would count as two of those that have to sign."""


class PrivateData(_Strict):
    """Values that only the members' peers hold, as `definitions.Collection` says it."""

    name: str = Field(pattern=r"^[A-Za-z0-9]+([_-][A-Za-z0-9]+)*$", max_length=60)
    msp_ids: MspIds
    endorsements_min: int = Field(default=0, ge=0)
    blocks_kept: int = Field(default=0, ge=0)
    peers_min: int = Field(default=0, ge=0)
    members_write: bool = True

    @model_validator(mode="after")
    def _can_be_fulfilled(self) -> Self:
        if self.endorsements_min > len(self.msp_ids):
            raise ValueError(f"endorsements_min is {self.endorsements_min}, of {len(self.msp_ids)} members")
        if self.peers_min >= len(self.msp_ids):
            raise ValueError(f"peers_min is {self.peers_min}, of {len(self.msp_ids) - 1} other members")
        return self


class Endorsement(_Strict):
    """Who has to endorse what the contract writes, as `definitions.Policy` says it."""

    msp_ids: MspIds
    endorsements_min: int = Field(ge=1)

    @model_validator(mode="after")
    def _can_be_fulfilled(self) -> Self:
        if self.endorsements_min > len(self.msp_ids):
            raise ValueError(f"endorsements_min is {self.endorsements_min}, of {len(self.msp_ids)} organisations")
        return self


class Watch(_Strict):
    """How the network is watched over.

    `enabled` lets `up` start a supervisor for each organisation; turn it off where another program starts them.
    `stands_seconds` is how long ordering may stand before one acts: more than a change of the leader takes, so raise it
    with the channel's time-outs.
    """

    enabled: bool = True
    stands_seconds: float = Field(default=15.0, ge=5.0, le=3600.0)


class Topology(_Strict):
    """A network, as far as one machine runs it.

    `organisations` are those that this machine runs and has the keys of; `others` run elsewhere. `founding` says where
    the channel comes from: "alone" when this machine has every founder's keys and makes the genesis block itself, as in
    the demo, "together" when each organisation has its own and all make the same block from what all have signed.
    `consensus` is how the orderers agree: "bft" tolerates one in four that lies, "raft" only one that is down, for
    networks of two or three organisations that trust one another's orderers. It cannot be changed after the first
    start. `contract` is the Python package whose sources are the contract. `collections` and `endorsement` are part of
    its definition: without `endorsement` a majority of the organisations has to endorse, which is what the contract of
    this project is made for.
    """

    channel: str = Field(default="scf", pattern=r"^[a-z][a-z0-9.-]{0,60}$")
    chaincode: str = Field(default="scf", pattern=r"^[A-Za-z0-9]+([-_][A-Za-z0-9]+)*$")
    consensus: Consensus = "bft"
    contract: str = Field(default="chaincode", pattern=r"^[A-Za-z_][A-Za-z0-9_.]*$")
    data_dir: Path = Path("network-data")
    fabric_bin: Path | None = None
    watch: Watch = Watch()
    collections: tuple[PrivateData, ...] = ()
    endorsement: Endorsement | None = None
    founding: Literal["alone", "together"] = "alone"
    organisations: tuple[Organisation, ...] = Field(min_length=1)
    others: tuple[Other, ...] = ()
    _home: Path = PrivateAttr(default_factory=Path.cwd)
    _name: str = PrivateAttr(default="network.yaml")

    @field_validator("organisations")
    @classmethod
    def _names_differ(cls, organisations: tuple[Organisation, ...]) -> tuple[Organisation, ...]:
        _check_names(organisations)
        return organisations

    @model_validator(mode="after")
    def _others_are_others(self) -> Self:
        if self.others and self.founding == "alone":
            raise ValueError("others are named, and founding is alone: on a channel of several hosts it is together")
        _check_names(self.members)
        return self

    @model_validator(mode="after")
    def _members_are_known(self) -> Self:
        known = {member.msp_id for member in self.members}
        named = [msp_id for each in self.collections for msp_id in each.msp_ids]
        named += self.endorsement.msp_ids if self.endorsement else ()
        if unknown := sorted(set(named) - known):
            raise ValueError(f"{unknown[0]} is the MSP id of no organisation here")
        return self

    @model_validator(mode="after")
    def _ports_differ(self) -> Self:
        owners: dict[tuple[str, int], str] = {}
        for organisation in self.organisations:
            for name, port in organisation.ports:
                here = f"{organisation.name}.{name}"
                other = owners.setdefault((organisation.host, port), here)
                if other != here:
                    raise ValueError(f"port {port} is given to both {other} and {here}")
        for each in self.others:
            for name, port in (("orderer", each.orderer), ("peer", each.peer)):
                here = f"{each.name}.{name}"
                if (other := owners.setdefault((each.host, port), here)) != here:
                    raise ValueError(f"port {port} of {each.host} is given to both {other} and {here}")
        return self

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read and check a network.yaml.

        Args:
            path: the file; its folder is what relative paths in it are relative to.

        Raises: SetupError naming the file, the line, the field and the fault.
        """
        try:
            text = path.read_text("utf-8")
            content = yaml.safe_load(text)
        except FileNotFoundError:
            raise SetupError(f"{path} does not exist", "Write one with: ledger-node init --demo") from None
        except OSError as error:
            raise SetupError(f"{path} cannot be read: {error.strerror}", "Look at its permissions.") from error
        except (UnicodeDecodeError, yaml.YAMLError) as error:
            raise SetupError(f"{path} {not_yaml(error)}", "Mend the file, or write one anew.") from error
        try:
            topology = cls.model_validate(content)
        except ValidationError as error:
            raise SetupError(f"{path}: {described_in_file(faults(error, FORMS), text)}", _MEND) from error
        topology._home, topology._name = path.resolve().parent, path.name
        return topology

    def save(self, path: Path) -> None:
        """Write the topology as YAML; an existing file is replaced in one step."""
        path.parent.mkdir(parents=True, exist_ok=True)
        content = yaml.safe_dump(self.model_dump(mode="json", exclude_none=True), sort_keys=False)
        fresh = path.with_name(path.name + ".new")
        fresh.write_text(content, "utf-8")
        fresh.replace(path)

    @property
    def file(self) -> Path:
        """The absolute path of the description itself."""
        return self._home / self._name

    @property
    def data(self) -> Path:
        """The absolute folder of everything the network writes."""
        return self._home / self.data_dir

    @property
    def fabric_folder(self) -> Path | None:
        """The absolute folder of ready-made Fabric binaries, when the file names one."""
        return None if self.fabric_bin is None else self._home / self.fabric_bin

    @property
    def genesis_block(self) -> Path:
        return self.data / "channel" / f"{self.channel}.block"

    @property
    def members(self) -> tuple[Organisation | Other, ...]:
        """Everybody on the channel, the own organisations first."""
        return (*self.organisations, *self.others)

    def root_of(self, other: Other) -> Path:
        """The TLS root by which another organisation's servers are known, as the founding brought it."""
        return self.data / "channel" / "members" / f"{other.msp_id}.tlsca.pem"

    def place(self, organisation: Organisation) -> int:
        """Its place among all, which every host knows the same of: by MSP id."""
        return sorted(each.msp_id for each in self.members).index(organisation.msp_id)

    @property
    def builder(self) -> Path:
        return self.data / "builder"

    @property
    def fabric_configuration(self) -> Path:
        """FABRIC_CFG_PATH of all processes: core.yaml and orderer.yaml."""
        return self.data / "fabric"

    def organisation(self, name: str) -> Organisation:
        """The organisation of that name.

        Raises: SetupError when there is none.
        """
        for organisation in self.organisations:
            if organisation.name == name:
                return organisation
        known = ", ".join(each.name for each in self.organisations)
        raise SetupError(f"there is no organisation {name!r} in the network", f"Known are: {known}.")

    def folders(self, name: str) -> OrganisationFolders:
        """The folders of the organisation of that name."""
        return OrganisationFolders(self.data / "organisations" / self.organisation(name).name)

    def all_folders(self) -> Iterator[tuple[Organisation, OrganisationFolders]]:
        """Every organisation with its folders, in the file's order."""
        for organisation in self.organisations:
            yield organisation, self.folders(organisation.name)


def _check_names(members: Sequence[Organisation | Other]) -> None:
    """Raises: ValueError when two have one name or one MSP id."""
    for what in ("name", "msp_id"):
        values = [getattr(member, what) for member in members]
        if twice := sorted({value for value in values if values.count(value) > 1}):
            raise ValueError(f"{what} {twice[0]!r} is used by more than one organisation")


def demo_topology(home: Path, base_port: int | None = None) -> Topology:
    """The four organisations of the demo, all on this machine.

    Args:
        home: the folder that network.yaml will lie in; nothing is written.
        base_port: the first of `PORTS_PER_ORGANISATION` times four ports; None takes a free block.

    Raises: SetupError when no block of ports is free, or the last port would be above 65535.
    """
    first = free_base_port() if base_port is None else base_port
    if not 1024 <= first <= 65536 - PORTS_PER_ORGANISATION * len(DEMO_ORGANISATIONS):
        raise SetupError(f"base port {first} is out of range", "Choose one between 1024 and 65496.")
    organisations = tuple(
        Organisation(
            name=name,
            msp_id=f"{name.capitalize()}MSP",
            ports=Ports.block(first + PORTS_PER_ORGANISATION * number),
        )
        for number, name in enumerate(DEMO_ORGANISATIONS)
    )
    topology = Topology(organisations=organisations)
    topology._home = home.resolve()
    return topology


def free_base_port(first: int = 17050, last: int = 31000) -> int:
    """The first port of a block that is free for the demo's four organisations.

    Raises: SetupError when there is no such block between `first` and `last`.
    """
    width = PORTS_PER_ORGANISATION * len(DEMO_ORGANISATIONS)
    for base in range(first, last, width):
        if all(_is_unused("127.0.0.1", port) for port in range(base, base + width)):
            return base
    raise SetupError(f"no {width} free ports in a row between {first} and {last}", "Stop what listens there.")


def port_is_free(host: str, port: int) -> bool:
    """Whether nothing listens there, found by binding to it for a moment."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def _is_unused(host: str, port: int) -> bool:
    """Whether nothing listens there, nor holds the port for a server that is about to start."""
    with socket.socket() as probe:
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True
