"""`/verify`, for everybody: evidence is checked in the browser that has it. No file is sent, and nothing is asked here.

Bundles are checked by the house's second verifier, which needs this node for nothing but its own text; whom to believe
is said by the trust file that the reader brings. Seals' proofs are checked against a root that the reader brings, too.
"""

from __future__ import annotations

from pathlib import Path

from flask import Blueprint, Response, send_file

import ledger_node.verify
from ledger_node.verify.checking import READ, STEPS
from ledger_node.verify.report import LIMITS
from ledger_node.web.guard import Answered, is_open
from ledger_node.web.marks import _, gettext
from ledger_node.web.texts import page

routes = Blueprint("verify", __name__)
VERIFIER = Path(ledger_node.verify.__file__).with_name("bundle_verifier.mjs")
SAID = (
    _("All of it holds."),
    _("It does not hold: see the steps that say INVALID."),
    _("Nothing was found false, but not all of it could be checked: see SKIPPED and ERROR."),
    _("the proof can be read"),
    _("the file is the one that was sealed"),
    _("its size"),
    _("its place under the root"),
    _("the root is the one that you gave"),
    _("the files can be read"),
)
"""What the page's own script says."""


@routes.get("/verify")
@is_open
def show() -> Answered:
    """The page."""
    words = {each: gettext(each) for each in (*SAID, *LIMITS, READ[1], *(checks for _name, checks, _check in STEPS))}
    return page("verify.html", words=words, limits=LIMITS), 200


@routes.get("/verify/bundle_verifier.mjs")
@is_open
def verifier() -> Response:
    """The verifier, as it stands in the package."""
    return send_file(VERIFIER, mimetype="text/javascript")
