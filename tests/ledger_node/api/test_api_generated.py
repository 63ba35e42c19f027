"""Clients that generators make of the API's description work against a node, on the embedded ledger."""

from __future__ import annotations

import datetime as dt
import importlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from api_trade import approval
from api_world import Caller, People, invoice_file
from consortium import BUYER, FINANCIER, ORGANISATIONS, SUPPLIER, Consortium, organisations
from prompt import Prompt

DESCRIPTION = Path(__file__).parents[3] / "docs" / "reference" / "openapi.json"
NO_CLIENT_FOR = {"/v1/bank-files", "/v1/invoice-validations"}
"""Files of banks and invoices as a whole body, of media types that this generator has no form for."""


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Iterator[People]:
    home = tmp_path_factory.mktemp("world")
    organisations(home)
    world = Consortium(home, home)
    for name in ORGANISATIONS:
        world.serve(name)
    world.start()
    people = People(world)
    people.found()
    yield people
    world.close()


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The name of a package that openapi-python-client has made."""
    folder = tmp_path_factory.mktemp("generated")
    options = ["--path", str(DESCRIPTION), "--meta", "none", "--output-path", str(folder / "made_client")]
    programs = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    made = subprocess.run(
        [sys.executable, "-m", "openapi_python_client", "generate", *options],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PATH": programs},
    )
    said = made.stdout + made.stderr
    assert made.returncode == 0, said
    left_out = {line.split()[3] for line in said.splitlines() if line.startswith("WARNING parsing")}
    not_made = {line.split()[3] for line, after in zip(said.splitlines(), said.splitlines()[2:], strict=False)
                if line.startswith("WARNING parsing") and "Endpoint will not be generated" in line + after}  # fmt: skip
    assert left_out >= NO_CLIENT_FOR
    assert not_made <= NO_CLIENT_FOR
    sys.path.insert(0, str(folder))
    yield "made_client"
    sys.path.remove(str(folder))


class Made:
    """A generated client with one organisation's token."""

    def __init__(self, package: str, caller: Caller) -> None:
        self.package, self.caller, self.prompt, self.keys = package, caller, Prompt(caller), 0

    def call(self, module: str, role: str = "auditor", **given: Any) -> Any:
        """What a route answers, as the generated client gives it."""
        made = importlib.import_module(f"{self.package}.client")
        client = made.AuthenticatedClient(base_url=self.prompt.url, token=self.caller.tokens[role], timeout=60)
        return importlib.import_module(f"{self.package}.api.{module}").sync_detailed(client=client, **given)

    def write(self, module: str, role: str, shape: str, body: dict[str, Any], **given: Any) -> Any:
        """The submission that a write was answered with."""
        models, self.keys = importlib.import_module(f"{self.package}.models"), self.keys + 1
        headers = {"idempotency_key": f"made-{self.keys}", "prefer": "wait=20"}
        answer = self.call(module, role, body=getattr(models, shape).from_dict(body), **headers, **given)
        assert answer.status_code in (HTTPStatus.OK, HTTPStatus.CREATED), answer
        return answer.parsed


