"""Everything is in setup.cfg; this file stays for the optional native extension."""

from setuptools import setup

setup()
