"""Payment orders for redemptions: pain.001.001.09 for a bank's customer, pacs.008.001.08 for a bank.

One message is one redemption, and all its ids are the redemption's own: exported again it is the same payment to every
bank that refuses a message it has had. Whatever a bank would cut, replace or refuse is refused here, by name.
Source: ISO 20022; EPC SEPA credit transfer guidelines (characters, 70 of a name); structured addresses with town and
country, which are compulsory since November 2026; IBAN ISO 13616, BIC ISO 9362.
"""

from __future__ import annotations

import dataclasses
import datetime
import importlib
import re
from decimal import Decimal
from typing import Any, Literal

from stdnum import bic, iban
from stdnum.exceptions import ValidationError
from xsdata.formats.dataclass.serializers import XmlSerializer
from xsdata.formats.dataclass.serializers.config import SerializerConfig
from xsdata.models.datatype import XmlDate, XmlDateTime

from chaincode.money import Money
from ledger_node.errors import BadRequest
from ledger_node.formats.iso20022 import ISO

# The messages' own modules take a third of a second each, and few processes write one: they are imported at use.
Form = Literal["pain.001", "pacs.008"]
NAME_CHARACTERS_MAX = 70
TOWN_CHARACTERS_MAX = 35
PART_CHARACTERS_MAX = 16
TEXT_CHARACTERS_MAX = 140
SEPA_MINOR_MAX = 999_999_999_99
_CHARACTERS = re.compile(r"[A-Za-z0-9/\-?:().,'+ ]*", re.ASCII)


@dataclasses.dataclass(frozen=True, slots=True)
class Account:
    """Who pays or is paid.

    Args:
        name: of the holder, as the bank has it.
        iban: of the account.
        country: of the holder, two letters of ISO 3166.
        town: of the holder.
        bic: of the bank that keeps the account; only pacs.008 must have it.
        street, building, postcode: of the holder; may be empty.
    """

    name: str
    iban: str
    country: str
    town: str
    bic: str = ""
    street: str = ""
    building: str = ""
    postcode: str = ""


PARTS = tuple(field.name for field in dataclasses.fields(Account))


@dataclasses.dataclass(frozen=True, slots=True)
class Order:
    """One redemption to be paid out.

    Args:
        redemption_id: of the ledger, at most 35 letters and digits; the payment's id in every field.
        amount_minor: above zero, in minor units of `currency`.
        text: what the payee reads.
    """

    redemption_id: str
    amount_minor: int
    currency: str
    payer: Account
    payee: Account
    execution_date: datetime.date
    text: str


def order_file(order: Order, form: Form, now: datetime.datetime) -> bytes:
    """The message that a bank takes.

    Args:
        order: what is paid.
        form: "pain.001" for a customer of a bank, "pacs.008" for a bank.
        now: when the message is made, in UTC.

    Returns: XML, UTF-8.

    Raises: BadRequest naming the side, the field and what is wrong with it.
    """
    _check("payer", order.payer, needs_bic=form == "pacs.008")
    _check("payee", order.payee, needs_bic=form == "pacs.008")
    _characters("the text", order.text, TEXT_CHARACTERS_MAX)
    if order.currency == "EUR" and order.amount_minor > SEPA_MINOR_MAX:
        raise BadRequest("SEPA transfers nothing above 999999999.99 EUR", "Split the redemption.")
    document = _pain(order, now) if form == "pain.001" else _pacs(order, now)
    namespace = f"{ISO}{form}.001.{'09' if form == 'pain.001' else '08'}"
    serializer = XmlSerializer(config=SerializerConfig(indent="  "))
    return serializer.render(document, ns_map={None: namespace}).encode()


def _pain(order: Order, now: datetime.datetime) -> Any:
    pain = importlib.import_module("pyiso20022.pain.pain_001_001_09")
    value, is_sepa = _decimal(order), order.currency == "EUR"
    payment = pain.CreditTransferTransaction34(
        pmt_id=pain.PaymentIdentification6(instr_id=order.redemption_id, end_to_end_id=order.redemption_id),
        amt=pain.AmountType4Choice(instd_amt=pain.ActiveOrHistoricCurrencyAndAmount(value=value, ccy=order.currency)),
        cdtr_agt=_agent(pain, order.payee) if order.payee.bic else None,
        cdtr=_party(pain, order.payee),
        cdtr_acct=_account(pain, order.payee),
        rmt_inf=pain.RemittanceInformation16(ustrd=[order.text]),
    )
    level = [pain.ServiceLevel8Choice(cd="SEPA")] if is_sepa else []
    part = pain.PaymentInstruction30(
        pmt_inf_id=order.redemption_id,
        pmt_mtd=pain.PaymentMethod3Code.TRF,
        nb_of_txs="1",
        ctrl_sum=value,
        pmt_tp_inf=pain.PaymentTypeInformation26(svc_lvl=level) if level else None,
        reqd_exctn_dt=pain.DateAndDateTime2Choice(dt=XmlDate.from_date(order.execution_date)),
        dbtr=_party(pain, order.payer),
        dbtr_acct=_account(pain, order.payer),
        dbtr_agt=_agent(pain, order.payer),
        chrg_br=pain.ChargeBearerType1Code.SLEV if is_sepa else pain.ChargeBearerType1Code.SHAR,
        cdt_trf_tx_inf=[payment],
    )
    header = pain.GroupHeader85(
        msg_id=order.redemption_id,
        cre_dt_tm=XmlDateTime.from_datetime(now.replace(microsecond=0)),
        nb_of_txs="1",
        ctrl_sum=value,
        initg_pty=pain.PartyIdentification135(nm=order.payer.name),
    )
    return pain.Document(cstmr_cdt_trf_initn=pain.CustomerCreditTransferInitiationV09(grp_hdr=header, pmt_inf=[part]))


