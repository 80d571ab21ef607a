"""Writes that are lost, kept although refused, or done twice."""

from msgspec.structs import replace

from tests.chaos.final_state import Version
from tests.chaos.history import (
    Bundle,
    Outcome,
    Write,
)
from tests.chaos.planted.doctoring import is_ok, is_refused, one_of, pick, put
from tests.chaos.valid_histories import UNITS, Story


def lose_an_acknowledged_write(story: Story) -> None:
    write = one_of(story, Write, is_ok)
    story.versions = [each for each in story.versions if each.request_id != write.request_id]


def keep_a_refused_write(story: Story) -> None:
    write = one_of(story, Write, is_refused)
    story.versions.append(
        Version(story.revision, write.resource, "UPDATED", write.request_id, write.value)
    )


def write_twice(story: Story) -> None:
    version = pick(story, story.versions)
    story.versions.append(replace(version, revision=story.revision))


def keep_another_value(story: Story) -> None:
    version = pick(story, [each for each in story.versions if each.value is not None])
    story.versions[story.versions.index(version)] = replace(version, value="another")


def keep_at_another_revision(story: Story) -> None:
    write = one_of(story, Write, is_ok)
    put(story, write, replace(write, revision=write.revision + 1))


def write_unasked(story: Story) -> None:
    version = pick(story, story.versions)
    story.versions[story.versions.index(version)] = replace(version, request_id="nobody's")


def end_with_another_value(story: Story) -> None:
    name = story.versions[-1].name
    story.current[name] = replace(story.current[name], value="another", revision=0)


def end_without_a_resource(story: Story) -> None:
    del story.current[story.versions[-1].name]


def lose_a_bundle(story: Story) -> None:
    bundle = one_of(story, Bundle, is_ok)
    story.change_sets = [each for each in story.change_sets if each.request_id != bundle.request_id]


def apply_half_a_bundle(story: Story) -> None:
    bundle = one_of(story, Bundle, is_ok)
    story.told = [
        each for each in story.told if (each.revision, each.name) != (bundle.revision, UNITS[0])
    ]


def apply_a_refused_bundle(story: Story) -> None:
    done = {each.request_id for each in story.change_sets}
    bundle = one_of(story, Bundle, lambda each: each.request_id in done)
    put(story, bundle, replace(bundle, outcome=Outcome.REFUSED, revision=0))


def apply_a_bundle_twice(story: Story) -> None:
    """One whose caller got no answer, and sent it again."""
    done = {each.request_id for each in story.change_sets}
    bundle = one_of(
        story, Bundle, lambda each: each.outcome is Outcome.UNKNOWN and each.request_id in done
    )
    story.change("KIND_CONTROL_UNIT", dict.fromkeys(bundle.values, ""), bundle.request_id)
