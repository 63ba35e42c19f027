#!/bin/sh
# epcis-event-hash-generator 1.9.3 gives two events of EPCIS 2.0 one hash when only a long number tells them apart.
#
# Guess, before it was run: the hash of CBV 2.0 (section 8.9) differs for two events that say different things; a number
#   loses its trailing zeros and nothing else.
# Run: two events in XML, alike but for an extension that holds a number of 18 digits, the last one 8 or 9.
# Seen with 1.9.3 on Python 3.11: both have one hash. Whatever looks like a number goes through a float, which holds 15 to 17
#   digits; a serial number or an account of 18 is another one afterwards, and so are the hashes of everybody who computes
#   them exactly.
# Fails when the two hashes differ.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check epcis-event-hash-generator==1.9.3
"$folder/venv/bin/python" - <<'PY'
from epcis_event_hash_generator import hash_generator, xml_to_py

EVENT = (
    '<e:EPCISDocument xmlns:e="urn:epcglobal:epcis:xsd:2" xmlns:x="https://x.example/" schemaVersion="2.0" '
    'creationDate="2026-01-01T00:00:00Z"><EPCISBody><EventList><ObjectEvent><eventTime>2026-01-01T00:00:00Z</eventTime>'
    "<eventTimeZoneOffset>+00:00</eventTimeZoneOffset><epcList><epc>urn:epc:id:sscc:4012345.0000000333</epc></epcList>"
    "<action>OBSERVE</action><x:number>12345678901234567{}</x:number></ObjectEvent></EventList></EPCISBody>"
    "</e:EPCISDocument>"
)


def hash_of(digit):
    events = xml_to_py.event_list_from_epcis_document_str(EVENT.format(digit))
    return hash_generator.epcis_hashes_from_events(events)[0]


print(hash_of(8), hash_of(9), sep="\n")
raise SystemExit(hash_of(8) != hash_of(9))
PY
