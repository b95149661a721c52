"""Which folders are installed: ossicle/, and those with code below flow/, components/, runtime/.

Everything else stands in pyproject.toml, which has no way to say this but a list by hand.
"""

from pathlib import Path

from setuptools import setup

found = (p for layer in ("flow", "components", "runtime") for p in Path(layer).rglob("__init__.py"))
setup(packages=["ossicle", *sorted(".".join(("ossicle", *p.parent.parts)) for p in found)])
