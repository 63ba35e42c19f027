"""Units of quantity: what can be compared with what, exactly.

Source: UN/ECE Recommendation 20 (codes and conversion factors), international yard and pound agreement of 1959.
"""

from __future__ import annotations

from decimal import Decimal

from ledger_node.formats.facts import FormatCode, FormatError

_PLACES_MAX = 20
_DIGITS_MAX = 26
# By kind of quantity the codes of its units, each with how much of the first one it is.
_KINDS = {
    "pieces": "H87 1, EA 1, C62 1, NAR 1, DZN 12, DPC 12, CEN 100, MIL 1000",
    "mass": "KGM 1, GRM 0.001, MGM 0.000001, TNE 1000, LBR 0.45359237, ONZ 0.028349523125",
    "volume": "LTR 1, MLT 0.001, CLT 0.01, DLT 0.1, HLT 100, MTQ 1000, DMQ 1, CMQ 0.001",
    "length": "MTR 1, MMT 0.001, CMT 0.01, DMT 0.1, KMT 1000",
    "area": "MTK 1, CMK 0.0001, DMK 0.01",
}
_UNITS = [(kind, *unit.split(" ")) for kind, units in _KINDS.items() for unit in units.split(", ")]
_FACTORS = {code: (kind, Decimal(factor)) for kind, code, factor in _UNITS} | {"": ("pieces", Decimal(1))}


def comparable(quantity: str, unit: str) -> tuple[str, Decimal]:
    """A quantity in the first unit of its kind; two of one kind can be compared.

    Args:
        quantity: a decimal number.
        unit: a code of Recommendation 20, "" for pieces; one that is not known here is a kind of its own.
    """
    kind, factor = _FACTORS.get(unit, (f"unit {unit}", Decimal(1)))
    return kind, Decimal(quantity) * factor


def delivered(number: Decimal | int, what: str) -> str:
    """A quantity of goods that left or came, as plain decimal text.

    Its size is looked at before it is written out: a few characters can stand for a number of a million digits.

    Args:
        number: as the document has it.
        what: says in a refusal which quantity it is.

    Raises: FormatError QUANTITY for one below zero, not finite, or out of bounds.
    """
    exact = Decimal(number)
    fits = exact.is_finite() and abs(exact.adjusted()) <= _PLACES_MAX and len(exact.as_tuple().digits) <= _DIGITS_MAX
    if not fits or exact < 0:
        raise FormatError(
            FormatCode.QUANTITY,
            f"{what} is {str(exact)[:40]}",
            f"write a decimal number from 0 up, of at most {_DIGITS_MAX} digits and below 1e{_PLACES_MAX + 1}",
        )
    return f"{exact:f}"
