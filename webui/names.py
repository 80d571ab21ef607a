"""Resource names, the ids in them, and the pages that show them."""

from urllib.parse import quote


def id_of(name: str) -> str:
    """The id in a resource name: `control_units/A/B` has the id `A/B`."""
    return name.partition("/")[2]


def page_of(name: str) -> str:
    """Path of the page about a resource: its name; an id's colon is written `%3A`."""
    return "/" + quote(name, safe="/")


def local_page(path: str) -> str:
    """A path of this site that a form names to lead back to; the overview for anything else."""
    is_local = path.startswith("/") and not path.startswith(("//", "/\\"))
    return path.partition("?")[0] if is_local else "/"
