"""Setuptools' build, with what the web page takes from npm fetched and its texts compiled before.

In a wheel, in a source archive and in an installation for development the files are there; who
installs a wheel needs no Node, and who builds without one gets it from PyPI for that time.
"""

import catalogues
import web_assets
from setuptools import build_meta

# Hooks that stay setuptools' own.
from setuptools.build_meta import (
    prepare_metadata_for_build_editable,
    prepare_metadata_for_build_wheel,
)

__all__ = [
    "build_editable",
    "build_sdist",
    "build_wheel",
    "get_requires_for_build_editable",
    "get_requires_for_build_sdist",
    "get_requires_for_build_wheel",
    "prepare_metadata_for_build_editable",
    "prepare_metadata_for_build_wheel",
]

# What a front end may say to a build, as setuptools takes it.
Settings = dict[str, str | list[str] | None] | None


def get_requires_for_build_wheel(config_settings: Settings = None) -> list[str]:
    return [*build_meta.get_requires_for_build_wheel(config_settings), *_node()]


def get_requires_for_build_editable(config_settings: Settings = None) -> list[str]:
    return [*build_meta.get_requires_for_build_editable(config_settings), *_node()]


def get_requires_for_build_sdist(config_settings: Settings = None) -> list[str]:
    return [*build_meta.get_requires_for_build_sdist(config_settings), *_node()]


def build_wheel(
    wheel_directory: str,
    config_settings: Settings = None,
    metadata_directory: str | None = None,
) -> str:
    _prepare()
    return str(build_meta.build_wheel(wheel_directory, config_settings, metadata_directory))


def build_editable(
    wheel_directory: str,
    config_settings: Settings = None,
    metadata_directory: str | None = None,
) -> str:
    _prepare()
    return str(build_meta.build_editable(wheel_directory, config_settings, metadata_directory))


def build_sdist(sdist_directory: str, config_settings: Settings = None) -> str:
    _prepare()
    return str(build_meta.build_sdist(sdist_directory, config_settings))


def _prepare() -> None:
    web_assets.fetch()
    catalogues.compile_all()


def _node() -> list[str]:
    return [] if web_assets.is_current() or web_assets.has_node() else [web_assets.NODE_FROM_PYPI]
