"""What can be done about each refusal of the contract: one total map from code to a sentence or two for people.

Who can do it, and by which command; the same act is a route of the API under the same name. A code that is added to the
contract is added here, or a test fails; so does the name of a command that there is none of.
"""

from __future__ import annotations

REMEDIES = {
    # Before the command's own rules.
    "TRANSACTION_FULL": "Nothing: the node sends it again by itself, in another transaction.",
    "MALFORMED": "Mend the field that is named; nodes of one network run versions that fit one contract.",
    "COMMAND_ID_REUSED": "Something was done under this key before: look at the record first. A fresh Idempotency-Key "
    "is for another act only, never for the same one.",
    "NOT_FOUNDED": "Every party listed in the founding confirms it: `ledger-node party confirm`.",
    "PARTY_NOT_ACTIVE": "Look at your standing: `ledger-node party list`. The other parties admit a new party by "
    "`ledger-node party propose` and a suspended one by `ledger-node party reinstate`.",
    "ROLE_MISSING": "The parties vote for that role of yours (`ledger-node party change-roles`), or a party in it "
    "does this.",
    "DAY_NOT_OPEN": "Any party opens the day: `ledger-node party open-day`.",
    "PERSON_UNKNOWN": "Look at who acts for your party: `ledger-node person list`; enrol: `ledger-node person enrol`.",
    "TWO_PERSONS_REQUIRED": "Two enrolled persons, who have not both acted before, sign: `ledger-node person sign`.",
    # Founding, days, membership.
    "ALREADY_FOUNDED": "Nothing: look at it by `ledger-node party list`. A new party asks to be admitted: "
    "`ledger-node party propose`.",
    "SENDER_NOT_LISTED": "Whoever proposes the founding lists your party in it: `ledger-node party found`.",
    "FOUNDING_INVALID": "Mend the list of parties, then propose it again: `ledger-node party found`.",
    "NOT_PROPOSED": "One party proposes the founding first: `ledger-node party found`.",
    "DIGEST_DIFFERS": "Read the founding that is proposed, and confirm its digest: `ledger-node party confirm`.",
    "ALREADY_CONFIRMED": "Nothing: your word is on the ledger, and the other side's is waited for.",
    "DAY_NOT_LATER": "Nothing: that day is open, or over.",
    "DAY_IN_FUTURE": "Wait until that day begins (UTC), or set this machine's clock if it is behind: "
    "`ledger-node doctor`.",
    "STANDING_WRONG": "Look at the party's standing: `ledger-node party list`.",
    "PARTY_INVALID": "Mend what is named, then ask for it again: `ledger-node party propose`, "
    "`ledger-node party change-roles` or `ledger-node party change-identities`.",
    "MEMBERS_EXHAUSTED": "Nothing: a consortium has no more parties than this.",
    "CHANGE_UNKNOWN": "Look for its id: `ledger-node party changes`.",
    "CHANGE_CLOSED": "Propose it anew if it is still wanted; what became of it: `ledger-node party changes`.",
    "NOT_ASKED": "Nothing: the other parties decide it.",
    "ALREADY_VOTED": "Nothing: your vote counts; take it back by `ledger-node party withdraw-vote`.",
    "NOT_VOTED": "Vote first, if you are for it: `ledger-node party vote`.",
    "NOT_ADMITTED": "More than half of the active parties vote for it first: `ledger-node party vote`.",
    "AGREEMENT_KEY_INVALID": "Name one that was made for this: `ledger-node crypto make-agreement-key`.",
    "AGREEMENT_KEYS_EXHAUSTED": "Nothing: the keys that it has go on counting.",
    "PERSON_ENROLLED": "Enrol another certificate: one that was retired does not come back.",
    "LAST_PERSONS": "Enrol another person first: `ledger-node person enrol`.",
    # Documents and shipments.
    "ID_TAKEN": "Nothing, if you sent this before: it stands. Else send it under a fresh Idempotency-Key.",
    "PARTY_UNKNOWN": "Name an active party in that role: `ledger-node party list`.",
    "SAME_PARTY": "Name different parties: nobody is its own counterpart.",
    "ALGORITHM_UNKNOWN": "Hash with SHA-256.",
    "DOCUMENT_UNKNOWN": "Look for its id: `ledger-node document list`; a new file: `ledger-node document upload`.",
    "NOT_ENTITLED": "Its submitter uploads it again and entitles your party: `ledger-node document upload`.",
    "NOT_INDEPENDENT": "A party outside the submitter's group attests it, by its node's own verifier.",
    "VERDICT_INCONSISTENT": "Let the node's own verifier attest: its words and its digest agree.",
    "COMMITMENT_DIFFERS": "The bytes are others than were registered: its submitter restores or replaces the document "
    "(`ledger-node document revoke`).",
    "COMMITMENT_SAME": "Nothing: the bytes are what was registered.",
    "ALREADY_REVOKED": "Nothing: it counts no more. A new file: `ledger-node document upload`.",
    "REVOCATION_INCONSISTENT": "Name a current document of yours of the same kind as its successor, or withdraw it "
    "without one: `ledger-node document revoke`.",
    "DOCUMENT_FINANCED": "It stays: money was paid on it. What went wrong is a credit note of the supplier's: "
    "`ledger-node invoice record-credit-note`.",
    "SHIPMENT_UNKNOWN": "Look for its id: `ledger-node shipment list`; a new one: `ledger-node shipment register`.",
    "NOT_YOUR_SHIPMENT": "Its supplier, buyer or carrier does this: `ledger-node shipment show ID` names them.",
    "SHIPMENT_DIFFERS": "Name a shipment of this invoice and this buyer: `ledger-node shipment list`.",
    "NOT_THE_BUYER": "The buyer that is named does this, on its own node.",
    "ALREADY_ACCEPTED": "Nothing: the carrier's word counts already.",
    "EVENT_IN_FUTURE": "Report it once it has happened, with the date of the place where it happened.",
    "EVENTS_EXHAUSTED": "Of a list, a shorter one may fit: `ledger-node shipment show ID` tells what stands. "
    "Else nothing more is reported of this shipment by you; another of its parties can: "
    "`ledger-node shipment record-event`.",
    "EVENT_UNKNOWN": "Look for its id: `ledger-node shipment show ID`.",
    "NOT_YOUR_EVENT": "Whoever has reported it withdraws it: `ledger-node shipment withdraw-event`.",
    "ALREADY_WITHDRAWN": "Nothing: it counts no more. Report what is right: `ledger-node shipment record-event`.",
    "SHIPMENT_FINANCED": "It stays: money was paid on it. What went wrong is a credit note of the supplier's: "
    "`ledger-node invoice record-credit-note`.",
    # Offers.
    "SCREENING_PASSED": "The financier accepts the supplier anew, until a day to come: "
    "`ledger-node facility accept-supplier`.",
    "TERMS_INVALID": "Mend the terms that are named.",
    "CURRENCY_UNKNOWN": "Write the currency's three letters as ISO 4217 has them, such as EUR.",
    "FACILITY_UNKNOWN": "Look for its id: `ledger-node facility list`.",
    "FACILITY_CLOSED": "The financier opens another one: `ledger-node facility open`.",
    "FACILITY_DIFFERS": "Name facilities on this buyer in this currency: `ledger-node facility list`.",
    "FACILITIES_EXHAUSTED": "The financier closes those that are not needed: `ledger-node facility close`.",
    "ALREADY_HELD": "Nothing: it is held. Lift it by `ledger-node facility lift-hold`.",
    "NOT_HELD": "Nothing: it is not held; what is: `ledger-node facility holds`.",
    "VALIDITY_PASSED": "Name a day that has not passed.",
    # Invoices.
    "AMOUNT_INVALID": "Name an amount above zero, and within what is said.",
    "DUE_DATE_MISSING": "The supplier states the due date that was agreed: `ledger-node invoice register`.",
    "DUE_DATE_IN_DOCUMENT": "Leave the stated due date out: the document's counts. The holder may give more time: "
    "`ledger-node invoice extend-due-date`.",
    "ISSUE_DATE_LATER": "Register it once it is issued; if it is, any party opens the day: "
    "`ledger-node party open-day`.",
    "DUE_BEFORE_ISSUE": "The supplier corrects the document and uploads it again: `ledger-node document upload`.",
    "DUE_DATE_PASSED": "Once it is approved its holder can give more time (`ledger-node invoice extend-due-date`), or "
    "it is paid as it is owed (`ledger-node invoice settle`); what is not approved is paid outside the ledger.",
    "DOCUMENT_NOT_YOURS": "Whoever has uploaded it does this, or uploads it again and entitles your party to it: "
    "`ledger-node document upload`.",
    "DOCUMENT_KIND_WRONG": "Name an invoice as document, and as proof a proof of delivery or transport events: "
    "`ledger-node document list`.",
    "LINKS_EXHAUSTED": "Upload the document, or register the shipment, anew for the further invoices.",
    "FINGERPRINTS_INCOMPLETE": "Let the node register it from the uploaded document: `ledger-node invoice register`.",
    "EPOCH_UNKNOWN": "Configure the node with the consortium's current key of fingerprints.",
    "CLAIMS_EXHAUSTED": "Cancel what was registered in error; so many invoices with one number or amount are none.",
    "INVOICE_UNKNOWN": "Look for its id: `ledger-node invoice list`.",
    "NOT_THE_SUPPLIER": "The supplier that is named does this, on its own node.",
    "STATUS_WRONG": "Look at what it is now and what comes next: `ledger-node invoice show ID` or "
    "`ledger-node facility list`.",
    "APPROVAL_DIFFERS": "Approve what is claimed, as `ledger-node invoice show ID` says; or dispute it: "
    "`ledger-node invoice dispute`.",
    "BUYER_REFERENCE_USED": "Approve it under a reference of its own; if it is the same debt twice, dispute it: "
    "`ledger-node invoice dispute`.",
    "NOT_A_DUPLICATE": "Nothing: it is looked at as any other; approve it: `ledger-node invoice approve`.",
    "APPROVER_CANNOT_CLEAR": "Other persons of the buyer sign the clearance than the approval: "
    "`ledger-node invoice clear-duplicate`.",
    "ALREADY_SPLIT": "Cancel it and register it anew: `ledger-node invoice cancel`.",
    "SPLIT_INVALID": "Give parts that make up the whole, each with an id and shipments of its own: "
    "`ledger-node invoice split`.",
    "NO_NOTICE": "Nothing: it is owed to its supplier.",
    "ALREADY_ACKNOWLEDGED": "Nothing: it is acknowledged.",
    # Funding.
    "NOT_THE_FINANCIER": "The financier that is named does this, on its own node.",
    "FACILITY_NOT_REQUESTED": "The supplier offers it: `ledger-node invoice request-early-payment`.",
    "NOT_RELEASABLE": "What is missing and who can bring it: `ledger-node invoice show ID`. Whoever has brought it may "
    "ask again: `ledger-node invoice check-release`.",
    "RESERVED": "The financier posts the money, or voids it: `ledger-node invoice post-funding`, "
    "`ledger-node invoice void-funding`.",
    "NOT_RESERVED": "The financier sets the money aside first: `ledger-node invoice fund`.",
    "RESERVATION_EXPIRED": "Give it back, then decide anew: `ledger-node invoice expire-funding`, "
    "`ledger-node invoice fund`.",
    "NOT_EXPIRED": "The financier may void it before: `ledger-node invoice void-funding`.",
    "RECOURSE_MISSING": "Supplier and financier both agree to it: `ledger-node invoice unwind`.",
    # Paying.
    "PARTLY_SETTLED": "It goes on to be paid as it is owed: `ledger-node invoice settle`.",
    "NOT_THE_HOLDER": "The holder that is named does this, on its own node.",
    "NOT_YOUR_INVOICE": "A party of the invoice does this: `ledger-node invoice show ID` names them.",
    "SETTLEMENT_EXCEEDS": "Name at most what is still to be paid: `ledger-node invoice show ID`.",
    "NO_OFFER": "The supplier offers a discount: `ledger-node invoice offer-discount`; or pay it as it is owed: "
    "`ledger-node invoice settle`.",
    "PRIVACY_DIFFERS": "A node sends terms as its consortium keeps them (`ledger-node party list`): send it again once "
    "this node has caught up: `ledger-node doctor`.",
    "WRAPS_INVALID": "Send it again: the node seals for supplier and buyer under the keys that count: "
    "`ledger-node party list`.",
    "OPENING_DIFFERS": "The supplier has made another offer meanwhile: look at it, then pay anew: "
    "`ledger-node invoice discount-offers`.",
    "NET_BELOW_ONE": "The supplier offers less discount: `ledger-node invoice offer-discount`.",
    "NOT_DUE": "Wait until that day is over, business days of the facility counted.",
    "EXTENSION_INVALID": "Name a day within those bounds.",
    "RECOVERY_EXCEEDS": "Name at most what is written off; the rest is paid by `ledger-node invoice settle`.",
    "CREDIT_EXCEEDS": "Credit at most that; an invoice that is wrong as a whole is cancelled: "
    "`ledger-node invoice cancel`.",
    "CREDIT_NOTE_UNKNOWN": "Look for its id: `ledger-node invoice credit-notes`.",
    "NOT_CLAIMED": "Nothing: it is paid, or was credited before anybody paid.",
    "CLAIMS_OPEN": "The supplier pays its credit notes first: `ledger-node invoice pay-claim`.",
    # Deposits.
    "NOT_THE_ISSUER": "The bank that is named in the deposit does this, on its own node.",
    "ISSUE_TO_SELF": "Name another party: a bank owes itself nothing.",
    "CREDIT_ALREADY_ISSUED": "Nothing: it counts once. If it was issued in error: `ledger-node deposit reverse-issue`.",
    "CREDIT_LOOKS_ISSUED": "Compare both entries of the statement. If it is another credit, issue it with `--again`: "
    "`ledger-node deposit issue`.",
    "CREDIT_UNKNOWN": "Compare reference and booking date with what was issued: `ledger-node account entries`.",
    "ALREADY_REVERSED": "Nothing: it is taken back. Issue the right credit: `ledger-node deposit issue`.",
    "COVER_EXCEEDS": "Cover at most what is short: `ledger-node account list`.",
    "ISSUER_HOLDS_NONE": "The bank issues against a booked credit (`ledger-node deposit issue`), and whoever holds its "
    "deposit has it paid out (`ledger-node deposit redeem`).",
    "REDEMPTION_UNKNOWN": "Look for its id: `ledger-node deposit redemptions`.",
    "PAYMENT_LOOKS_CONFIRMED": "Compare both entries of the statement. If it is another payment, confirm it with "
    "`--again`: `ledger-node deposit confirm-redemption`.",
    "FROZEN": "The party that is short covers it first: `ledger-node deposit cover-shortfall`.",
    "ISSUE_LIMIT_EXCEEDED": "The parties vote for a higher limit (`ledger-node party change-roles`), or the bank pays "
    "deposits out first (`ledger-node deposit confirm-redemption`).",
    "BOOKED_IN_FUTURE": "Issue it once it is booked, with the date of the bank's own statement.",
    "DEPOSIT_DIFFERS": "Pay in the deposit that is named; what you hold: `ledger-node account list`.",
    "FUNDS_MISSING": "Pay in at the bank, which issues it (`ledger-node deposit issue`), or name less; what you hold: "
    "`ledger-node account list`.",
    "BALANCE_EXCEEDS": "Name less: no account can hold so much.",
}
"""What helps, by code of refusal; commands stand in backticks."""


def remedy(code: str) -> str:
    """What can be done about a refusal; empty for one of a contract that is newer than this program."""
    return REMEDIES.get(code, "")