def test_a_client_made_by_openapi_python_client_plays_an_invoice(people: People, generated: str) -> None:
    supplier, buyer = Made(generated, people.supplier), Made(generated, people.buyer)
    types, models = (importlib.import_module(f"{generated}.{name}") for name in ("types", "models"))

    assert supplier.call("health.live").status_code == HTTPStatus.OK
    parties = supplier.call("consortium.list_party").parsed
    assert {each.msp_id for each in parties.items} >= {SUPPLIER, BUYER, FINANCIER}
    day = supplier.call("consortium.show_day").parsed
    assert day.date == people.day.isoformat()

    content = invoice_file("MADE-1", issue_date=people.day - dt.timedelta(days=400), due_date=people.due)
    file = types.File(payload=content, file_name="made.xml", mime_type="application/xml")
    form = models.UploadDocumentBody(file=file, kind=models.UploadDocumentBodyKind.INVOICE, entitled=[BUYER])
    stored = supplier.call(
        "documents.upload_document", "uploader", body=form, idempotency_key="made-file", prefer="wait=20"
    )
    assert stored.status_code == HTTPStatus.CREATED, stored
    document_id = stored.parsed.record_id

    body = {"document_id": document_id, "buyer": BUYER}
    invoice_id = supplier.write("invoices.register_invoice", "uploader", "InvoiceIn", body).record_id
    shown = supplier.call("invoices.show_invoice", "uploader", invoice_id=invoice_id).parsed  # its writer's read waits
    assert (shown.amount, shown.currency, shown.status) == ("10000.00", "EUR", "registered")
    assert shown.names["number"] == "MADE-1"

    approved = approval(people, "MADE-1")
    written = buyer.write("invoices.approve_invoice", "approver", "ApprovalIn", approved, invoice_id=invoice_id)
    assert written.status == "applied"
    listed = supplier.call("invoices.list_invoice", waits=models.ListInvoiceWaits.TRUE, q="MADE-1",
                           ledger_block_min=written.block_number).parsed  # fmt: skip
    assert [(each.invoice_id, each.status) for each in listed.items] == [(invoice_id, "approved")]
    assert {wait.for_ for wait in listed.items[0].waits} >= {BUYER}

    document = buyer.call("documents.show_document", "approver", document_id=document_id).parsed
    assert document.submitter == SUPPLIER
    report = supplier.call("reports.report_ageing", holder=SUPPLIER).parsed
    assert report.report == "ageing"
    missing = supplier.call("invoices.show_invoice", invoice_id="0" * 32)
    assert (missing.status_code, missing.parsed.code) == (HTTPStatus.NOT_FOUND, "INVOICE_UNKNOWN")


CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "missing_required_header",
    "use_after_free",
)
"""Not that whatever fits the description is taken: it says nothing of whether a block exists, or a rule allows it."""


SOME = (
    "list_invoice|show_invoice|show_id|show_quote|list_submission|sign_submission|report_statement|fetch_month_end|"
    "upload_document|validate_invoice|read_bank_file|register_invoice|approve_invoice|issue_deposit|open_facility|"
    "found_consortium|change_roles|enrol_person|ready|metrics"
)
"""Operations of every kind: reads and writes, in pages and not, of files, of nested bodies, without a token."""


