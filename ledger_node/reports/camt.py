"""A party's deposit accounts as a bank's account statement, for the programs that read banks' statements: camt.053.

The ledger is the account servicer. What comes in is a credit; an issuer's account (`issued:`) stands on the debit side.
Nothing of the moment of writing is in the message: the same period at the same block gives the same bytes.
Source: ISO 20022 camt.053.001.08; external code sets of balance types (OPBD, CLBD) and entry status (BOOK).
"""

from __future__ import annotations

import hashlib
import importlib
from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import groupby
from typing import Any

from xsdata.formats.dataclass.serializers import XmlSerializer
from xsdata.formats.dataclass.serializers.config import SerializerConfig
from xsdata.models.datatype import XmlDate, XmlDateTime

from ledger_node.reports.tables import Row, Table

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"
ID_CHARACTERS, REFERENCE_CHARACTERS, NAME_CHARACTERS = 34, 35, 70
NO_REFERENCE = "NOTPROVIDED"


def camt053(statement: Table, from_day: str, to_day: str) -> bytes:
    """The message of a party's statement, one part for each account.

    Args:
        statement: of `statement`, for the same period, of one account at least: a message has to have a part.
        from_day, to_day: its first and last day.

    Returns: XML, UTF-8.
    """
    camt = importlib.import_module("pyiso20022.camt.camt_053_001_08")
    made = XmlDateTime.from_string(f"{statement.day}T00:00:00Z")
    accounts = groupby(statement.rows, key=lambda row: (row["deposit"], row["account"]))
    parts = [
        _statement(camt, f"{from_day}.{number}", list(rows), made, from_day, to_day)
        for number, (_, rows) in enumerate(accounts, start=1)
    ]
    header = camt.GroupHeader81(msg_id=f"{to_day}.{statement.block_number}", cre_dt_tm=made)
    document = camt.Document(bk_to_cstmr_stmt=camt.BankToCustomerStatementV08(grp_hdr=header, stmt=parts))
    serializer = XmlSerializer(config=SerializerConfig(indent="  "))
    return serializer.render(document, ns_map={None: NAMESPACE}).encode()


def _statement(camt: Any, name: str, rows: Sequence[Row], made: XmlDateTime, from_day: str, to_day: str) -> Any:
    opening, *movements, closing = rows
    period = camt.DateTimePeriod1(
        fr_dt_tm=XmlDateTime.from_string(f"{from_day}T00:00:00Z"),
        to_dt_tm=XmlDateTime.from_string(f"{to_day}T23:59:59Z"),
    )
    return camt.AccountStatement9(
        id=name,
        cre_dt_tm=made,
        fr_to_dt=period,
        acct=_account(camt, opening),
        bal=[_balance(camt, "OPBD", opening, from_day), _balance(camt, "CLBD", closing, to_day)],
        ntry=list(_entries(camt, movements)),
    )


def _account(camt: Any, row: Row) -> Any:
    """Its id names the deposit, too, since a party has an account in each; what is longer than an id: its digest."""
    said = f"{row['account']} in {row['deposit']}"
    own_id = said if len(said) <= ID_CHARACTERS else hashlib.sha256(said.encode()).hexdigest()[:32]
    other = camt.GenericAccountIdentification1(id=own_id)
    return camt.CashAccount39(
        id=camt.AccountIdentification4Choice(othr=other), ccy=_currency(row), nm=said[:NAME_CHARACTERS]
    )


def _balance(camt: Any, code: str, row: Row, day: str) -> Any:
    kind = camt.BalanceType13(cd_or_prtry=camt.BalanceType10Choice(cd=code))
    return camt.CashBalance8(tp=kind, dt=_date(camt, day), **_amount(camt, Decimal(row["balance"]), row))


def _entries(camt: Any, movements: Sequence[Row]) -> Iterator[Any]:
    seen: Counter[str] = Counter()
    for row in movements:
        seen[row["transaction_id"]] += 1
        # A transaction may move money of an account more than once: its beginning, and the number of the movement.
        reference = f"{row['transaction_id'][:28]}-{seen[row['transaction_id']]}"[:REFERENCE_CHARACTERS]
        value = Decimal(row["debit"]) if row["debit"] else -Decimal(row["credit"])
        details = camt.EntryTransaction10(
            refs=camt.TransactionReferences6(
                acct_svcr_ref=reference, end_to_end_id=row["invoice_id"] or NO_REFERENCE, tx_id=reference
            ),
            rmt_inf=camt.RemittanceInformation16(ustrd=[f"{row['step']} {row['counter_account']}"[:140]]),
        )
        code = camt.ProprietaryBankTransactionCodeStructure1(cd=row["step"][:REFERENCE_CHARACTERS], issr="ledger-node")
        yield camt.ReportEntry10(
            ntry_ref=reference,
            sts=camt.EntryStatus1Choice(cd="BOOK"),
            bookg_dt=_date(camt, row["day"]),
            val_dt=_date(camt, row["day"]),
            acct_svcr_ref=reference,
            bk_tx_cd=camt.BankTransactionCodeStructure4(prtry=code),
            ntry_dtls=[camt.EntryDetails9(tx_dtls=[details])],
            **_amount(camt, value, row),
        )


def _amount(camt: Any, value: Decimal, row: Row) -> dict[str, Any]:
    side = camt.CreditDebitCode.DBIT if value < 0 else camt.CreditDebitCode.CRDT
    amount = camt.ActiveOrHistoricCurrencyAndAmount(value=abs(value), ccy=_currency(row))
    return {"amt": amount, "cdt_dbt_ind": side}


def _currency(row: Row) -> str:
    return row["deposit"].partition("@")[0]


def _date(camt: Any, day: str) -> Any:
    return camt.DateAndDateTime2Choice(dt=XmlDate.from_string(day))
