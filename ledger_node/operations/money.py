"""What is done with deposit money: issued, moved, paid out, taken back, a shortfall covered."""

from __future__ import annotations

from ledger_node.operations.operation import APPROVER, ISSUER, Operation

ACCOUNTS, REDEMPTION = "/v1/accounts", "/v1/redemptions/<redemption_id>"
MONEY = {"deposit": "EUR@FinancierMSP", "amount": "1234.50"}
BOOKED = {"booked_on": "2026-11-22"}

OPERATIONS = (
    Operation(
        command="IssueDeposit",
        address="/v1/deposits",
        roles=(ISSUER,),
        text="Issue deposit money to a party against a booked credit, which counts once, as its issuer.",
        tag="Money",
        prompt="deposit issue",
        schema="DepositIn",
        example={
            "deposit": "EUR@FinancierMSP",
            "to": "BuyerMSP",
            "amount": "1234.50",
            "credit_reference": "CAMT054-2026-11-22-0001",
            "booked_on": "2026-11-22",
        },
        resource=ACCOUNTS,
        note="what looks like a credit of 30 days is refused (`CREDIT_LOOKS_ISSUED`) unless `again` is true",
    ),
    Operation(
        command="TransferDeposit",
        address="/v1/deposits/transfers",
        roles=(APPROVER,),
        text="Move own deposit money to another party.",
        tag="Money",
        prompt="deposit transfer",
        schema="TransferIn",
        example=MONEY | {"to": "SupplierMSP"},
        resource=ACCOUNTS,
    ),
    Operation(
        command="ReverseIssue",
        address="/v1/deposits/reversals",
        roles=(ISSUER,),
        text="Take back, once, what was issued against a booked credit, as its issuer.",
        tag="Money",
        prompt="deposit reverse-issue",
        schema="ReversalIn",
        example={"credit_reference": "CAMT054-0001", "reason": "booked twice"} | BOOKED,
        resource=ACCOUNTS,
        former_prompts=("deposit reverse",),
    ),
    Operation(
        command="CoverShortfall",
        address="/v1/deposits/covers",
        roles=(APPROVER,),
        text="Pay, out of own deposit money, what a reversed issue left short.",
        tag="Money",
        prompt="deposit cover-shortfall",
        schema="MoneyIn",
        example=MONEY,
        resource=ACCOUNTS,
        former_prompts=("deposit cover",),
    ),
    Operation(
        command="RedeemDeposit",
        address="/v1/redemptions",
        roles=(APPROVER,),
        text="Ask the issuer to pay deposit money out to the own registered account.",
        tag="Money",
        prompt="deposit redeem",
        schema="MoneyIn",
        example=MONEY,
        makes="redemption_id",
        resource=REDEMPTION,
    ),
    Operation(
        command="ConfirmRedemption",
        address=f"{REDEMPTION}/confirmation",
        roles=(ISSUER,),
        text="Say that a redemption is paid out by a payment, which counts once, as the deposit's issuer.",
        tag="Money",
        prompt="deposit confirm-redemption",
        schema="PaidOutIn",
        example={"payment_reference": "PAIN001-0815"} | BOOKED,
        record="redemption_id",
        resource=REDEMPTION,
        note="what looks like a payment of 30 days is refused (`PAYMENT_LOOKS_CONFIRMED`) unless `again` is true",
        former_prompts=("deposit confirm",),
    ),
    Operation(
        command="RejectRedemption",
        address=f"{REDEMPTION}/rejection",
        roles=(ISSUER,),
        text="Give deposit money back that cannot be paid out, as its issuer.",
        tag="Money",
        prompt="deposit reject-redemption",
        schema="ReasonIn",
        example={"reason": "the account is closed"},
        record="redemption_id",
        resource=REDEMPTION,
        former_prompts=("deposit reject",),
    ),
)
