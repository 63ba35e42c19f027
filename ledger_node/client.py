"""A small client of a node's REST API, for the command line, the demo and anybody's programs.

It speaks HTTP and JSON, turns problems into the house's errors (each knows its exit code), and gives every write an
idempotency key, so that trying again after a broken connection has one effect. It opens no file of a node.
"""

from __future__ import annotations

import re
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import quote

from ledger_node.errors import BadRequest, NodeError, NotFound
from ledger_node.ledger.interface import ContractRefused

if TYPE_CHECKING:  # a client is loaded to show help; what speaks HTTP takes five times as long to load as Python itself
    import httpx

JSON = dict[str, Any]
TIMEOUT_SECONDS = 60.0
PATIENCE_SECONDS = 2.0
READY_SECONDS_MAX = 5.0
READ_BYTES = 1 << 20


class Refused(ContractRefused):
    """The contract said no; `code` names the rule, `submission_id` what can be tried again once it is mended."""

    def __init__(self, code: str, text: str, transaction_id: str, *, remedy: str = "", submission_id: str = "") -> None:
        super().__init__(f"{code}: {text}", transaction_id)
        self.code, self.remedy, self.submission_id = code, remedy, submission_id


class StillOpen(NodeError):
    """The ledger has not answered yet; `submission` says what to ask for."""

    exit_code = 4

    def __init__(self, submission: JSON) -> None:
        text = f"submission {submission['id']} ({submission['type']}) is still {submission['status']}"
        remedy = f"Ask again: /v1/submissions/{submission['id']}"
        if submission["status"] == "awaiting_persons":
            remedy = (
                f"Each person signs: ledger-node person sign {submission['id']} --key FILE; "
                f"or take it back: ledger-node person withdraw {submission['id']}"
            )
        super().__init__(text, remedy)
        self.submission = submission


class _NotNow(Exception):
    """The node asked to try again a little later; `answer` is what it said."""

    def __init__(self, answer: httpx.Response) -> None:
        super().__init__(answer.status_code)
        self.answer = answer


