"""Everything is in setup.cfg but the optional extension: without a compiler hashing is slower, its answers the same."""

from pathlib import Path

from setuptools import Extension, setup

NATIVE = Path("ledger_node/hashing/native")

setup(
    ext_modules=[
        Extension(
            "ledger_node.hashing._native",
            sources=sorted(map(str, NATIVE.glob("*.cpp"))),
            depends=sorted(map(str, NATIVE.glob("*.h"))),
            # The stable ABI of Python 3.11: one build serves every later version.
            define_macros=[("Py_LIMITED_API", "0x030B0000")],
            py_limited_api=True,
            # They come after the interpreter's own flags and win: the figures were measured with -O2.
            extra_compile_args=["-O2", "-std=c++17", "-pthread", "-fvisibility=hidden", "-Wno-psabi"],
            extra_link_args=["-pthread"],
            language="c++",
            optional=True,
        )
    ]
)