@pytest.mark.parametrize(
    ("operations", "examples"), [(SOME, 1), pytest.param(".*", 20, marks=pytest.mark.long)], ids=["some", "all"]
)
def test_no_request_that_schemathesis_makes_up_breaks_the_node_or_gets_what_is_not_described(
    people: People, tmp_path: Path, operations: str, examples: int
) -> None:
    """All phases, the same requests each time; bounded by their number, never by the clock."""
    prompt = Prompt(people.supplier)
    program = Path(sys.executable).with_name("st")
    token = f"Authorization: Bearer {people.supplier.tokens['operator']}"
    options = ["--phases", "examples,coverage,fuzzing,stateful", "--checks", ",".join(CHECKS), "--no-color"]
    options += ["--max-examples", str(examples), "--seed", "1", "--generation-deterministic", "--no-shrink"]
    options += ["--include-operation-id-regex", f"^({operations})$", "--warnings", "off", "--continue-on-failure"]
    run = subprocess.run(
        [program, "run", f"{prompt.url}/openapi.json", "-H", token, *options],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    prompt.close()
    assert run.returncode == 0, run.stdout + run.stderr
    tested = re.search(r"Tested: (\d+)", run.stdout)
    assert tested is not None
    assert int(tested[1]) >= SOME.count("|") + 1


@pytest.fixture(scope="module")
def made_by_java(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The name of a package that openapi-generator has made: its wheels are 140 MB, so only `make long` has it."""
    folder, name = tmp_path_factory.mktemp("java"), "java_made"
    options = ["-i", str(DESCRIPTION), "-g", "python", "-o", str(folder), "--package-name", name]
    program = Path(sys.executable).with_name("openapi-generator-cli")
    made = subprocess.run([program, "generate", *options], capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stdout + made.stderr
    sys.path.insert(0, str(folder))
    yield name
    sys.path.remove(str(folder))


@pytest.mark.long
def test_a_client_made_by_openapi_generator_has_every_operation_in_python(made_by_java: str) -> None:
    folder = Path(str(importlib.import_module(made_by_java).__file__)).parent
    named = {operation["operationId"] for path in json.loads(DESCRIPTION.read_text())["paths"].values()
             for operation in path.values()}  # fmt: skip
    said = "".join(file.read_text() for file in (folder / "api").glob("*.py"))
    assert [name for name in named if f"def {name}(" not in said] == []
    check = [sys.executable, "-m", "compileall", "-q", str(folder)]
    assert subprocess.run(check, check=False).returncode == 0


@pytest.mark.long
def test_a_client_made_by_openapi_generator_plays_an_invoice(people: People, made_by_java: str) -> None:
    """More than ten routes: reads, a file, writes, a list, a report, a refusal."""
    made = importlib.import_module(made_by_java)

    def chapter(caller: Caller, name: str, role: str = "auditor") -> Any:
        """The operations of one chapter, with a token of that role."""
        configuration = made.Configuration(host=prompts[caller].url, access_token=caller.tokens[role])
        return getattr(made, f"{name}Api")(made.ApiClient(configuration))

    supplier, buyer = people.supplier, people.buyer
    prompts = {caller: Prompt(caller) for caller in (supplier, buyer)}
    waited = {"prefer": "wait=20"}
    assert chapter(supplier, "Health").live() is not None
    assert {each.msp_id for each in chapter(supplier, "Consortium").list_party().items} >= {SUPPLIER, BUYER, FINANCIER}
    assert chapter(supplier, "Consortium").show_day().var_date == people.day.isoformat()

    content = invoice_file("MADE-2", issue_date=people.day - dt.timedelta(days=400), due_date=people.due)
    stored = chapter(supplier, "Documents", "uploader").upload_document(
        idempotency_key="java-file", file=("made.xml", content), kind="invoice", entitled=[BUYER], **waited
    )
    body = made.InvoiceIn(document_id=stored.record_id, buyer=BUYER)
    registered = chapter(supplier, "Invoices", "uploader").register_invoice("java-invoice", body, **waited)
    shown = chapter(supplier, "Invoices", "uploader").show_invoice(registered.record_id)  # its writer's read waits
    assert (shown.amount, shown.currency, shown.status) == ("10000.00", "EUR", "registered")
    assert shown.names["number"] == "MADE-2"

    approves = made.ApprovalIn(**approval(people, "MADE-2"))
    approved = chapter(buyer, "Invoices", "approver").approve_invoice(
        invoice_id=registered.record_id, idempotency_key="java-approval", approval_in=approves, **waited
    )
    assert approved.status == "applied"
    listed = chapter(supplier, "Invoices").list_invoice(
        q="MADE-2", waits="true", ledger_block_min=approved.block_number
    )
    assert [(each.invoice_id, each.status) for each in listed.items] == [(registered.record_id, "approved")]
    assert {wait.var_for for wait in listed.items[0].waits} >= {BUYER}

    assert chapter(buyer, "Documents", "approver").show_document(stored.record_id).submitter == SUPPLIER
    assert chapter(supplier, "Reports").report_ageing(holder=SUPPLIER).report == "ageing"
    assert chapter(supplier, "Submissions").list_submission(type="RegisterInvoice").total >= 1
    with pytest.raises(made.exceptions.NotFoundException) as missing:
        chapter(supplier, "Invoices").show_invoice("0" * 32)
    assert json.loads(missing.value.body)["code"] == "INVOICE_UNKNOWN"
    for prompt in prompts.values():
        prompt.close()