class Client:
    """One node's REST API, with one token; may be used from any thread, and as a context manager.

    Args:
        url: of the user port, such as "http://127.0.0.1:8001".
        token: empty for what needs none.
        timeout_seconds: for one answer, waiting for the ledger included.
        patience_seconds: how long to try again while the node does not answer, or says "not now" (503).
        block_number_min: of every request that names none itself; see `get` and `post`.
    """

    def __init__(
        self,
        url: str,
        token: str = "",
        timeout_seconds: float = TIMEOUT_SECONDS,
        patience_seconds: float = PATIENCE_SECONDS,
        block_number_min: int = -1,
    ) -> None:
        if not _is_header_text(token):
            raise BadRequest("the token has characters that no token has", "Copy it again, on one line.")
        if not url.startswith(("http://", "https://")):
            raise BadRequest(f"{url!r} is no address of a node", "Give it as http://HOST:PORT.")
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        headers |= {"Ledger-Block-Min": str(block_number_min)} if block_number_min >= 0 else {}
        import ssl

        import httpx

        # Without TLS nobody is believed, and the authorities, which take 30 ms to read, stay unread.
        verify = url.startswith("https://") or ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        # Proxies of the environment are not asked: a node is on this machine or in the own network.
        self._http = httpx.Client(
            base_url=url, headers=headers, timeout=timeout_seconds, trust_env=False, verify=verify
        )
        self._url = url
        self._patience_seconds = patience_seconds

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def get(
        self,
        path: str,
        params: dict[str, str | int] | None = None,
        *,
        missing_ok: bool = False,
        block_number_min: int = -1,
    ) -> Any:
        """The JSON answer to a read.

        Args:
            path: such as "/v1/parties".
            params: of the query.
            missing_ok: None instead of NotFound.
            block_number_min: wait until the node shows this block.

        Raises: NodeError with the exit code of the house.
        """
        headers = {"Ledger-Block-Min": str(block_number_min)} if block_number_min >= 0 else {}
        answer = self._send("GET", path, params=params, headers=headers)
        if answer.status_code == 404 and missing_ok:
            return None
        return self._json(answer)

    def post(
        self,
        path: str,
        body: JSON | None = None,
        *,
        wait_seconds: int = 10,
        idempotency_key: str = "",
        block_number_min: int = -1,
    ) -> JSON:
        """Write, and wait for the ledger.

        Args:
            path: such as "/v1/days".
            body: JSON; None for a write without one.
            wait_seconds: 0 to 30; 0 answers as soon as the node has stored the write.
            idempotency_key: made when empty.
            block_number_min: the command waits for this block.

        Returns: the submission, applied (with `wait_seconds`).

        Raises: Refused (exit code 5), StillOpen (4), NotFound (3), BadRequest (2), NodeError.
        """
        headers = _write_headers(wait_seconds, idempotency_key, block_number_min)
        return self._submission(self._send("POST", path, json=body or {}, headers=headers), wait_seconds)

    def ask(
        self,
        path: str,
        *,
        params: dict[str, str | int] | None = None,
        body: JSON | None = None,
        content: bytes | None = None,
        media_type: str = "",
    ) -> bytes:
        """The answer to a question that is too long for an address; nothing is written.

        Args:
            path: such as "/v1/bank-files".
            params: of the query.
            body: JSON, or else `content` of that media type.

        Raises: as `get`.
        """
        headers = {"Content-Type": media_type} if content is not None else {}
        answer = self._send("POST", path, params=params, json=body, content=content, headers=headers)
        if answer.is_error:
            raise _error(answer)
        return answer.content

    def upload(
        self,
        source: Path | bytes,
        *,
        kind: str,
        media_type: str,
        entitled: list[str],
        filename: str = "",
        wait_seconds: int = 10,
        idempotency_key: str = "",
    ) -> JSON:
        """Upload a document and wait for its registration.

        Args:
            source: a file, which is streamed, or its content.
            kind: invoice, proof_of_delivery or transport_events.
            media_type: of the content.
            entitled: MSP ids of those who may fetch and attest it.
            filename: what to call it; a path's own name when empty.
            wait_seconds, idempotency_key: as in `post`.

        Returns: the submission; its `record_id` is the document's id.

        Raises: as `post`.
        """
        form = {"kind": kind, "entitled": entitled}
        sent = {"filename": filename, "wait_seconds": wait_seconds, "idempotency_key": idempotency_key}
        return self.post_file("/v1/documents", source, media_type, form, **sent)  # type: ignore[arg-type]

    def post_file(
        self,
        path: str,
        source: Path | bytes,
        media_type: str,
        form: dict[str, str | list[str]],
        *,
        filename: str = "",
        wait_seconds: int = 10,
        idempotency_key: str = "",
    ) -> JSON:
        """Write with a file: a form of several parts.

        Args:
            path: of the resource.
            form: its other fields.
            source, media_type, filename, wait_seconds, idempotency_key: as in `upload`.

        Returns: the submission.

        Raises: as `post`.
        """
        headers = _write_headers(wait_seconds, idempotency_key, -1)
        name = filename or (source.name if isinstance(source, Path) else "document")
        if isinstance(source, bytes):
            answer = self._send("POST", path, data=form, files={"file": (name, source, media_type)}, headers=headers)
            return self._submission(answer, wait_seconds)
        with source.open("rb") as stream:
            file = (name, stream, media_type)
            answer = self._send("POST", path, data=form, files={"file": file}, headers=headers)
        return self._submission(answer, wait_seconds)

    def download(self, document_id: str, sink: BinaryIO) -> int:
        """Write an own document's content to `sink`.

        Returns: its size in bytes.

        Raises: as `get`.
        """
        import httpx

        size_bytes = 0
        try:
            with self._http.stream("GET", f"/v1/documents/{segment(document_id)}/content") as answer:
                if answer.is_error:
                    answer.read()
                    raise _error(answer)
                for piece in answer.iter_bytes(READ_BYTES):
                    size_bytes += sink.write(piece)
        except httpx.TransportError as error:
            raise self._unreachable(error) from error
        return size_bytes

    def fetch(self, path: str, params: JSON | None = None) -> bytes:
        """Read a file that the node makes, such as an evidence bundle.

        Raises: as `get`.
        """
        answer = self._send("GET", path, params=params or {})
        if answer.is_error:
            raise _error(answer)
        return bytes(answer.content)

    def await_submission(self, submission_id: str, seconds: int = 10) -> JSON:
        """Wait until a submission is applied.

        Raises: as `post`.
        """
        answer = self._send("GET", f"/v1/submissions/{submission_id}", headers={"Prefer": f"wait={seconds}"})
        submission: JSON = self._json(answer)
        if submission["status"] == "refused":
            raise Refused(
                submission["code"],
                submission["text"],
                submission["transaction_id"],
                remedy=submission.get("remedy", ""),
                submission_id=submission["id"],
            )
        if submission["status"] == "failed":
            raise NodeError(f"{submission['code']}: {submission['text']}", submission.get("remedy", ""))
        if submission["status"] == "withdrawn":
            raise BadRequest(
                f"the submission {submission_id} was {submission['text']}", "Write it anew if it is wanted."
            )
        if submission["status"] != "applied":
            raise StillOpen(submission)
        return submission

    def ready(self) -> bool:
        """Whether the node says that it is ready."""
        return not self.unready()

    def unready(self) -> str:
        """Why the node is not ready, in its own words, or why it does not answer; empty when it is ready."""
        import httpx

        try:
            answer = self._http.get("/health/ready", timeout=READY_SECONDS_MAX)
        except httpx.TransportError as error:
            return f"{self._http.base_url} does not answer: {error or type(error).__name__}"
        return "" if answer.status_code == httpx.codes.OK else f"{answer.status_code} {answer.text}"

    def _submission(self, answer: httpx.Response, wait_seconds: int) -> JSON:
        submission: JSON = self._json(answer)
        if answer.status_code == 202 and wait_seconds:
            raise StillOpen(submission)
        return submission

    def _send(self, method: str, path: str, **request: Any) -> httpx.Response:
        import httpx
        import stamina

        tries = stamina.retry_context(
            on=(httpx.TransportError, _NotNow),
            attempts=None,
            timeout=self._patience_seconds,
            wait_initial=0.05,
            wait_max=1.0,
        )
        try:
            for attempt in tries:
                with attempt:
                    _rewind(request)
                    answer = self._http.request(method, path, **request)
                    if answer.status_code == 503 and "Retry-After" in answer.headers:
                        raise _NotNow(answer)
                    return answer
        except httpx.TransportError as error:
            raise self._unreachable(error) from error
        except _NotNow as busy:
            return busy.answer
        raise AssertionError("the retry loop ends with an answer or an error")

    def _json(self, answer: httpx.Response) -> Any:
        if answer.is_error:
            raise _error(answer)
        return answer.json()

    def _unreachable(self, error: httpx.TransportError) -> NodeError:
        why = re.sub(r"^\[Errno -?\d+\] ", "", str(error)) or "the connection broke"
        return NodeError(f"the node at {self._url} does not answer: {why}", "Start it: ledger-node node serve")