def _pacs(order: Order, now: datetime.datetime) -> Any:
    pacs = importlib.import_module("pyiso20022.pacs.pacs_008_001_08")
    amount = pacs.ActiveCurrencyAndAmount(value=_decimal(order), ccy=order.currency)
    is_sepa, day = order.currency == "EUR", XmlDate.from_date(order.execution_date)
    header = pacs.GroupHeader93(
        msg_id=order.redemption_id,
        cre_dt_tm=XmlDateTime.from_datetime(now.replace(microsecond=0)),
        nb_of_txs="1",
        sttlm_inf=pacs.SettlementInstruction7(sttlm_mtd=pacs.SettlementMethod1Code.CLRG),
    )
    payment = pacs.CreditTransferTransaction39(
        pmt_id=pacs.PaymentIdentification7(
            instr_id=order.redemption_id, end_to_end_id=order.redemption_id, tx_id=order.redemption_id
        ),
        pmt_tp_inf=pacs.PaymentTypeInformation28(svc_lvl=[pacs.ServiceLevel8Choice(cd="SEPA")]) if is_sepa else None,
        intr_bk_sttlm_amt=amount,
        intr_bk_sttlm_dt=day,
        chrg_br=pacs.ChargeBearerType1Code.SLEV if is_sepa else pacs.ChargeBearerType1Code.SHAR,
        dbtr=_party(pacs, order.payer),
        dbtr_acct=_account(pacs, order.payer),
        dbtr_agt=_agent(pacs, order.payer),
        cdtr_agt=_agent(pacs, order.payee),
        cdtr=_party(pacs, order.payee),
        cdtr_acct=_account(pacs, order.payee),
        rmt_inf=pacs.RemittanceInformation16(ustrd=[order.text]),
    )
    return pacs.Document(
        fito_ficstmr_cdt_trf=pacs.FitoFicustomerCreditTransferV08(grp_hdr=header, cdt_trf_tx_inf=[payment])
    )


def _party(message: Any, account: Account) -> Any:
    address = message.PostalAddress24(
        strt_nm=account.street or None,
        bldg_nb=account.building or None,
        pst_cd=account.postcode or None,
        twn_nm=account.town,
        ctry=account.country,
    )
    return message.PartyIdentification135(nm=account.name, pstl_adr=address)


def _account(message: Any, account: Account) -> Any:
    return message.CashAccount38(id=message.AccountIdentification4Choice(iban=iban.compact(account.iban)))


def _agent(message: Any, account: Account) -> Any:
    """The bank of an account; one that is not named is said to be so, as the guidelines want it."""
    if account.bic:
        named = message.FinancialInstitutionIdentification18(bicfi=bic.compact(account.bic))
    else:
        other = message.GenericFinancialIdentification1(id="NOTPROVIDED")
        named = message.FinancialInstitutionIdentification18(othr=other)
    return message.BranchAndFinancialInstitutionIdentification6(fin_instn_id=named)


def _decimal(order: Order) -> Decimal:
    return Decimal(Money(order.amount_minor, order.currency).decimal())


def _check(side: str, account: Account, *, needs_bic: bool) -> None:
    for field in ("name", "country", "town"):
        if not getattr(account, field).strip():
            raise BadRequest(f"the {side} has no {field}", f"State the {field} of the account's holder.")
    _characters(f"the {side}'s name", account.name, NAME_CHARACTERS_MAX)
    _characters(f"the {side}'s street", account.street, NAME_CHARACTERS_MAX)
    _characters(f"the {side}'s town", account.town, TOWN_CHARACTERS_MAX)
    for field in ("building", "postcode"):
        _characters(f"the {side}'s {field}", getattr(account, field), PART_CHARACTERS_MAX)
    if not re.fullmatch("[A-Z]{2}", account.country):
        raise BadRequest(f"{account.country[:20]!r} is not a country", "Write two capital letters, such as DE.")
    try:
        iban.validate(account.iban)
    except ValidationError as error:
        raise BadRequest(f"the {side}'s IBAN is none: {error}", "Compare it with the bank's papers.") from error
    if account.bic and not bic.is_valid(account.bic):
        raise BadRequest(f"the {side}'s BIC {account.bic[:20]!r} is none", "It has 8 or 11 letters and digits.")
    if needs_bic and not account.bic:
        raise BadRequest(f"the {side} has no BIC", "pacs.008 names both banks by their BIC.")


def _characters(what: str, text: str, characters_max: int) -> None:
    if len(text) > characters_max:
        raise BadRequest(f"{what} has more than {characters_max} characters", "Shorten it as the bank has it.")
    if not _CHARACTERS.fullmatch(text) or text.startswith("/") or "//" in text:
        strange = sorted(set(_CHARACTERS.sub("", text))) or ["/"]
        raise BadRequest(f"{what} has characters that banks replace: {' '.join(strange)[:40]}", "Write it in A to Z.")
