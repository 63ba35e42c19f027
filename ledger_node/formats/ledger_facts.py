"""What an invoice says in the form that the ledger may hold: parties and accounts as keyed fingerprints.

Supplier and verifiers compute the same from the document and the ledger's own records of the parties. What a supplier
may state besides, where its document says nothing, is never among the facts. Nothing here writes.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from chaincode.money import Money
from ledger_node.formats.claims import COLLECTED, conditions
from ledger_node.formats.facts import CreditNoteFacts, FormatCode, FormatError, InvoiceFacts, PartyFacts
from ledger_node.formats.fingerprints import account, deliveries, identity, nobodys_account, predecessors
from ledger_node.formats.naming import Record, called, identifiers, is_named, registered_as


def ledger_facts(
    key: bytes, facts: InvoiceFacts, supplier: Record, buyer: Record | None, parties: Collection[Record] = ()
) -> dict[str, Any]:
    """What an invoice says, for the ledger.

    Args:
        key: 32 bytes, the consortium's.
        facts: what the invoice says.
        supplier: the ledger's record of the party that registers it.
        buyer: that of the party that it is registered on, None when the ledger knows no such party.
        parties: all that the ledger has; an invoice that names two of them as one names neither.

    Returns: the contract's facts: amount_minor, currency, issue_date, due_date ("" when the invoice names none),
        supplier and buyer (the identity that the party is registered under, when the invoice names it by any of its
        identifiers), payee ("" when the invoice names no account), and what else its `Facts` have.

    """
    first, *others = _payees(key, facts)
    return {
        "amount_minor": facts.amount_minor,
        "currency": facts.currency,
        "issue_date": facts.issue_date.isoformat(),
        "due_date": facts.due_date.isoformat() if facts.due_date else "",
        "supplier": _identity(key, facts.supplier, supplier, parties),
        "buyer": _identity(key, facts.buyer, buyer, parties),
        "payee": first,
        "predecessors": _predecessors(key, facts, supplier, buyer) if buyer else [],
        "other_payees": others,
        "conditions": list(conditions(facts.type_code, facts.payment_means)),
        "deliveries": deliveries(key, facts, supplier["msp_id"], buyer["msp_id"]) if buyer else [],
    }


def lacking(facts: InvoiceFacts) -> list[str]:
    """What of an invoice has to be stated when it is registered, since its file does not say it: for people."""
    if facts.due_date is not None:
        return []
    return [f"{_no_due_date(facts)}: state one when it is registered (stated_due_date), which its buyer has to approve"]


def require_due_date(facts: InvoiceFacts, stated: str) -> None:
    """Refuse at registration an invoice that is due on no day, or on one beside that of its file.

    Args:
        facts: what the invoice says.
        stated: the due date that its supplier states besides, or "".

    Raises: FormatError DUE_DATE_MISSING, DUE_DATE_IN_DOCUMENT.
    """
    if facts.due_date is None and not stated:
        raise FormatError(
            FormatCode.DUE_DATE_MISSING,
            _no_due_date(facts),
            "state the date (stated_due_date; at the prompt --due-date): the buyer's approval makes it count",
        )
    if facts.due_date is not None and stated:
        raise FormatError(
            FormatCode.DUE_DATE_IN_DOCUMENT,
            f"the file says that it is due on {facts.due_date} (BT-9), which nobody can override",
            "leave the stated date out; its holder can give more time later: ledger-node invoice extend-due-date",
        )


def require_payable(
    key: bytes, facts: InvoiceFacts, supplier: Record, buyer: Record, parties: Collection[Record] = ()
) -> None:
    """Refuse at registration what could never be paid: other parties, somebody else's account, money collected.

    Args:
        key: 32 bytes, the consortium's.
        facts: what the invoice says.
        supplier: the ledger's record of the party that registers it.
        buyer: that of the party that it is registered on.
        parties: all that the ledger has, of which the invoice may name no other as its supplier or buyer.

    Raises: FormatError PARTY_DIFFERS, PAYEE_DIFFERS, COLLECTED, naming what was looked for and what to do.
    """
    _require_parties(key, facts, supplier, buyer)
    for what, party, record in (("supplier", facts.supplier, supplier), ("buyer", facts.buyer, buyer)):
        if other := _also_named(key, party, record, parties):
            raise FormatError(
                FormatCode.PARTY_DIFFERS,
                f"the document names the {what} {called(party)}, which {other} is as well",
                f"send one that names {record['name']} alone, by a registered identifier",
            )
    if COLLECTED in conditions(facts.type_code, facts.payment_means):
        raise FormatError(
            FormatCode.COLLECTED,
            f"the means of payment (BT-81) is {', '.join(facts.payment_means)}: direct debit, card, bill or set-off, "
            "by which no holder can be paid",
            "agree on credit transfer (30 or 58) with the buyer and send the invoice anew",
        )
    if payee := _foreign_payee(facts):
        raise FormatError(
            FormatCode.PAYEE_DIFFERS,
            f"the invoice is payable to {payee[:60]!r}, not to the supplier",
            "only what is owed to the supplier can be registered: send an invoice without another payee (BG-10)",
        )
    accounts = {account(key, number) for number in facts.payee_accounts}
    if accounts and accounts.isdisjoint(_registered_accounts(supplier)):
        raise FormatError(
            FormatCode.PAYEE_DIFFERS,
            f"the invoice is payable to an account that {supplier['msp_id']} has not registered (BT-84)",
            "register the account: ledger-node party payout, or send an invoice with the registered one",
        )


def require_credit(
    key: bytes, note: CreditNoteFacts, amount_minor: int, invoice: Record, supplier: Record, buyer: Record
) -> None:
    """Refuse a credit note whose document says something else than it is registered as.

    Args:
        key: 32 bytes, the consortium's.
        note: what the credit note's document says.
        amount_minor: what is to be credited.
        invoice: the ledger's record of the invoice.
        supplier: of its supplier.
        buyer: of its buyer.

    Raises: FormatError PARTY_DIFFERS, CREDIT_DIFFERS.
    """
    _require_parties(key, note, supplier, buyer)
    currency = invoice["facts"]["currency"]
    if (note.amount_minor, note.currency) != (amount_minor, currency):
        stated, asked = Money(note.amount_minor, note.currency), Money(amount_minor, currency)
        raise FormatError(
            FormatCode.CREDIT_DIFFERS,
            f"the credit note is of {stated.decimal()} {note.currency}, not of {asked.decimal()} {currency}",
            "credit the amount that its document states",
        )
    if note.preceding_references and invoice["fingerprints"]["number"] not in _predecessors(key, note, supplier, buyer):
        raise FormatError(
            FormatCode.CREDIT_DIFFERS,
            "the credit note names other invoices than this one (BT-25)",
            "register it against the invoice that it names",
        )


def _require_parties(key: bytes, facts: InvoiceFacts | CreditNoteFacts, supplier: Record, buyer: Record) -> None:
    for what, party, record in (("supplier", facts.supplier, supplier), ("buyer", facts.buyer, buyer)):
        if not is_named(key, party, record):
            raise FormatError(
                FormatCode.PARTY_DIFFERS,
                f"the document names the {what} {called(party)}, which is not how {record['msp_id']} is registered: "
                f"{registered_as(record)}",
                f"send one that names {record['name'] or record['msp_id']} by a registered identifier; or "
                f"{record['msp_id']} registers that one (ledger-node party change-identities), and the document is "
                "uploaded anew; or register it for the party that it names",
            )


def _predecessors(key: bytes, facts: InvoiceFacts | CreditNoteFacts, supplier: Record, buyer: Record) -> list[str]:
    return predecessors(key, facts.preceding_references, supplier["msp_id"], buyer["msp_id"])


def _no_due_date(facts: InvoiceFacts) -> str:
    return "the file names no due date (BT-9)" + (", its terms are in words only (BT-20)" if facts.has_terms else "")


def _identity(key: bytes, party: PartyFacts, record: Record | None, parties: Collection[Record]) -> str:
    """What the party is registered under if the invoice names it, and no other by the same words.

    Else what the invoice names it by; and if that alone would name somebody, whom the rest contradicts, nobody's.
    """
    if record is not None and is_named(key, party, record) and not _also_named(key, party, record, parties):
        return str(record["identity_fingerprint"])
    found = [text for _, text in identifiers(party)] or [party.name]
    named_by = identity(key, found[0])
    registered = {each["identity_fingerprint"] for each in (*parties, *([record] if record else []))}
    return identity(key, " ".join(["contradicted", *found])) if named_by in registered else named_by


def _also_named(key: bytes, party: PartyFacts, record: Record, parties: Collection[Record]) -> str:
    """The MSP id of another party that the same words of an invoice name; empty when there is none."""
    others = (each["msp_id"] for each in parties if each["msp_id"] != record["msp_id"] and is_named(key, party, each))
    return next(others, "")


def _payees(key: bytes, facts: InvoiceFacts) -> list[str]:
    """At least one value: "" for no account, one or more accounts, or what is nobody's account, and so never paid."""
    if COLLECTED in conditions(facts.type_code, facts.payment_means):
        return [nobodys_account(key, COLLECTED, *facts.payment_means)]
    if foreign := _foreign_payee(facts):
        return [nobodys_account(key, "another party", foreign, *facts.payee_accounts)]
    return sorted({account(key, number) for number in facts.payee_accounts}) or [""]


def _foreign_payee(facts: InvoiceFacts) -> str:
    """What the payee is called when it is not the supplier itself, else ""."""
    payee, supplier = facts.payee, facts.supplier
    if payee is None or payee == PartyFacts():
        return ""
    own = {text for _, text in identifiers(supplier)}
    found = {text for _, text in identifiers(payee)}
    is_own = bool(found & own) if found else payee.name == supplier.name
    return "" if is_own else payee.name or ", ".join(sorted(found))


def _registered_accounts(supplier: Record) -> set[str]:
    """The supplier's account, the one that takes its place soon, and those that it had before."""
    pending = supplier.get("pending_payout") or {}
    former = [each["fingerprint"] for each in supplier.get("former_payouts", ())]
    return {supplier["payout_fingerprint"], *filter(None, [pending.get("fingerprint")]), *former}
