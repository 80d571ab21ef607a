"""Which release this is."""

from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as version_of

DISTRIBUTION = "control-system-metadata-server"


def version() -> str:
    """The version that is installed; `unknown` when it runs without being installed."""
    try:
        return version_of(DISTRIBUTION)
    except PackageNotFoundError:
        return "unknown"
