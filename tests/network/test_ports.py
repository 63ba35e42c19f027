"""Ports are held from choosing to use: who chooses cannot have them, the servers they are for can."""

from __future__ import annotations

import socket

import pytest

from network.errors import SetupError
from network.ports import WIDTH, held_base_port
from network.topology import free_base_port, port_is_free

pytestmark = pytest.mark.alone


def test_ports_that_are_held_are_chosen_by_nobody_else_and_free_for_their_servers() -> None:
    with held_base_port(21000) as base:
        assert free_base_port(base) != base
        with held_base_port(base) as other:
            assert other >= base + WIDTH
        with pytest.raises(SetupError, match="no 40 free ports in a row"), held_base_port(base, base + WIDTH):
            pass
        assert port_is_free("127.0.0.1", base)  # nothing listens there
        with (
            socket.create_server(("127.0.0.1", base)) as server,
            socket.create_connection(("127.0.0.1", base)) as client,
        ):
            accepted, _ = server.accept()
            with accepted:
                client.sendall(b"served")
                assert accepted.recv(6) == b"served"
            assert not port_is_free("127.0.0.1", base)


def test_a_block_with_a_port_in_use_is_passed_by() -> None:
    with held_base_port(21000) as base:
        pass
    with socket.create_server(("127.0.0.1", base + WIDTH - 1)), held_base_port(base) as chosen:
        assert chosen != base
