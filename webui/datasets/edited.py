"""A kind of resources that is edited by a form: how it becomes texts, and texts become it."""

from collections.abc import Mapping, Sequence
from typing import Protocol, TypeVar

from webui.datasets.form import Declared, Form
from webui.datasets.problem import Problem

R = TypeVar("R", bound=Declared)


class Edited(Protocol[R]):
    """What the handlers of a form need to know of its kind.

    Attributes:
        collection: `control_units`.
        template: of its form.
        update: the call that changes it; who may not make it sees no form.
    """

    collection: str
    template: str
    update: str

    @property
    def title(self) -> str:
        """What its pages are about: *Edit control unit*."""
        ...

    @property
    def new_title(self) -> str:
        """Likewise, of one that is not there yet."""
        ...

    def is_field(self, path: str) -> bool:
        """Whether a form may change it."""
        ...

    def words_of(self, path: str) -> str:
        """A path as people call it."""
        ...

    def fields_of(self, resource: R) -> dict[str, str]:
        """All fields that are set."""
        ...

    def changed(self, base: R, form: Form, changed: Mapping[str, str]) -> tuple[R, Sequence[str]]:
        """With some fields as they were typed, and the mask that names them.

        Raises:
            Misread: a field cannot be what was typed.
        """
        ...

    def problem_of(self, field: str, description: str, sent: R, /) -> Problem:
        """A violation as the form has it."""
        ...

    def fresh(self, like: R | None) -> R:
        """One that is not there yet: as another one is declared, or nothing said of it."""
        ...

    async def read(self, id: str, as_of: str = "") -> R:
        """As it is, or was."""
        ...

    async def write(self, resource: R, mask: Sequence[str], form: Form) -> R:
        """Sends it."""
        ...

    async def create(self, resource: R, form: Form) -> R:
        """Sends one that is not there yet."""
        ...

    async def surroundings(self, resource: R, form: Form, /) -> dict[str, object]:
        """What the form shows besides the fields."""
        ...
