"""What is wrong with a request or a file of settings, field by field and in words of people: none of a library's.

Knows the forms that fields have; a form without words here fails a test. How faults are told is `network.faults`.
"""

from __future__ import annotations

import json

from pydantic import ValidationError

import network.faults

FORMS = {
    r"^[0-9a-f]{32}$": "an id: 32 lower-case hexadecimal digits",
    r"^([0-9a-f]{32})?$": "an id: 32 lower-case hexadecimal digits; or empty",
    r"^[0-9a-f]{64}$": "64 lower-case hexadecimal digits",
    r"^[A-Za-z][A-Za-z0-9.-]{0,60}$": "an MSP id such as BuyerMSP",
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$": "a date such as 2027-03-31",
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}(:[0-9]{2})?(Z|[+-][0-9]{2}:[0-9]{2}))?$": (
        "a date such as 2026-11-22, or a time with its zone such as 2026-11-22T08:00+09:00"
    ),
    r"^[A-Z]{3}$": "a currency's three capital letters such as EUR",
    r"^[A-Z]{3}@[A-Za-z][A-Za-z0-9.-]{0,60}$": "a deposit, CURRENCY@MSP, such as EUR@FinancierMSP",
    r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$": "a name of up to 64 letters, digits, dots and dashes such as acme-group",
    r"^[^\x00-\x1f\x7f]+$": "one line of text, without control characters",
    r"^(https?://[A-Za-z0-9.:\[\]-]+)?$": "an address such as https://pages.example.org, without a path; or empty",
    r"^[!-~]{1,200}$": "up to 200 letters, digits and signs of ASCII, without blanks",
    r"^[0-9]{4}-(0[1-9]|1[0-2])$": "a month such as 2026-11",
    r"^(https?://[!-~]{1,200})?$": "an address such as https://node.example.org; or empty",
    r"^https://[!-~]{1,200}$": "an address such as https://127.0.0.1:8002",
    r"^[A-Za-z0-9:._-]{1,20}$": "a scheme such as VAT, LEI or 0199",
    r"^([A-Za-z0-9]{2,8}:[!-~]{1,100})?$": "an electronic address, SCHEME:ID such as 0088:8710000000017; or empty",
    r"^[A-Za-z0-9 ]*$": "an account of letters, digits and spaces",
    r"^[A-Za-z0-9+/=]{4,200}$": "a signature in base64",
    r"^[A-Za-z0-9.-]+:[0-9]+$": "HOST:PORT",
    r"^[a-z0-9][a-z0-9.-]{0,40}$": "a name of up to 41 small letters, digits, dots and dashes",
    r"^[A-Za-z0-9._+-]{1,40}$": "a version such as 1.3.16",
    r"^[a-z0-9.:-]{1,253}$": "a host's name or address in small letters such as erp.example.org",
    r"^[ -~]{1,60}$": "up to 60 characters of ASCII",
    r"^[A-Z]{2}$": "a country's two capital letters (ISO 3166-1) such as DE",
    r"^[0-9]{13}$": "a GLN: 13 digits",
    r"^[0-9]{8}([0-9]{4,6})?$": "a GTIN: 8, 12, 13 or 14 digits",
    r"^[A-Z0-9]{2,3}$": "a unit of UN/ECE Recommendation 20 such as C62, KGM or MTR",
    r"^([A-Z0-9]{8}([A-Z0-9]{3})?)?$": "a BIC: 8 or 11 capital letters and digits; or empty",
    r"^[a-z][a-z0-9-]{0,30}$": "a name of up to 31 small letters, digits and dashes",
}
"""What fields have to be, by their patterns."""


def faults(error: ValidationError) -> list[tuple[str, str]]:
    """All that is wrong, as pairs of a field and its fault; the field is "body" where it is no single one."""
    return network.faults.faults(error, FORMS)


def not_json(error: ValueError | RecursionError) -> str:
    """Why a body is no JSON, in words of people."""
    if isinstance(error, json.JSONDecodeError):
        return f"at line {error.lineno}, column {error.colno}"
    if isinstance(error, UnicodeError):
        return "it is not text in UTF-8"
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    return "a number in it has too many digits"
