"""Random change sets: each goes back to what was there, and forth again."""

from collections.abc import Sequence

from hypothesis import given, settings

from metadata_server.domain.intent.bundle import WRITING
from metadata_server.domain.resource import Resource
from metadata_server.services.intent.plans import Applying
from metadata_server.services.past.going_back import WentBack, carry_back
from metadata_server.services.past.undo import undoing
from metadata_server.store.kinds import LAYOUTS
from metadata_server.store.store import Store
from tests.services.model import Bundle
from tests.services.test_bundles_by_model import (
    CALLER,
    EVERYTHING,
    STORIES,
    apply,
    mariadb_store,
    sqlite_store,
)

__all__ = ["mariadb_store", "sqlite_store"]


def undo(store: Store, revision: int) -> WentBack:
    return store.transact_now(
        lambda unit: carry_back(
            unit,
            lambda: undoing(unit, revision, skip_invalid=False),
            skip_invalid=False,
            validate_only=False,
        ),
        caller=CALLER,
    ).value


def there(store: Store) -> dict[int, Resource]:
    """Everything by its key."""
    return store.read_now(
        lambda unit: {
            each.meta.key: each
            for layout in LAYOUTS.values()
            for each in unit.resources.where(layout.type)
        }
    ).value


def go_back_and_forth(store: Store, bundles: Sequence[Bundle]) -> None:
    """Each bundle is applied, taken back, done again; at last all are taken back in a row."""
    apply(store, (), EVERYTHING)
    done: list[tuple[int, dict[int, Resource]]] = []
    for bundle in bundles:
        before = there(store)
        how = Applying(
            on_conflict=bundle.on_conflict, skip_invalid=bundle.skip_invalid, prune=bundle.prune
        )
        applied = apply(store, bundle.entries, how)
        if not any(each.action in WRITING for each in applied.value.decisions):
            continue
        if not applied.value.summary.applied:
            continue
        after = there(store)
        back = undo(store, applied.position.revision)
        assert there(store) == before
        again = undo(store, back.position.revision)
        assert there(store) == after
        done.append((again.position.revision, before))
    for revision, before in reversed(done):
        undo(store, revision)
        assert there(store) == before


@settings(max_examples=14, deadline=None)
@given(STORIES)
def test_any_change_set_goes_back(sqlite_store: Store, bundles: list[Bundle]) -> None:
    go_back_and_forth(sqlite_store, bundles)


@settings(max_examples=7, deadline=None)
@given(STORIES)
def test_any_change_set_goes_back_on_mariadb(mariadb_store: Store, bundles: list[Bundle]) -> None:
    go_back_and_forth(mariadb_store, bundles)
