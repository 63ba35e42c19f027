"""Everything is in setup.cfg but the optional extension: without a compiler hashing is slower and its answers the same."""

from glob import glob

from setuptools import Extension, setup

NATIVE = "ledger_node/hashing/native"

setup(
    ext_modules=[
        Extension(
            "ledger_node.hashing._native",
            sources=sorted(glob(f"{NATIVE}/*.cpp")),
            depends=sorted(glob(f"{NATIVE}/*.h")),
            # The stable ABI of Python 3.11: one build serves every later version.
            define_macros=[("Py_LIMITED_API", "0x030B0000")],
            py_limited_api=True,
            # After the interpreter's own flags: -O3 would undo the order of operations that the lanes were measured with.
            extra_compile_args=["-O2", "-std=c++17", "-pthread", "-fvisibility=hidden", "-Wno-psabi"],
            extra_link_args=["-pthread"],
            language="c++",
            optional=True,
        )
    ]
)
