"""Webhooks and what is to be told to them, in the state database.

An event is put down for a receiver in the transaction that moves the receiver's place in the ledger on, and taken away
in one after it was told: a kill at any point repeats a delivery or leaves it for later, and loses none. What was put
down is told in the ledger's order for each invoice; one that is to be tried later holds those behind it.
"""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, delete, exists, func, update
from sqlmodel import Session, col, select

from ledger_node.database import ROWS_A_STATEMENT_MAX, Database, replacing, table_of, write_rows
from ledger_node.errors import BadRequest, NotFound
from ledger_node.notifications.changes import TYPES
from ledger_node.notifications.events import Batch, Event
from ledger_node.notifications.post import Outcome, new_secret
from ledger_node.notifications.tables import (
    ACTIVE,
    DEAD,
    GONE,
    PAUSED,
    WAITING,
    DeliveryRow,
    WebhookRow,
    WebhookSecretRow,
)

WEBHOOKS_MAX, SECRETS_MAX, DEAD_MAX = 50, 4, 10_000
NAME_CHARACTERS_MAX = 100
OVERLAP_HOURS_MAX = 30 * 24
_DELIVERY, _WEBHOOK, _SECRET = table_of(DeliveryRow), table_of(WebhookRow), table_of(WebhookSecretRow)


