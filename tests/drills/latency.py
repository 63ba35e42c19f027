"""Latency where the kernel has no netem: packets wait in a queue of netfilter, and go on after their time.

Source: linux/netfilter/nfnetlink_queue.h; netlink(7).
"""

from __future__ import annotations

import heapq
import select
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

NETLINK_NETFILTER = 12
_QUEUE = 3 << 8  # NFNL_SUBSYS_QUEUE
_PACKET, _VERDICT, _CONFIG = _QUEUE | 0, _QUEUE | 1, _QUEUE | 2
_PACKET_HEADER, _VERDICT_HEADER = 1, 2  # NFQA_PACKET_HDR, NFQA_VERDICT_HDR
_COMMAND, _PARAMETERS, _LENGTH_MAX, _MASK, _FLAGS = 1, 2, 3, 4, 5  # NFQA_CFG_*
_BIND, _COPY_META, _WHOLE = 1, 1, 1 << 2  # whole packets of the local machine are not cut to size
_ACCEPT = 1
_PACKETS_MAX = 1 << 16
_RECEIVE_BYTES = 16 << 20


@contextmanager
def delayed(queue: int, seconds: float) -> Iterator[None]:
    """Within, packets that come into the queue wait so long, in order.

    Args:
        queue: its number; rules send packets there.
        seconds: of each packet.

    Raises: OSError without the right to, or without such queues in the kernel.
    """
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER) as netlink:
        netlink.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BYTES)
        netlink.bind((0, 0))
        netlink.send(_message(_CONFIG, queue, (_COMMAND, struct.pack(">BxH", _BIND, 0))))
        netlink.send(
            _message(
                _CONFIG,
                queue,
                (_PARAMETERS, struct.pack(">IB", 0, _COPY_META)),
                (_LENGTH_MAX, struct.pack(">I", _PACKETS_MAX)),
                (_MASK, struct.pack(">I", _WHOLE)),
                (_FLAGS, struct.pack(">I", _WHOLE)),
            )
        )
        over = threading.Event()
        waiting = threading.Thread(target=_pass_on, args=(netlink, queue, seconds, over))
        waiting.start()
        try:
            yield
        finally:
            over.set()
            waiting.join()


def _pass_on(netlink: socket.socket, queue: int, seconds: float, over: threading.Event) -> None:
    """Until told to end; what still waits then goes on at once."""
    waiting: list[tuple[float, int]] = []
    while not over.is_set() or waiting:
        now = time.monotonic()
        while waiting and (waiting[0][0] <= now or over.is_set()):
            _, packet = heapq.heappop(waiting)
            netlink.send(_message(_VERDICT, queue, (_VERDICT_HEADER, struct.pack(">II", _ACCEPT, packet))))
        timeout = max(0.0, waiting[0][0] - now) if waiting else 0.1
        if select.select([netlink], [], [], min(timeout, 0.1))[0]:
            with suppress(OSError):  # ENOBUFS: the kernel let packets go, as a full line does
                for packet in _packets(netlink.recv(1 << 16)):
                    heapq.heappush(waiting, (time.monotonic() + seconds, packet))


def _packets(data: bytes) -> Iterator[int]:
    """The ids of the packets in what netlink says."""
    while len(data) >= 16:
        length, kind = struct.unpack_from("=IH", data)
        if kind == _PACKET:
            attributes = data[20:length]
            while len(attributes) >= 4:
                size, name = struct.unpack_from("=HH", attributes)
                if name == _PACKET_HEADER:
                    yield struct.unpack_from(">I", attributes, 4)[0]
                attributes = attributes[(size + 3) & ~3 :]
        data = data[(length + 3) & ~3 :]


def _message(kind: int, queue: int, *attributes: tuple[int, bytes]) -> bytes:
    body = struct.pack(">BBH", socket.AF_UNSPEC, 0, queue)
    for name, value in attributes:
        padded = value + b"\0" * (-len(value) % 4)
        body += struct.pack("=HH", 4 + len(value), name) + padded
    return struct.pack("=IHHII", 16 + len(body), kind, 1, 0, 0) + body
