"""Opening a door: connections are admitted, greeted within a deadline, and served until the process is told to end."""

from __future__ import annotations

import asyncio
import logging
import resource
import signal
import socket
import ssl
from contextlib import suppress
from typing import Any
from wsgiref.types import WSGIApplication

import h11
import structlog
from uvicorn.config import Config
from uvicorn.server import ServerState

from ledger_node.door.application import Application
from ledger_node.door.bounds import Bounds
from ledger_node.door.guests import Guest, Guests
from ledger_node.door.visit import Rules, Visit

SHUTDOWN_SECONDS_MAX = 2.0
HEADER_BYTES_MAX = 64 * 1024
KEEP_ALIVE_SECONDS = 5
FILES_PER_CONNECTION = 4
UVICORN_LOG = "uvicorn.error"

log = structlog.get_logger("door")


def run_door(
    name: str, listener: socket.socket, wsgi: WSGIApplication, tls: ssl.SSLContext | None, bounds: Bounds
) -> None:
    """Serve an application on a listening socket until SIGTERM, then let what is being served end.

    Args:
        name: of the door, for the log.
        listener: bound and listening.
        wsgi: called in threads; finds the client's certificate under CLIENT_CERTIFICATE.
        tls: None for plain HTTP.
        bounds: of the door.
    """
    logging.getLogger(UVICORN_LOG).setLevel(logging.ERROR)  # what a guest does wrong is logged by `guests`
    _allow_files(bounds.connections_max * FILES_PER_CONNECTION)
    asyncio.run(_serve(name, listener, Application(wsgi, bounds), tls, bounds))


async def _serve(
    name: str, listener: socket.socket, application: Application, tls: ssl.SSLContext | None, bounds: Bounds
) -> None:
    loop, end = asyncio.get_running_loop(), asyncio.Event()
    loop.set_exception_handler(_log_unexpected)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end.set)
    config = Config(
        application,
        http="h11",
        lifespan="off",
        ws="none",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        h11_max_incomplete_event_size=HEADER_BYTES_MAX,
    )
    rules = Rules(config, ServerState(), Guests(name, bounds), bounds)
    listener.setblocking(False)
    accepting = loop.create_task(_accept(listener, rules, tls))
    accepting.add_done_callback(lambda _: end.set())  # a door that accepts nobody ends, and is opened again
    await end.wait()
    accepting.cancel()
    application.ending.set()
    await _farewell(rules)
    with suppress(asyncio.CancelledError):
        await accepting


async def _accept(listener: socket.socket, rules: Rules, tls: ssl.SSLContext | None) -> None:
    loop, greetings = asyncio.get_running_loop(), set[asyncio.Task[None]]()
    while True:
        try:
            connection, (address, *_) = await loop.sock_accept(listener)
        except ConnectionError:
            continue  # it has gone already
        except OSError as error:  # no more files, as a rule: it stays so until somebody goes
            rules.guests.offends("", f"a connection could not be accepted: {error}")
            await asyncio.sleep(0 if rules.guests.make_room() else 0.1)  # who is shown out leaves when others go on
            continue
        guest = rules.guests.admit(address)
        if guest is None:
            connection.close()
            continue
        greeting = loop.create_task(_greet(connection, guest, rules, tls))
        guest.show_out = greeting.cancel
        greetings.add(greeting)
        greeting.add_done_callback(greetings.discard)
        await asyncio.sleep(0)  # accepting does not wait while many come, and others want to go on


async def _greet(connection: socket.socket, guest: Guest, rules: Rules, tls: ssl.SSLContext | None) -> None:
    """Make a visit of a connection, after the handshake where there is one."""
    loop, seconds = asyncio.get_running_loop(), rules.bounds.handshake_seconds_max
    limits: dict[str, Any] = {}
    if tls is not None:
        limits = {"ssl": tls, "ssl_handshake_timeout": seconds, "ssl_shutdown_timeout": SHUTDOWN_SECONDS_MAX}
    try:
        await loop.connect_accepted_socket(lambda: Visit(rules, guest), connection, **limits)
    except OSError as error:  # SSLError and a handshake that was not over in time are such
        rules.guests.leaves(guest)
        connection.close()
        reason = getattr(error, "reason", None) or str(error) or type(error).__name__
        rules.guests.offends(guest.address, f"no TLS connection came about: {reason}")
    except asyncio.CancelledError:
        rules.guests.leaves(guest)
        connection.close()


async def _farewell(rules: Rules) -> None:
    """End what is idle, and wait for what is being served."""
    for visit in list(rules.state.connections):
        with suppress(h11.LocalProtocolError):  # it is being broken off already
            visit.shutdown()
    if not rules.state.tasks:
        return
    _, late = await asyncio.wait(rules.state.tasks, timeout=rules.bounds.farewell_seconds_max)
    if late:
        log.warning("requests were cut off at the end", requests=len(late))
    for visit in list(rules.state.connections):
        if isinstance(visit, Visit):
            visit.break_off()
    logging.getLogger(UVICORN_LOG).setLevel(logging.CRITICAL)  # the loop cancels them now, which is no error


def _allow_files(wanted: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        allowed = wanted if hard == resource.RLIM_INFINITY else min(hard, wanted)
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))


def _log_unexpected(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """One line for what breaks inside the loop, which is a guest's connection as a rule."""
    log.warning("a connection broke", what=context.get("message", ""), error=repr(context.get("exception")))