class Webhooks:
    """The receivers of one node's events.

    Args:
        database: the state database.
        now: the clock; UTC.
    """

    def __init__(self, database: Database, now: Callable[[], dt.datetime]) -> None:
        self._database = database
        self._now = now

    # By people

    def add(self, row: Mapping[str, Any]) -> tuple[str, WebhookRow]:
        """Take in a receiver.

        Args:
            row: `name`, `url` (checked), `types`, `only_own`, `created_by`, `next_block` and `genesis_hash`.

        Returns: its secret, which is shown now and never again, and the receiver.

        Raises: BadRequest for too many, a name that is none, or a type that no event has.
        """
        name = str(row["name"])
        if len(name) > NAME_CHARACTERS_MAX or not name.isprintable():
            raise BadRequest("that is no name of a webhook", f"Use up to {NAME_CHARACTERS_MAX} visible characters.")
        for wanted in row["types"]:
            if not any(fits(kind, [wanted]) for kind in TYPES):
                raise BadRequest(f"no event has the type {wanted!r}", "Such as invoice, or invoice.approved.")
        secret = new_secret()
        made = WebhookRow(
            **{**row, "types": ",".join(row["types"])},
            id=secrets.token_hex(8),
            status=ACTIVE,
            reason="",
            created_at=self._text(),
            delivered=0,
            delivered_at="",
            failed_at="",
            error="",
        )
        with self._database.write() as session:
            if session.exec(select(func.count()).select_from(WebhookRow)).one() >= WEBHOOKS_MAX:
                raise BadRequest(f"there are {WEBHOOKS_MAX} webhooks already", "Remove one that nobody needs.")
            session.add(made)
            session.add(WebhookSecretRow(webhook_id=made.id, secret=secret, expires_at=0))
        return secret, made

    def all(self) -> list[WebhookRow]:
        """All receivers, the oldest first."""
        with self._database.read() as session:
            return list(session.exec(select(WebhookRow).order_by(col(WebhookRow.created_at), col(WebhookRow.id))).all())

    def get(self, webhook_id: str) -> WebhookRow:
        """One receiver. Raises: NotFound."""
        with self._database.read() as session:
            return _existing(session, webhook_id)

    def remove(self, webhook_id: str) -> None:
        """Forget a receiver, its secrets and what it was to be told. Raises: NotFound."""
        with self._database.write() as session:
            _existing(session, webhook_id)
            session.connection().execute(delete(_DELIVERY).where(_DELIVERY.c.webhook_id == webhook_id))
            session.connection().execute(delete(_SECRET).where(_SECRET.c.webhook_id == webhook_id))
            session.connection().execute(delete(_WEBHOOK).where(_WEBHOOK.c.id == webhook_id))

    def pause(self, webhook_id: str) -> WebhookRow:
        """Tell a receiver nothing for now; its place in the ledger stays. Raises: NotFound."""
        return self._change(webhook_id, status=PAUSED, reason="by hand")

    def resume(self, webhook_id: str) -> WebhookRow:
        """Go on with a receiver that was paused, or that had gone: at once, with all that waits. Raises: NotFound."""
        with self._database.write() as session:
            _soon(session.connection(), webhook_id)
        return self._change(webhook_id, status=ACTIVE, reason="")

    def rotate(self, webhook_id: str, overlap_hours: int) -> str:
        """Make a new secret; the former one signs as well until the receiver has had time to change.

        Args:
            webhook_id: of the receiver.
            overlap_hours: how long; 0 ends the former ones at once, for a secret that others know.

        Returns: the new secret, which is shown now and never again.

        Raises: NotFound, BadRequest.
        """
        if not 0 <= overlap_hours <= OVERLAP_HOURS_MAX:
            raise BadRequest(f"{overlap_hours} hours is not between 0 and {OVERLAP_HOURS_MAX}", "Choose fewer.")
        secret, now = new_secret(), self._now().timestamp()
        with self._database.write() as session:
            _existing(session, webhook_id)
            own = _SECRET.c.webhook_id == webhook_id
            until = now + overlap_hours * 3600
            expired = _SECRET.c.expires_at.between(0.001, now) if overlap_hours else own
            session.connection().execute(delete(_SECRET).where(own, expired))
            session.connection().execute(update(_SECRET).where(own, _SECRET.c.expires_at == 0).values(expires_at=until))
            if len(_secrets(session, webhook_id, now)) >= SECRETS_MAX:
                text = f"{SECRETS_MAX} secrets are good already"
                raise BadRequest(text, "Wait until one has ended, or end them: --overlap-hours 0.")
            session.add(WebhookSecretRow(webhook_id=webhook_id, secret=secret, expires_at=0))
        return secret

    def dead(self, webhook_id: str, page: int, per_page: int) -> tuple[list[DeliveryRow], int]:
        """The events that were given up, the latest first, and how many there are. Raises: NotFound."""
        own = col(DeliveryRow.webhook_id) == webhook_id, col(DeliveryRow.status) == DEAD
        with self._database.read() as session:
            _existing(session, webhook_id)
            total = session.exec(select(func.count()).select_from(DeliveryRow).where(*own)).one()
            statement = (
                select(DeliveryRow).where(*own).order_by(col(DeliveryRow.died_at).desc(), col(DeliveryRow.id).desc())
            )
            return list(session.exec(statement.offset((page - 1) * per_page).limit(per_page)).all()), total

    def replay_dead(self, webhook_id: str, event_id: str = "") -> int:
        """Try events that were given up again, in their order: one, or all.

        Returns: how many. Raises: NotFound.
        """
        chosen = [_DELIVERY.c.event_id == event_id] if event_id else []
        with self._database.write() as session:
            _existing(session, webhook_id)
            statement = update(_DELIVERY).where(*_of(webhook_id, DEAD), *chosen)
            again = statement.values(status=WAITING, tries=0, due_at=0.0, died_at="", error="")
            count = session.connection().execute(again).rowcount
        if event_id and not count:
            raise NotFound(f"there is no dead letter {event_id}", "List them: ledger-node webhook dead")
        return count

    def replay_from(self, webhook_id: str, block_number: int) -> None:
        """Tell a receiver everything from a block on again, under the ids of then. Raises: NotFound, BadRequest."""
        with self._database.write() as session:
            row = _existing(session, webhook_id)
            if block_number > row.next_block:
                text = f"block {block_number} is later than what was told, up to block {row.next_block - 1}"
                raise BadRequest(text, "Choose an earlier one.")
            row.next_block = block_number
            session.add(row)

    def discard_dead(self, webhook_id: str) -> int:
        """Forget the events that were given up. Returns: how many. Raises: NotFound."""
        with self._database.write() as session:
            _existing(session, webhook_id)
            return session.connection().execute(delete(_DELIVERY).where(*_of(webhook_id, DEAD))).rowcount

    def counts(self) -> dict[str, dict[str, int]]:
        """How many deliveries wait, and how many were given up, by receiver."""
        statement = select(DeliveryRow.webhook_id, DeliveryRow.status, func.count()).group_by(
            col(DeliveryRow.webhook_id), col(DeliveryRow.status)
        )
        found: dict[str, dict[str, int]] = {}
        with self._database.read() as session:
            for webhook_id, status, count in session.exec(statement).all():
                found.setdefault(webhook_id, {})[status] = count
        return found

    # By the sender

    def keys(self, webhook_id: str) -> list[str]:
        """The secrets of a receiver that are good now, the newest first."""
        with self._database.read() as session:
            return _secrets(session, webhook_id, self._now().timestamp())

    def waiting(self, webhook_id: str) -> int:
        """How many deliveries wait."""
        with self._database.read() as session:
            statement = select(func.count()).select_from(DeliveryRow).where(*_of(webhook_id, WAITING))
            return int(session.exec(statement).one())

    def put(self, webhook: WebhookRow, batch: Batch, events: Sequence[Event]) -> bool:
        """Put events down for a receiver, and move its place on, if it is still where it was.

        An event that is there already, waiting or given up, stays as it is.

        Returns: whether it was.
        """
        rows = [
            {
                "webhook_id": webhook.id,
                "event_id": event.id,
                "type": event.type,
                "order_key": event.order,
                "body": event.body,
                "status": WAITING,
                "tries": 0,
                "due_at": 0.0,
                "error": "",
                "died_at": "",
            }
            for event in events
        ]
        with self._database.write() as session:
            connection = session.connection()
            same = (
                _WEBHOOK.c.id == webhook.id,
                _WEBHOOK.c.next_block == webhook.next_block,
                _WEBHOOK.c.genesis_hash == webhook.genesis_hash,
            )
            place = {"next_block": batch.next_block, "genesis_hash": batch.genesis_hash}
            if not connection.execute(update(_WEBHOOK).where(*same).values(place)).rowcount:
                return False
            write_rows(connection, replacing(self._database.dialect, _DELIVERY, keep=True), rows)
        return True

    def start_over(self, webhook: WebhookRow, genesis_hash: str) -> None:
        """The ledger is another one: from its first block on."""
        self._change(webhook.id, next_block=0, genesis_hash=genesis_hash)

    def due(self, webhook_id: str, limit: int, pause_seconds_max: float) -> list[DeliveryRow]:
        """What may be told now, in order, without what stands behind something that is to be tried later.

        Args:
            webhook_id: of the receiver.
            limit: how many at most.
            pause_seconds_max: the longest pause there is. What is due after more than that was written by a clock that
                was wrong: it is not waited for.
        """
        earlier = _DELIVERY.alias("earlier")
        held = exists().where(
            earlier.c.webhook_id == webhook_id,
            earlier.c.status == WAITING,
            earlier.c.order_key == _DELIVERY.c.order_key,
            earlier.c.id <= _DELIVERY.c.id,
            self._is_later(earlier.c.due_at, pause_seconds_max),
        )
        statement = select(DeliveryRow).where(*_of(webhook_id, WAITING), ~held).order_by(col(DeliveryRow.id))
        with self._database.read() as session:
            return list(session.exec(statement.limit(limit)).all())

    def next_due_at(self, webhook_id: str, pause_seconds_max: float) -> float | None:
        """When the first of what is to be tried later is due, in seconds since 1970; None where nothing is.

        What only stands behind it is due with it: so it says nothing of when to look again.
        """
        with self._database.read() as session:
            later = self._is_later(_DELIVERY.c.due_at, pause_seconds_max)
            statement = select(func.min(DeliveryRow.due_at)).where(*_of(webhook_id, WAITING), later)
            return session.exec(statement).one()

    def _is_later(self, due_at: Any, pause_seconds_max: float) -> Any:
        now = self._now().timestamp()
        return (due_at > now) & (due_at <= now + pause_seconds_max)

    def settle(self, webhook_id: str, outcomes: Sequence[tuple[DeliveryRow, Outcome, float]], tries_max: int) -> None:
        """Write down what became of some tries.

        Args:
            webhook_id: of the receiver.
            outcomes: each delivery, what became of it, and when it is to be tried again, in seconds since 1970.
            tries_max: after that many it is given up.
        """
        told = [row.id for row, outcome, _ in outcomes if outcome.is_delivered]
        failed = [each for each in outcomes if not each[1].is_delivered]
        with self._database.write() as session:
            connection = session.connection()
            for start in range(0, len(told), ROWS_A_STATEMENT_MAX):
                some = told[start : start + ROWS_A_STATEMENT_MAX]
                connection.execute(delete(_DELIVERY).where(_DELIVERY.c.id.in_(some)))
            for row, outcome, due_at in failed:
                connection.execute(self._after(row, outcome, due_at, tries_max))
            self._note(connection, webhook_id, len(told), [outcome for _, outcome, _ in failed])

    def _after(self, row: DeliveryRow, outcome: Outcome, due_at: float, tries_max: int) -> Any:
        """The statement for a try that failed."""
        is_over = row.tries + 1 >= tries_max and not outcome.is_gone
        values: dict[str, Any] = {"tries": row.tries + 1, "error": outcome.error, "due_at": due_at}
        values |= {"status": DEAD, "died_at": self._text()} if is_over else {}
        return update(_DELIVERY).where(_DELIVERY.c.id == row.id, _DELIVERY.c.status == WAITING).values(values)

    def _note(self, connection: Connection, webhook_id: str, told: int, failures: Sequence[Outcome]) -> None:
        own = _WEBHOOK.c.id == webhook_id
        values: dict[str, Any] = {}
        if told:
            values |= {"delivered": _WEBHOOK.c.delivered + told, "delivered_at": self._text(), "error": ""}
        if failures:
            values |= {"failed_at": self._text(), "error": failures[-1].error}
        if any(outcome.is_gone for outcome in failures):
            values |= {"status": GONE, "reason": "the receiver answered 410: it wants no more"}
        elif failures and _count(connection, webhook_id, DEAD) >= DEAD_MAX:
            values |= {"status": PAUSED, "reason": f"{DEAD_MAX} events were given up: replay or discard them"}
        if values:
            connection.execute(update(_WEBHOOK).where(own).values(values))

    def _change(self, webhook_id: str, **values: Any) -> WebhookRow:
        with self._database.write() as session:
            row = _existing(session, webhook_id)
            for name, value in values.items():
                setattr(row, name, value)
            session.add(row)
            return row

    def _text(self) -> str:
        return self._now().astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def fits(kind: str, wanted: Collection[str]) -> bool:
    """Whether a type of event is one of those that are wanted, each whole or its first part; none wants all."""
    return not wanted or any(kind == each or kind.startswith(f"{each}.") for each in wanted)


def _existing(session: Session, webhook_id: str) -> WebhookRow:
    row = session.get(WebhookRow, webhook_id)
    if row is None:
        raise NotFound(f"there is no webhook {webhook_id}", "List them: ledger-node webhook list")
    return row


def _of(webhook_id: str, status: str) -> tuple[Any, Any]:
    return _DELIVERY.c.webhook_id == webhook_id, _DELIVERY.c.status == status


def _secrets(session: Session, webhook_id: str, now: float) -> list[str]:
    good = (col(WebhookSecretRow.expires_at) == 0) | (col(WebhookSecretRow.expires_at) > now)
    statement = select(WebhookSecretRow.secret).where(col(WebhookSecretRow.webhook_id) == webhook_id, good)
    return list(session.exec(statement.order_by(col(WebhookSecretRow.id).desc())).all())


def _count(connection: Connection, webhook_id: str, status: str) -> int:
    statement = select(func.count()).select_from(_DELIVERY).where(*_of(webhook_id, status))
    return int(connection.execute(statement).scalar_one())


def _soon(connection: Connection, webhook_id: str) -> None:
    connection.execute(update(_DELIVERY).where(*_of(webhook_id, WAITING)).values(due_at=0.0))
