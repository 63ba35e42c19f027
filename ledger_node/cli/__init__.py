"""The command line `ledger-node`: one file per command group, loaded only when asked for."""

from __future__ import annotations

import importlib

import click

from ledger_node.cli.late import when_imported

GROUPS = {
    "account": "Accounts: balances and entries.",
    "audit": "The node's audit log: who did what; show, verify.",
    "backup": "What nobody else could give back, in one encrypted file: node, network, verify.",
    "certs": "Certificates and revocation lists: when each ends.",
    "channel": "The channel: founding it with others; whom to believe.",
    "contract": "The contract, by each organisation for itself: approve, status, commit.",
    "crypto": "Keys and algorithms of this node.",
    "db": "The node's databases: upgrade, rebuild, check.",
    "demo": "Play the main job from founding to settlement.",
    "deposit": "Deposits: issue bank money as tokens, move, redeem, reverse.",
    "doctor": "Say what this machine has and lacks.",
    "document": "Documents: upload, show, fetch, seal.",
    "facility": "Facilities and supplier acceptances.",
    "fingerprint-key": "The consortium's fingerprint key: create, give, take.",
    "hash": "SHA-256 digests: files, verify, the hashing service, its speed.",
    "init": "Write network.yaml and one folder of settings per node.",
    "invite": "A one-time link for a person to sign in with a browser.",
    "invoice": "Invoices: register, approve, ask for early payment, settle.",
    "login": "Keep a node's address and token for the commands to come.",
    "logout": "Forget what login kept.",
    "network": "The Fabric network: up, down, restart, status, logs, chaincode.",
    "node": "One organisation's node: init, serve, status.",
    "org": "One's own organisation on a host of its own: init, card, show.",
    "restore": "Put a backup back, after all of it was verified.",
    "report": "Reports at any past block: statement, exposure, ageing, journal, ...",
    "party": "Parties and changes of the membership: propose, vote, suspend, ...",
    "payment": "A deposit's issuer and its bank: statements, payment orders.",
    "person": "Persons and four eyes: enrol, retire, sign.",
    "rules": "The public rules of invoices: list, fetch.",
    "shipment": "Shipments and their events.",
    "submission": "What became of writes: list, show, retry, withdraw.",
    "token": "API tokens: create, list, revoke.",
    "webhook": "Webhooks: tell other programs what happens, signed.",
    "verify": "Check an evidence bundle off line, without any node.",
}


class LazyGroup(click.Group):
    """Imports `ledger_node.cli.<name>` on demand; each module holds one click command called `command`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(GROUPS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in GROUPS:
            return None
        command: click.Command = importlib.import_module(f"ledger_node.cli.{cmd_name.replace('-', '_')}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(sorted(GROUPS.items()))


@click.group(
    cls=LazyGroup, context_settings={"auto_envvar_prefix": "LEDGER_NODE", "help_option_names": ["-h", "--help"]}
)
@click.version_option(package_name="ledger-node")
def main() -> None:
    """Run and use one organisation's node of a supply-chain-finance consortium.

    Exit codes: 0 done, 1 something broke, 2 wrong input or configuration, 3 not found,
    4 the ledger's answer is still open, 5 refused by the contract, 6 checked and found false.
    """
    when_imported("structlog", _log_to_standard_error)
    when_imported("stamina", _keep_tries_quiet)


def _log_to_standard_error() -> None:
    from ledger_node import logs

    logs.configure()


def _keep_tries_quiet() -> None:
    """The error that ends the tries says all."""
    import stamina.instrumentation

    stamina.instrumentation.set_on_retry_hooks([])
