"""The build backend: setuptools, with the web page built first when it is missing or stale.

Node comes from PyPI and only then: a released sdist or wheel carries the page and needs neither
Node nor a registry. An editable install does not see later edits of web/; make looks for itself.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping

import ossicle_node
import ossicle_page
from setuptools import build_meta

# Hooks that need no page are setuptools' own.
prepare_metadata_for_build_wheel = build_meta.prepare_metadata_for_build_wheel
prepare_metadata_for_build_editable = build_meta.prepare_metadata_for_build_editable

Settings = Mapping[str, "str | list[str] | None"] | None


def _requires(base: list[str]) -> list[str]:
    return [*base, ossicle_node.REQUIREMENT] if ossicle_page.stale() else base


def get_requires_for_build_wheel(config_settings: Settings = None) -> list[str]:
    return _requires(build_meta.get_requires_for_build_wheel(config_settings))


def get_requires_for_build_sdist(config_settings: Settings = None) -> list[str]:
    return _requires(build_meta.get_requires_for_build_sdist(config_settings))


def get_requires_for_build_editable(config_settings: Settings = None) -> list[str]:
    return _requires(build_meta.get_requires_for_build_editable(config_settings))


def build_wheel(
    wheel_directory: str,
    config_settings: Settings = None,
    metadata_directory: str | None = None,
) -> str:
    ossicle_page.build()
    # setuptools copies into build/lib and packs all it finds there, an older page's files too.
    shutil.rmtree(ossicle_page.ROOT / "build" / "lib", ignore_errors=True)
    return build_meta.build_wheel(wheel_directory, config_settings, metadata_directory)


def build_sdist(sdist_directory: str, config_settings: Settings = None) -> str:
    ossicle_page.build()
    return build_meta.build_sdist(sdist_directory, config_settings)


def build_editable(
    wheel_directory: str,
    config_settings: Settings = None,
    metadata_directory: str | None = None,
) -> str:
    ossicle_page.build()
    return build_meta.build_editable(wheel_directory, config_settings, metadata_directory)