def segment(text: str) -> str:
    """An id as one segment of a path, whatever was typed for it."""
    return quote(text, safe="")


def require_header_text(idempotency_key: str) -> None:
    """Refuse an idempotency key that cannot be sent. Raises: BadRequest."""
    if not _is_header_text(idempotency_key):
        raise BadRequest("the idempotency key is not visible ASCII", "Choose letters, digits and hyphens.")


def _is_header_text(text: str) -> bool:
    return text.isascii() and text.isprintable()


def _write_headers(wait_seconds: int, idempotency_key: str, block_number_min: int) -> dict[str, str]:
    require_header_text(idempotency_key)
    headers = {"Idempotency-Key": idempotency_key or secrets.token_hex(16)}
    if wait_seconds:
        headers["Prefer"] = f"wait={wait_seconds}"
    if block_number_min >= 0:
        headers["Ledger-Block-Min"] = str(block_number_min)
    return headers


def _rewind(request: JSON) -> None:
    """Before another try: the file from its start."""
    for _, content, _ in request.get("files", {}).values():
        if not isinstance(content, bytes):
            content.seek(0)


def _error(answer: httpx.Response) -> NodeError:
    """The house's error for an HTTP problem."""
    try:
        problem: JSON = answer.json()
        code, text, remedy = problem["code"], problem["detail"], problem.get("remedy", "")
    except (ValueError, KeyError, TypeError):
        return NodeError(f"HTTP {answer.status_code} that is no answer of a node", "Look at the URL.")
    if str(problem.get("type", "")).startswith("urn:ledger-node:refusal:"):
        submission_id = str(problem.get("submission", "")).rpartition("/")[2]
        return Refused(code, text, problem.get("transaction_id", ""), remedy=remedy, submission_id=submission_id)
    if answer.status_code == 404:
        return NotFound(text, remedy)
    if answer.status_code < 500:
        return BadRequest(f"{code}: {text}", remedy)
    return NodeError(f"{code}: {text}", remedy)
