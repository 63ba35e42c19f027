"""The arithmetic of an invoice: its amount due follows from lines, allowances, VAT and prepayments, or it is refused.

The rules are BR-CO-10, 13, 14, 15 and 16 of EN 16931, exactly; the EXTENDED profile of Factur-X allows a cent for each
line, allowance and charge (BR-FXEXT-CO-10, 13, 15) and knows lines that only inform. A profile without lines (MINIMUM,
BASIC WL) is held to what it has. Source: EN 16931-1 section 6.4, its rules of release 1.3.16, Factur-X 1.09.
"""

from __future__ import annotations

import decimal
from collections.abc import Sequence
from decimal import Decimal

from ledger_node.formats.facts import FormatCode, FormatError
from ledger_node.formats.terms import Terms, called
from ledger_node.formats.xml import Element

# More digits than any sum of amounts of 30 digits can have: nothing is ever rounded but where the rules say so.
_EXACT = decimal.Context(prec=100, traps=[decimal.Inexact, decimal.InvalidOperation])
_CENT = Decimal("0.01")
_NO_LINES = ("urn:factur-x.eu:1p0:minimum", "urn:factur-x.eu:1p0:basicwl")
_EXTENDED = ("#conformant#urn:factur-x.eu:1p0:extended", "urn.cpro.gouv.fr:1p0:extended-ctc-fr")
_COUNTING = ("", "DETAIL")


def check_totals(terms: Terms, currency: str) -> None:
    """Refuse an invoice whose totals do not follow from each other.

    Args:
        terms: of an invoice valid against its schema.
        currency: the invoice's (BT-5).

    Raises: FormatError TOTALS naming the rule and the amounts; MISSING, AMBIGUOUS, CURRENCY, AMOUNT for an operand.
    """
    with decimal.localcontext(_EXACT):
        totals = _Totals(terms, currency)
        totals.check_lines()
        totals.check_net()
        totals.check_vat()
        totals.check_due()


class _Totals:
    """The totals of one invoice and the tolerance that its profile gives them."""

    def __init__(self, terms: Terms, currency: str) -> None:
        self._terms = terms
        self._currency = currency
        profile = terms.text("BT-24")
        self._has_lines = not profile.startswith(_NO_LINES)
        extended = profile.endswith(_EXTENDED)
        self._lines = billing_lines(terms)
        counted = len(self._lines) + len(terms.elements("allowances and charges"))
        self._tolerance = _CENT * counted if extended else Decimal(0)

    def check_lines(self) -> None:
        """BR-CO-10: the sum of line net amounts."""
        if not self._has_lines:
            return
        lines = [amount for line in self._lines for amount in self._terms.amounts("BT-131", self._currency, line)]
        self._require("BR-CO-10", "BT-106", self._stated("BT-106"), sum(lines, Decimal(0)), ["BT-131"])

    def check_net(self) -> None:
        """BR-CO-13: the total without VAT."""
        net = self._stated("BT-109")
        if self._has_lines or self._terms.elements("BT-106"):
            computed = self._stated("BT-106") - self._optional("BT-107") + self._optional("BT-108")
            self._require("BR-CO-13", "BT-109", net, computed, ["BT-106", "BT-107", "BT-108"])

    def check_vat(self) -> None:
        """BR-CO-14 and BR-CO-15: the VAT of the categories, and the total with VAT."""
        stated = set(self._terms.amounts("BT-110", self._currency))
        if len(stated) > 1:
            raise _refused(
                "BR-CO-15", f"{called('BT-110')} stands there with {len(stated)} amounts in {self._currency}"
            )
        vat = stated.pop() if stated else Decimal(0)
        categories = self._terms.amounts("BT-117", self._currency)
        if categories:
            self._require("BR-CO-14", "BT-110", vat, sum(categories, Decimal(0)), ["BT-117"], exact=True)
        self._require("BR-CO-15", "BT-112", self._stated("BT-112"), self._stated("BT-109") + vat, ["BT-109", "BT-110"])

    def check_due(self) -> None:
        """BR-CO-16: the amount due."""
        adjusted = sum(self._terms.amounts("adjustments", self._currency), Decimal(0))
        computed = self._stated("BT-112") - self._optional("BT-113") + self._optional("BT-114") + adjusted
        self._require(
            "BR-CO-16", "BT-115", self._stated("BT-115"), computed, ["BT-112", "BT-113", "BT-114"], exact=True
        )

    def _stated(self, term: str) -> Decimal:
        text = self._terms.amount_text(term, self._currency)
        if not text:
            raise FormatError(FormatCode.MISSING, f"{called(term)} is missing", "add it")
        return Decimal(text)

    def _optional(self, term: str) -> Decimal:
        return Decimal(self._terms.amount_text(term, self._currency) or 0)

    def _require(
        self,
        rule: str,
        term: str,
        stated: Decimal,
        computed: Decimal,
        operands: Sequence[str],
        exact: bool = False,
    ) -> None:
        """The stated amount is the computed one, or that rounded to two decimals as the rule does."""
        rounded = (computed * 100 + Decimal("0.5")).to_integral_value(decimal.ROUND_FLOOR) / 100
        tolerance = Decimal(0) if exact else self._tolerance
        if stated not in (computed, rounded) and abs(stated - computed) > tolerance:
            of = ", ".join(called(operand) for operand in operands)
            raise _refused(rule, f"{called(term)} is {stated:f}, but {of} make it {computed:f}")


def billing_lines(terms: Terms) -> list[Element]:
    """The lines whose money counts. Only the EXTENDED profile knows lines that group others or inform, and count not.

    Raises: FormatError MISSING, AMBIGUOUS, TEXT for the profile.
    """
    lines = terms.elements("lines")
    return [line for line in lines if _counts(terms, line)] if terms.text("BT-24").endswith(_EXTENDED) else lines


def _counts(terms: Terms, line: Element) -> bool:
    return all((status.text or "").strip() in _COUNTING for status in terms.elements("line status", line))


def _refused(rule: str, text: str) -> FormatError:
    return FormatError(FormatCode.TOTALS, f"{rule}: {text}", "correct the invoice where it was made: it must add up")
