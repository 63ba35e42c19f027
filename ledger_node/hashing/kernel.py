"""The CUDA kernel of native/sha256_lanes.cu as machine code for one kind of GPU, compiled here by NVRTC.

Neither a driver nor a GPU is needed to compile. It asks for machine code and never for PTX, which a driver older than
this compiler refuses. What was compiled is kept in a folder, one file for each source, architecture and compiler.
Source: NVRTC and cuda.core documentation.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

from ledger_node.errors import NodeError

KERNEL_NAME = "sha256_lanes"
NATIVE = Path(__file__).parent / "native"
INCLUDE = '#include "sha256_core.h"'


class GpuUnavailable(NodeError):
    """No GPU can be used on this machine; the processor hashes everything."""


@dataclass(frozen=True, slots=True)
class Kernel:
    """Machine code, and what its compiler reported.

    Fields: a CUDA binary; how many registers a thread takes; how many bytes of them it had to put into memory.
    """

    cubin: bytes
    registers: int
    spill_bytes: int


def compile_kernel(arch: str, *, fma: bool, cache_dir: Path) -> Kernel:
    """The kernel for one architecture, out of the folder or compiled into it.

    Args:
        arch: as the compiler names it, such as `sm_90`.
        fma: make additions on the pipe that multiplies, which Hopper has to spare.
        cache_dir: made when it is not there; whoever can write it decides what runs on the GPU.

    Returns: the machine code.

    Raises: GpuUnavailable when the compiler is not installed or does not know the architecture; OSError when the folder
        cannot be written.
    """
    version = _nvrtc_version(arch)
    source = kernel_source()
    key = hashlib.sha256(f"{version}\n{arch}\n{fma}\n{source}".encode()).hexdigest()
    path = cache_dir / f"{KERNEL_NAME}-{arch}-{key[:16]}.kernel"
    if kept := _load(path):
        return kept
    kernel = _compile(source, arch, fma)
    _keep(path, kernel)
    return kernel


def kernel_source() -> str:
    """The kernel as one text: NVRTC has no files to include."""
    return (NATIVE / "sha256_lanes.cu").read_text().replace(INCLUDE, (NATIVE / "sha256_core.h").read_text())


def _nvrtc_version(arch: str) -> str:
    """The compiler's version, if it is there and knows the architecture."""
    remedy = "pip install 'ledger-node[gpu]'"
    try:
        from cuda.bindings import nvrtc

        _, major, minor = nvrtc.nvrtcVersion()
        _, known = nvrtc.nvrtcGetSupportedArchs()
    # The loader of NVIDIA's libraries raises a RuntimeError for one that is missing.
    except (ImportError, RuntimeError) as error:
        raise GpuUnavailable(f"NVIDIA's compiler is not installed: {error}", remedy) from error
    if arch not in {f"sm_{known_arch}" for known_arch in known}:
        raise GpuUnavailable(f"NVRTC {major}.{minor} does not compile for {arch}", f"{remedy} with another NVRTC")
    return f"{major}.{minor}"


def _compile(source: str, arch: str, fma: bool) -> Kernel:
    from cuda.core import Program, ProgramOptions

    options = ProgramOptions(
        name=f"{KERNEL_NAME}.cu",
        arch=arch,
        std="c++17",
        ptxas_options="-v",
        define_macro="SHA_MAD" if fma else None,
    )
    log = io.StringIO()
    program = Program(source, "c++", options)
    try:
        code: bytes = program.compile("cubin", logs=log).code
    finally:
        program.close()
    registers = re.search(r"Used (\d+) registers", log.getvalue())
    spills = re.search(r"(\d+) bytes spill stores, (\d+) bytes spill loads", log.getvalue())
    assert registers and spills, log.getvalue()
    return Kernel(code, int(registers[1]), int(spills[1]) + int(spills[2]))


def _load(path: Path) -> Kernel | None:
    """What `_keep` wrote; None when it is not there or not whole."""
    try:
        head, _, cubin = path.read_bytes().partition(b"\n")
        facts = json.loads(head)
        whole = facts["sha256"] == hashlib.sha256(cubin).hexdigest()
        return Kernel(cubin, int(facts["registers"]), int(facts["spill_bytes"])) if whole else None
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def _keep(path: Path, kernel: Kernel) -> None:
    """Write a file that is there as a whole or not at all, whoever else writes it at the same time."""
    facts = {"sha256": hashlib.sha256(kernel.cubin).hexdigest()}
    head = json.dumps(facts | {"registers": kernel.registers, "spill_bytes": kernel.spill_bytes})
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        file.write(head.encode() + b"\n" + kernel.cubin)
    Path(file.name).replace(path)
