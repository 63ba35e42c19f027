"""The floor plan: every room of the house, from the ground up, and what it is for.

A room imports rooms of lower floors only, and never one of its own floor. A room that is not in this list is no room:
the tests of the imports fail on it. `docs/explanation/architecture.md` is written from it.
"""

from __future__ import annotations

PACKAGES = ("chaincode", "network", "ledger_node")

FLOORS: dict[str, tuple[dict[str, str], ...]] = {
    "chaincode": (
        {
            "errors": "refusals with their codes",
            "stub": "the few verbs that both ledgers offer the contract",
            "shim": "the protocol between a peer and a contract process; knows no rule",
        },
        {"money": "currencies, the one formula, the one rounding"},
        {
            "records": "frozen records, keys, the strict canonical codec, the bodies of commands",
            "words": "amounts and days as people say them",
        },
        {
            "rules": "pure decisions, one file per noun; `release` with `evidence`, `terms`, `snapshot`, `verdicts` for"
            " the seven classes",
            "read_ahead": "what many commands will read, asked for together",
        },
        {"commands": "read, rule, write: one function a command"},
        {"contract": "the table of all commands and queries"},
        {"batch": "the overlay: many commands in one transaction, each atomic"},
        {"dispatch": "one JSON argument in, one JSON answer out"},
        {"main": "the process that serves the contract to a peer"},
    ),
    "network": (
        {
            "errors": "what can go wrong with a network, with its remedy",
            "faults": "what is wrong with input and settings, in words of people",
            "folders": "names of folders and files",
            "waiting": "deadlines that move on with what moves",
            "disk": "room on a disk",
            "logs": "logs and their bound",
            "blocks": "blocks as plain, checked data",
            "gateway": "the Gateway client, one noun per file",
            "builder": "Fabric's external builder: three small programs",
        },
        {
            "topology": "`network.yaml`: organisations, nodes, ports, channel",
            "tools": "Fabric's pinned programs",
            "proofs": "what members of a channel have signed, checked from bytes alone",
        },
        {
            "commands": "running one of Fabric's programs",
            "identities": "making certificates",
            "certificates": "when each certificate and revocation list ends",
            "ports": "ports held from choosing to use",
            "definitions": "what a channel says of a contract",
            "witnesses": "what shows to others what a channel holds, gathered from peers",
        },
        {
            "channel": "the genesis block, joining, the options that BFT orders under",
            "lifecycle": "package, install, approve, commit a contract",
            "processes": "native processes: start, stop, logs",
            "cards": "what others have to know of an organisation to found a channel with it",
            "organisation": "one organisation on a host of its own: its keys and its part of network.yaml",
        },
        {
            "components": "which processes an organisation has",
            "agreement": "a contract that each organisation approves for itself",
            "founding": "founding a channel together: what all sign, and the block that all make of it",
        },
        {
            "readiness": "waiting until they serve",
            "orderers": "what orderers say and the channel says of them",
            "watch": "supervisors: they start what died and restart their own orderer when ordering stands",
        },
        {"status": "how the network is"},
        {"control": "up, down, restart"},
    ),
    "ledger_node": (
        {
            "errors": "error families; each knows its exit code",
            "faults": "what is wrong with input, in words of people",
        },
        {
            "config": "settings of a node",
            "agreement": "own agreement keys, and the secrets that they make with those of other parties",
            "door": "HTTP and HTTPS that nobody can block by being slow",
            "database": "the two databases: opening, schema version, reading, writing",
            "hashing": "digests by hashlib, the processor's lanes, a GPU, or the service that owns them",
            "verify": "checking evidence off line: imports no node, no database and no gRPC",
        },
        {
            "logs": "how a node logs: text or JSON",
            "operations": "what people can do with the contract, declared once: writes, lists, reports, refusals",
            "sealing": "terms that are sealed for their readers, and opened by them",
            "ledger": "the one interface, and its two implementations: a Fabric network, a file",
            "formats": "documents to plain facts, one file a standard; keyed fingerprints of what they say",
            "migrations": "the steps that bring a state database of an earlier version up to date",
        },
        {
            "outbox": "commands that wait, which go together, the one sender, what became of them, whose turn it is",
            "readmodel": "blocks folded into tables, and the named questions that are asked of them",
            "client": "a client of a node's REST API",
            "payments": "a bank's files against the ledger, orders for redemptions: pure",
            "issuing": "papers that this organisation writes: invoices from facts, answers to invoices; pure",
            "rules": "the public rules of invoices, run by Saxon in a process that can be killed",
        },
        {
            "documents": "own documents at rest: the vault, their index, scrubbing, findings, seals",
            "people": "tokens, enrolled persons, reasons that were typed, who did what",
            "workers": "running the workers, signs of life, counts, opening days",
            "keyring": "which keys a node holds or trusts, with algorithm, end and use",
            "notifications": "what happened, told outside: webhooks with their events, answers to invoices",
            "reports": "statements, exposure, ageing, journals: pure functions over any past block",
        },
        {"verification": "others' documents: fetched, hashed, read again, attested"},
        {"node": "the composition root: the rooms of one node, chosen and opened"},
        {
            "background": "what runs over a node's rooms: sender, projector, verifier, scrubber, day opener, webhooks",
            "evidence": "making what others check without us: bundles and the trust file",
            "check": "checking a node against its ledger",
        },
        {"api": "the REST API and the other nodes' door"},
        {"web": "pages for people with a browser: what the API answers, in words and forms"},
        {"serve": "the processes of a node"},
        {
            "demo": "the main job played, and the documents of a made-up trade",
            "backup": "what nobody else could give back, in one encrypted file, and back again",
        },
        {"cli": "the command line"},
        {"__main__": "`python -m ledger_node`"},
    ),
}

SAME_FLOOR: dict[tuple[str, str], str] = {}
"""Pairs of one floor of which the first may import the second, each with its reason."""


def rank(package: str, room: str) -> int | None:
    """The floor of a room, from 0; None for what is no room."""
    return next((floor for floor, rooms in enumerate(FLOORS[package]) if room in rooms), None)


def as_tables() -> str:
    """The floor plan as the page shows it: one table a package, from below."""
    tables = []
    for package, floors in FLOORS.items():
        rows = [
            f"| {number} | `{room}` | {text} |" for number, rooms in enumerate(floors) for room, text in rooms.items()
        ]
        tables.append("\n".join([f"### `{package}/`", "", "| floor | room | holds |", "|---|---|---|", *rows]))
    return "\n\n".join(tables) + "\n"
