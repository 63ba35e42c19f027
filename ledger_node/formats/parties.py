"""Who the parties of an invoice are: their names and every identifier that the invoice gives them, with its scheme.

Schemes are ISO 6523 codes (0199 LEI, 0088 GLN, 0060 D-U-N-S, …) where the document gives one; the common words for them
are read as the codes. Tax numbers under another scheme than VAT (GST, FC, LOC, …) are kept with it.
Source: EN 16931-1 (BG-4, BG-7, BG-10), ISO/IEC 6523, UN/CEFACT 1153 (VA, FC).
"""

from __future__ import annotations

from ledger_node.formats.facts import FormatCode, FormatError, PartyFacts, clean_text
from ledger_node.formats.syntaxes import CII
from ledger_node.formats.terms import Terms
from ledger_node.formats.xml import Element

IDENTIFIERS_MAX = 20
VAT_SCHEMES = ("VAT", "VA")
SCHEME_WORDS = {"GLN": "0088", "LEI": "0199", "DUNS": "0060", "D-U-N-S": "0060"}


def party(terms: Terms, group: str, what: str) -> PartyFacts | None:
    """A party of an invoice.

    Args:
        group: "BG-4", "BG-7" or "BG-10".
        what: its part, for errors.

    Returns: None when the invoice has no such party.

    Raises: FormatError for what stands there twice and differs, or cannot be a text.
    """
    elements = terms.elements(group)
    if not elements:
        return None
    if len(elements) > 1:
        raise FormatError(FormatCode.AMBIGUOUS, f"{what} stands there more than once", "state it once")
    return _Party(terms, elements[0], what).facts()


class _Party:
    def __init__(self, terms: Terms, element: Element, what: str) -> None:
        self._terms = terms
        self._element = element
        self._what = what

    def facts(self) -> PartyFacts:
        legal = self._one("legal id", self._pairs("legal id"))
        taxes = self._taxes()
        vat = self._one("VAT identifier", [pair for pair in taxes if pair[0] in VAT_SCHEMES])
        identifiers = set(self._pairs("identifiers"))
        if len(identifiers) > IDENTIFIERS_MAX:
            raise FormatError(FormatCode.TOO_LARGE, f"{self._what} has over {IDENTIFIERS_MAX} identifiers")
        return PartyFacts(
            name=self._name(),
            legal_id=legal[1],
            legal_id_scheme=legal[0],
            vat_id=vat[1],
            tax_ids=tuple(sorted(set(taxes) - {pair for pair in taxes if pair[0] in VAT_SCHEMES})),
            identifiers=tuple(sorted(identifiers)),
        )

    def _name(self) -> str:
        """The registered name; a UBL payee only has a trading one, and so has a supplier that states no other."""
        for kind in ("name", "trading name"):
            found = self._one(kind, self._pairs(kind))
            if found[1]:
                return found[1]
        return ""

    def _taxes(self) -> list[tuple[str, str]]:
        pairs = []
        for element in self._found("tax ids"):
            scheme = element.get("schemeID", "")
            if self._terms.syntax is not CII:
                scheme = next((each.text or "" for each in self._found("tax scheme", element)), "")
            text = clean_text(element.text or "", f"a tax identifier of {self._what}")
            if text:
                pairs.append((clean_text(scheme, "a tax scheme").upper(), text))
        return list(dict.fromkeys(pairs))

    def _pairs(self, kind: str) -> list[tuple[str, str]]:
        """Scheme and text of each element of a kind that has a text, each once."""
        pairs = []
        for element in self._found(kind):
            text = clean_text(element.text or "", f"{kind} of {self._what}")
            scheme = clean_text(element.get("schemeID", ""), "a scheme").upper()
            if text:
                pairs.append((SCHEME_WORDS.get(scheme, scheme), text))
        return list(dict.fromkeys(pairs))

    def _one(self, kind: str, pairs: list[tuple[str, str]]) -> tuple[str, str]:
        if len(pairs) > 1:
            raise FormatError(FormatCode.AMBIGUOUS, f"{self._what} has more than one {kind}", "state it once")
        return pairs[0] if pairs else ("", "")

    def _found(self, kind: str, node: Element | None = None) -> list[Element]:
        return self._terms.syntax.party.elements(kind, self._element if node is None else node)
