"""The Gateway client is a distribution of its own: in a bare environment, with what it declares, a program runs."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from network.topology import Topology

ROOT = Path(__file__).parents[2]
PROGRAM = """
import asyncio, pathlib, sys
import network.gateway
from network.gateway import Gateway, read_msp_folder

async def main(endpoint, tls_roots, msp_folder):
    identity, sign = read_msp_folder(pathlib.Path(msp_folder), "SupplierMSP")
    async with Gateway(endpoint, identity, sign, tls_roots=pathlib.Path(tls_roots).read_bytes()) as gateway:
        channel = gateway.network("scf")
        contract = channel.contract("kv")
        async with channel.chaincode_events("kv") as events:
            await contract.submit("announce", "bare", "Installed", "works")
            print((await anext(events)).name)
        print((await contract.evaluate("get", "bare")).decode())

print(network.gateway.__file__)
asyncio.run(main(*sys.argv[1:]))
"""


def declared(wheel: Path, folder: Path) -> None:
    """Links to the distributions that a wheel needs, and to those that they need, and to nothing else."""
    (read,) = metadata.distributions(path=[str(wheel)])
    wanted, seen = list(read.requires or []), set[str]()
    while wanted:
        text = wanted.pop()
        name = re.split(r"[^A-Za-z0-9._-]", text)[0].lower()
        if name in seen or "extra ==" in text:
            continue
        seen.add(name)
        try:
            needed = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            assert ";" in text, text  # for another Python, say
            continue
        wanted += needed.requires or []
        for top in {Path(str(file)).parts[0] for file in needed.files or ()} - {".."}:
            if not (folder / top).exists():
                (folder / top).symlink_to(str(needed.locate_file(top)))


@pytest.mark.network
def test_a_program_with_nothing_but_the_client_and_what_it_declares_listens_and_submits(
    kv: Topology, tmp_path: Path
) -> None:
    sources = tmp_path / "sources"  # what a build leaves behind is no part of the tree
    shutil.copytree(ROOT / "distributions" / "gateway", sources / "distributions" / "gateway")
    shutil.copytree(ROOT / "network" / "gateway", sources / "network" / "gateway")
    build = ("wheel", "--quiet", "--no-deps", "--no-index", "--no-build-isolation", "--wheel-dir", str(tmp_path))
    subprocess.run([sys.executable, "-m", "pip", *build, str(sources / "distributions" / "gateway")], check=True)
    (wheel,) = tmp_path.glob("ledger_node_gateway-*.whl")

    environment, needed = tmp_path / "bare", tmp_path / "needed"
    needed.mkdir()
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(environment)], check=True)
    (site,) = environment.glob("lib/python*/site-packages")
    shutil.unpack_archive(wheel, site, "zip")
    declared(site, needed)
    (site / "needed.pth").write_text(f"{needed}\n")

    folders = kv.folders("supplier")
    given = (kv.organisation("supplier").peer_endpoint, str(folders.tls_ca), str(folders.user.path))
    run = subprocess.run(
        [environment / "bin" / "python", "-c", PROGRAM, *given],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin"},
        timeout=300,
    )
    assert run.returncode == 0, run.stderr
    where, event, value = run.stdout.split()
    assert where.startswith(str(site))
    assert (event, value) == ("Installed", "works")
    assert not (site / "ledger_node").exists()
