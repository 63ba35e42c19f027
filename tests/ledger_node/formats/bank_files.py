"""Statements of a made-up bank, for tests: camt.053 and camt.054 as banks write them, pain.002."""

from __future__ import annotations

from collections.abc import Sequence

OWN = "DE75512108001245126199"
OTHER = "FR7630006000011234567890189"
ISO = "urn:iso:std:iso:20022:tech:xsd:"


def detail(amount: str = "100.00", account: str = OTHER, refs: str = "", side: str = "Dbtr", more: str = "") -> str:
    """One payment of an entry (version 08)."""
    paid = f"<{side}Acct><Id><IBAN>{account}</IBAN></Id></{side}Acct>" if account else ""
    return (
        f'<TxDtls><Refs>{refs}</Refs><Amt Ccy="EUR">{amount}</Amt><CdtDbtInd>{"CRDT" if side == "Dbtr" else "DBIT"}'
        f"</CdtDbtInd><RltdPties><{side}><Pty><Nm>Exempel AB</Nm></Pty></{side}>{paid}</RltdPties>{more}</TxDtls>"
    )


def entry(  # each thing that a bank may say otherwise
    amount: str = "100.00",
    details: Sequence[str] = (detail(),),
    *,
    direction: str = "CRDT",
    status: str = "<Cd>BOOK</Cd>",
    reference: str = "BANK-1",
    booked: str = "<Dt>2026-11-27</Dt>",
    reversal: str = "",
    code: str = "RCDT",
    currency: str = "EUR",
    counted: int | None = None,
) -> str:
    """One entry (version 08)."""
    told = f"<AcctSvcrRef>{reference}</AcctSvcrRef>" if reference else ""
    batch = f"<Btch><NbOfTxs>{counted}</NbOfTxs></Btch>" if counted else ""
    day = f"<BookgDt>{booked}</BookgDt>" if booked else ""
    return (
        f'<Ntry><Amt Ccy="{currency}">{amount}</Amt><CdtDbtInd>{direction}</CdtDbtInd>{reversal}<Sts>{status}</Sts>'
        f"{day}{told}<BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>{code}</Cd><SubFmlyCd>ESCT</SubFmlyCd></Fmly></Domn></BkTxCd>"
        f"<NtryDtls>{batch}{''.join(details)}</NtryDtls></Ntry>"
    )


def camt_054(*entries: str, account: str = OWN, version: str = "08") -> bytes:
    """A notification of credits and debits."""
    return (
        f'<Document xmlns="{ISO}camt.054.001.{version}"><BkToCstmrDbtCdtNtfctn><GrpHdr><MsgId>M</MsgId>'
        f"<CreDtTm>2026-11-27T18:00:00</CreDtTm></GrpHdr><Ntfctn><Id>N</Id><Acct><Id><IBAN>{account}</IBAN></Id></Acct>"
        f"{''.join(entries)}</Ntfctn></BkToCstmrDbtCdtNtfctn></Document>"
    ).encode()


def camt_053_02(amount: str = "100.00", status: str = "BOOK", reference: str = "BANK-1") -> bytes:
    """A statement in the version of 2009, in which statuses are plain codes and parties have no choice."""
    return (
        f'<Document xmlns="{ISO}camt.053.001.02"><BkToCstmrStmt><GrpHdr><MsgId>M</MsgId><CreDtTm>2026-11-27T18:00:00'
        f"</CreDtTm></GrpHdr><Stmt><Id>S</Id><CreDtTm>2026-11-27T18:00:00</CreDtTm><Acct><Id><IBAN>{OWN}</IBAN></Id>"
        "</Acct><Bal><Tp><CdOrPrtry><Cd>CLBD</Cd></CdOrPrtry></Tp>"
        f'<Amt Ccy="EUR">1.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2026-11-27</Dt></Dt></Bal>'
        f'<Ntry><Amt Ccy="EUR">{amount}</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>{status}</Sts>'
        f"<BookgDt><DtTm>2026-11-27T09:00:00+01:00</DtTm></BookgDt><AcctSvcrRef>{reference}</AcctSvcrRef>"
        "<BkTxCd><Prtry><Cd>NTRF</Cd></Prtry></BkTxCd><NtryDtls><TxDtls><Refs><EndToEndId>NOTPROVIDED</EndToEndId></Refs>"
        f"<RltdPties><Dbtr><Nm>Exempel AB</Nm></Dbtr><DbtrAcct><Id><IBAN>{OTHER}</IBAN></Id></DbtrAcct></RltdPties>"
        "<RmtInf><Ustrd> invoice 7 </Ustrd></RmtInf></TxDtls></NtryDtls></Ntry></Stmt></BkToCstmrStmt></Document>"
    ).encode()


def pain_002(status: str, order: str, *, namespace: str = f"{ISO}pain.002.001.03") -> bytes:
    """A bank's word about one payment, in ISO's namespace or in that of the Swiss banks."""
    return (
        f'<Document xmlns="{namespace}"><CstmrPmtStsRpt><GrpHdr><MsgId>M</MsgId><CreDtTm>2026-11-27T18:00:00</CreDtTm>'
        f"</GrpHdr><OrgnlGrpInfAndSts><OrgnlMsgId>{order}</OrgnlMsgId><OrgnlMsgNmId>pain.001.001.03</OrgnlMsgNmId>"
        f"</OrgnlGrpInfAndSts><OrgnlPmtInfAndSts><OrgnlPmtInfId>{order}</OrgnlPmtInfId><TxInfAndSts>"
        f"<OrgnlEndToEndId>{order}</OrgnlEndToEndId><TxSts>{status}</TxSts><StsRsnInf><Rsn><Cd>AC04</Cd></Rsn>"
        "<AddtlInf>closed</AddtlInf></StsRsnInf></TxInfAndSts></OrgnlPmtInfAndSts></CstmrPmtStsRpt></Document>"
    ).encode()
