"""The extension as a package: built where a compiler is, left out where none is, and clean under the sanitizers."""

from __future__ import annotations

import hashlib
import os
import struct
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from cpu_backends import BORDERS, compiler, documents

from ledger_node.hashing.kernel import NATIVE

ROOT = Path(__file__).resolve().parents[3]
needs_compiler = pytest.mark.skipif(not compiler(), reason="THE EXTENSION WAS NOT BUILT: there is no C++ compiler")
# Hashes the files that it is given, from memory and from disk, by every engine on one thread and on four.
MAIN = """
#include <stdio.h>
#include <string.h>
#include <vector>
#include "batch.h"
#include "engines.h"
int main(int count, char** paths) {
  std::vector<std::vector<u8>> contents;
  for (int i = 1; i < count; ++i) {
    contents.emplace_back();
    FILE* file = fopen(paths[i], "rb");
    for (int byte; (byte = fgetc(file)) != EOF;) contents.back().push_back((u8)byte);
    fclose(file);
    contents.back().shrink_to_fit();
  }
  std::vector<Plan> plans = {{SCALAR, false, false, 1}, {SCALAR, false, false, 4}};
  if (has_sha_ni()) plans.push_back({SHA_NI, false, false, 1}), plans.push_back({SHA_NI, false, false, 4});
  if (has_lanes()) plans.push_back({SCALAR, true, false, 4});
  if (has_lanes() && has_sha_ni()) plans.push_back({SHA_NI, true, false, 1}), plans.push_back({SHA_NI, true, false, 4});
  std::vector<u8> first;
  for (const Plan& plan : plans) {
    std::vector<Document> all(2 * contents.size());
    for (size_t i = 0; i < contents.size(); ++i) {
      all[2 * i].data = contents[i].empty() ? (const u8*)"" : contents[i].data();
      all[2 * i].size = contents[i].size();
      all[2 * i + 1].path = paths[i + 1];
    }
    hash_documents(all.data(), all.size(), plan);
    std::vector<u8> digests;
    for (const Document& document : all) {
      if (document.error) return 2;
      digests.insert(digests.end(), document.digest, document.digest + 32);
    }
    if (first.empty()) first = digests;
    if (digests != first) return 3;
  }
  fwrite(first.data(), 1, first.size(), stdout);
}
"""


def build(folder: Path, *command: str, **environment: str) -> None:
    """Run setup.py on a copy of what git knows, so that nothing of this checkout's own build is seen or touched."""
    archive = subprocess.run(["git", "archive", "HEAD"], cwd=ROOT, capture_output=True, check=True).stdout
    subprocess.run(["tar", "x"], cwd=folder, input=archive, check=True)
    ran = [sys.executable, "setup.py", "-q", *command]
    subprocess.run(ran, cwd=folder, check=True, capture_output=True, env=os.environ | environment)


def test_without_a_compiler_the_package_is_built_without_the_extension_and_hashes_the_same(tmp_path: Path) -> None:
    build(tmp_path, "build", CC="no-such-compiler", CXX="no-such-compiler")
    (library,) = (tmp_path / "build").glob("lib*")
    script = (
        "from ledger_node.hashing import cpu\n"
        "print(cpu.__file__, cpu.best_cpu().name, bool(cpu.native_available()), cpu.native_engines())\n"
        "print(cpu.best_cpu().hash_batch([b'abc', b'abc'])[0].digest.hex())\n"
    )
    environment = os.environ | {"PYTHONPATH": str(library)}
    ran = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, env=environment, cwd=library
    )
    assert ran.stdout.split() == [
        str(library / "ledger_node" / "hashing" / "cpu.py"),
        *("hashlib", "True", "[]"),
        hashlib.sha256(b"abc").hexdigest(),
    ]


@needs_compiler
def test_the_package_has_the_extension_and_what_the_kernel_is_compiled_from(tmp_path: Path) -> None:
    build(tmp_path, "build", "sdist")
    (library,) = (tmp_path / "build").glob("lib*")
    room = library / "ledger_node" / "hashing"
    parts = ("_native.abi3.so", "_native.pyi", "native/sha256_lanes.cu", "native/sha256_core.h")
    assert [part for part in parts if not (room / part).is_file()] == []
    (sdist,) = (tmp_path / "dist").glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        packed = {Path(name).name for name in archive.getnames() if "/hashing/native/" in name}
    assert packed == {path.name for path in NATIVE.iterdir()}


@pytest.mark.long
@needs_compiler
@pytest.mark.parametrize("sanitizers", ["address,undefined", "thread"])
def test_the_extension_does_nothing_undefined_over_every_length(tmp_path: Path, sanitizers: str) -> None:
    contents = documents([*range(301), *BORDERS])
    paths = []
    for index, content in enumerate(contents):
        paths.append(tmp_path / f"{index}.bin")
        paths[-1].write_bytes(content)
    (tmp_path / "main.cpp").write_text(MAIN)
    sources = [str(NATIVE / f"{name}.cpp") for name in ("documents", "streams", "lanes", "batch", "pack")]
    flags = ["-O2", "-g", "-std=c++17", f"-fsanitize={sanitizers}", "-fno-sanitize-recover=all", "-Wno-psabi"]
    program = str(tmp_path / "core")
    subprocess.run(
        [compiler(), *flags, f"-I{NATIVE}", str(tmp_path / "main.cpp"), *sources, "-pthread", "-o", program], check=True
    )
    ran = subprocess.run([program, *map(str, paths)], capture_output=True, check=False)
    assert ran.returncode == 0, ran.stderr.decode()
    digests = struct.unpack(f"{2 * len(contents) * '32s'}", ran.stdout)
    assert list(digests) == [hashlib.sha256(content).digest() for content in contents for _ in range(2)]
