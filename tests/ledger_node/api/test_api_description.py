"""The API describes itself, answers every error in one form, and shows its health and figures."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from api_world import Caller, People
from apiflask import APIFlask
from consortium import Consortium, organisations
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from ledger_node.api.app import create_peer_app
from ledger_node.api.peer import tls_context
from ledger_node.api.spec import install as describe
from ledger_node.api.wire import to_decimal, to_minor
from ledger_node.errors import ConfigError
from ledger_node.workers.heartbeats import WorkerState
from ledger_node.workers.outcomes import Outcome

QUESTIONS = {
    "/v1/invoice-validations",
    "/v1/invoice-files",
    "/v1/bank-files",
    "/v1/redemptions/{redemption_id}/payment-order",
}
"""Posts that write nothing: what is asked is too long for an address."""
BODYLESS = (
    "/carrier-acceptance",
    "/assignment-acknowledgement",
    "/withdrawal",
    "/retry",
    "/vote-withdrawal",
    "/votes",
    "/activation",
    "/retirement",
    "/unwinding",
    "/funding-posting",
    "/funding-voiding",
    "/resumption",
    "/closure",
    "/lifting",
)


@pytest.fixture(scope="module")
def supplier(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Caller]:
    home = tmp_path_factory.mktemp("world")
    organisations(home)
    world = Consortium(home, home)
    yield People(world).supplier
    world.close()


@pytest.fixture(scope="module")
def spec(supplier: Caller) -> Any:
    answer = supplier.http.get("/openapi.json")
    assert answer.status_code == 200
    return answer.json


def operations(spec: Any) -> Iterator[tuple[str, str, Any]]:
    for path, methods in spec["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def test_the_description_names_every_route(supplier: Caller, spec: Any) -> None:
    rules = {re.sub(r"<(\w+)>", r"{\1}", rule.rule) for rule in supplier.http.application.url_map.iter_rules()}
    assert set(spec["paths"]) == rules - {"/openapi.json", "/static/{path:filename}", "/static/<path:filename>"}
    assert spec["openapi"].startswith("3.1")


def test_every_write_is_described_with_body_headers_and_problems(spec: Any) -> None:
    for path, method, operation in operations(spec):
        if method != "post":
            continue
        headers = {each["name"]: each["required"] for each in operation["parameters"] if each["in"] == "header"}
        if path in QUESTIONS or path.startswith("/v1/webhooks"):  # nothing of it goes to the ledger
            assert headers == {"Ledger-Block-Min": False}, path
            continue
        assert headers == {"Idempotency-Key": True, "Prefer": False, "Ledger-Block-Min": False}, path
        assert {"200", "201", "202", "400", "401", "403", "404", "409", "413", "415", "422"} <= set(
            operation["responses"]
        )
        assert "application/problem+json" in operation["responses"]["400"]["content"], path
        nothing = path.endswith(BODYLESS)
        assert operation["requestBody"]["required"] is not nothing, path


def test_every_route_of_the_trade_needs_the_token(spec: Any) -> None:
    for path, _, operation in operations(spec):
        assert bool(operation.get("security")) == path.startswith("/v1/"), path
    (scheme,) = spec["components"]["securitySchemes"].values()
    assert (scheme["type"], scheme["scheme"].lower()) == ("http", "bearer")


def test_every_reference_in_the_description_leads_somewhere(spec: Any) -> None:
    schemas = spec["components"]["schemas"]
    found = set(re.findall(r"#/components/schemas/([\w.]+)", str(spec)))
    assert found - set(schemas) == set()


def test_every_body_has_an_example_or_needs_none(spec: Any) -> None:
    for path, method, operation in operations(spec):
        if method == "post" and path in {"/v1/invoices", "/v1/deposits", "/v1/facilities", "/v1/shipments"}:
            assert operation["requestBody"]["content"]["application/json"]["example"], path


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "NOT_FOUND"),
        ("DELETE", "/v1/invoices", 405, "METHOD_NOT_ALLOWED"),
        ("GET", "/v1/days", 405, "METHOD_NOT_ALLOWED"),
    ],
)
def test_errors_of_the_framework_are_problems_too(
    supplier: Caller, method: str, path: str, status: int, code: str
) -> None:
    answer = supplier.http.open(path, method=method)
    assert (answer.status_code, answer.get_json()["code"], answer.mimetype) == (
        status,
        code,
        "application/problem+json",
    )
    assert answer.get_json()["type"] == f"urn:ledger-node:problem:{code}"
    assert answer.get_json()["remedy"]
    assert (status != 405) or answer.headers["Allow"]


def test_a_break_inside_says_nothing_of_the_inside(supplier: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: object) -> None:
        raise RuntimeError("secret of the inside")

    monkeypatch.setattr(type(supplier.node.readmodel), "parties", broken)
    answer = supplier.get("/v1/parties")
    assert (answer.status, answer.code) == (500, "INTERNAL")
    assert "secret" not in str(answer.body)


def test_answers_are_neither_cached_nor_guessed_at(supplier: Caller) -> None:
    headers = supplier.get("/v1/parties").headers
    assert (headers["Cache-Control"], headers["X-Content-Type-Options"]) == ("no-store", "nosniff")


def test_the_process_lives_and_shows_its_figures(supplier: Caller) -> None:
    assert supplier.http.get("/health/live").json == {"live": True}
    supplier.http.get("/nowhere")
    text = supplier.http.get("/metrics").get_data(as_text=True)
    for line in (
        'ledger_node_submissions{status="waiting"} 0.0',
        "ledger_node_outbox_depth 0.0",
        "ledger_node_block_number -1.0",
        'http_requests_total{method="GET",route="unknown",status="404"}',
    ):
        assert line in text


def test_a_worker_that_has_stopped_is_a_reason_not_to_be_ready(supplier: Caller) -> None:
    for number, name in enumerate(sorted(supplier.node.worker_names)):
        assert supplier.get("/health/ready").status == 503, f"{number} of the workers have given a sign"
        supplier.node.heartbeats.beat(name, WorkerState.RUNNING)
    assert supplier.get("/health/ready").status == 200
    words = "the proposal's timestamp is 20 minutes off"
    supplier.node.heartbeats.beat("outbox", WorkerState.RUNNING, words, Outcome(60.0, 30.0, words))
    answer = supplier.get("/health/ready")
    assert answer.body["reasons"] == [f"outbox has had nothing but errors for 30.0 s: {words}"]
    text = supplier.http.get("/metrics").get_data(as_text=True)
    assert 'ledger_node_worker_trouble_seconds{worker="outbox"} 30.0' in text
    assert 'ledger_node_worker_success_age_seconds{worker="outbox"} 60.' in text
    assert 'ledger_node_worker_up{worker="outbox"} 0.0' in text
    supplier.node.heartbeats.beat("outbox", WorkerState.RUNNING)
    supplier.node.heartbeats.beat("projector", WorkerState.STOPPED, "block 7 is missing")
    answer = supplier.get("/health/ready")
    assert (answer.status, answer.headers["Retry-After"]) == (503, "2")
    (reason,) = answer.body["reasons"]
    assert reason.startswith("projector is stopped, silent for ")
    assert reason.endswith(" s: block 7 is missing")


def test_a_database_that_does_not_answer_is_a_reason_not_to_be_ready(tmp_path: Path) -> None:
    organisations(tmp_path)
    world = Consortium(tmp_path, tmp_path)
    caller = Caller(world, "buyer")
    with world["buyer"].state.write() as session:
        session.connection().exec_driver_sql("DROP TABLE heartbeat")
    answer = caller.get("/health/ready")
    assert (answer.status, answer.body["reasons"]) == (503, ["a database of the node does not answer"])
    world.close()


def test_the_peer_port_without_its_files_is_a_configuration_error(tmp_path: Path) -> None:
    organisations(tmp_path)
    world = Consortium(tmp_path, tmp_path)
    settings = world.settings["buyer"]
    settings.at(settings.tls.private_key).write_text("no key")
    with pytest.raises(ConfigError, match=r"server\.key"):
        tls_context(settings)
    world.close()


def test_the_peer_door_gives_nothing_without_a_certificate(supplier: Caller) -> None:
    """Even if it were ever served without TLS."""
    answer = create_peer_app(supplier.node).test_client().get("/peer/v1/documents/x")
    assert (answer.status_code, answer.get_json()["code"]) == (403, "CERTIFICATE_UNKNOWN")


def test_a_node_serves_every_metric_that_the_alert_rules_and_dashboards_ask_for(supplier: Caller) -> None:
    pages = Path(__file__).parents[3] / "docs" / "how-to"
    asked = (pages / "alerts.yml").read_text() + "".join(each.read_text() for each in pages.glob("dashboard-*.json"))
    supplier.http.get("/v1/nothing")
    figures = supplier.http.get("/metrics").get_data(as_text=True)
    served = set(re.findall(r"^# TYPE (\w+) ", figures, re.MULTILINE)) | set(
        re.findall(r"^(\w+)", figures, re.MULTILINE)
    )
    named = set(re.findall(r"\b(?:ledger_node|http_request)\w+\b", asked))
    assert len(named) > 15
    assert named - served == set()


def test_every_answer_has_an_example_that_fits_its_description(spec: Any) -> None:
    registry = Registry().with_resource("api", Resource.from_contents(spec, DRAFT202012))
    shown = 0
    for path, method, operation in operations(spec):
        for status, response in operation["responses"].items():
            content = response.get("content", {}).get("application/json")
            if status < "300" and content:
                shape = content["schema"]
                shape = {"$ref": f"api{shape['$ref']}"} if "$ref" in shape else shape
                checker = Draft202012Validator(shape, registry=registry)
                assert list(checker.iter_errors(content["example"])) == [], (path, method)
                shown += 1
    assert shown > 100


def test_programs_are_told_the_address_that_the_settings_say(supplier: Caller, spec: Any) -> None:
    assert spec["servers"] == [{"url": "/"}]
    app = APIFlask("described")
    describe(app, "https://node.example.org")
    assert app.config["SERVERS"] == [{"url": "https://node.example.org"}]


def test_no_password_or_path_is_in_the_figures(supplier: Caller) -> None:
    assert str(supplier.node.settings.directory) not in supplier.http.get("/metrics").get_data(as_text=True)


@pytest.mark.parametrize(
    ("text", "currency", "amount_minor"),
    [
        ("1234.50", "EUR", 123450),
        ("0", "EUR", 0),
        ("007.1", "EUR", 710),
        ("12.5", "EUR", 1250),
        ("12.500", "EUR", 1250),
        ("12", "JPY", 12),
        ("1.234", "KWD", 1234),
    ],
)
def test_amounts_are_read_and_shown_exactly(text: str, currency: str, amount_minor: int) -> None:
    assert to_minor(text, currency, "amount") == amount_minor
    assert to_minor(to_decimal(amount_minor, currency), currency, "amount") == amount_minor
