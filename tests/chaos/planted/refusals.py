"""Refusals of what was right, and of what nobody could know to be wrong."""

from msgspec.structs import replace

from tests.chaos.history import Bundle, Ordered, Outcome, Read, Write
from tests.chaos.planted.doctoring import is_ok, one_of, put
from tests.chaos.valid_histories import RESOURCES, Story, refuse

MISSING, EXISTS, MISMATCH = "VARIABLE_NOT_FOUND", "ALREADY_EXISTS", "ETAG_MISMATCH"


def is_update(write: Write) -> bool:
    return is_ok(write) and write.etag_asked != "*"


def refuse_call(story: Story, call: Read | Write, reason: str) -> None:
    put(story, call, replace(call, outcome=Outcome.REFUSED, revision=0, etag="", reason=reason))


def miss_what_is_read(story: Story) -> None:
    refuse_call(story, one_of(story, Read, is_ok), MISSING)


def miss_what_is_written(story: Story) -> None:
    refuse_call(story, one_of(story, Write, is_update), MISSING)


def refuse_the_right_etag(story: Story) -> None:
    """A write that is lost has not been overtaken by anybody."""
    versions = {each.request_id for each in story.versions}
    lost = one_of(
        story, Write,
        lambda each: each.outcome is Outcome.UNKNOWN and each.request_id not in versions,
    )  # fmt: skip
    refuse_call(story, lost, MISMATCH)


def refuse_the_last_etag(story: Story) -> None:
    resource = story.rng.choice(RESOURCES)
    etag = story.current[resource].etag
    refuse(story, resource, MISMATCH, etag=etag, began=story.later())


def refuse_the_next_etag(story: Story) -> None:
    """It was right from before the call on, and was overtaken only after the answer."""
    write = one_of(story, Write, is_update)
    at = write.began - 1e-5
    early = replace(write, request_id="early", value="early", began=at - 1e-5, ended=at)
    put(story, write, early, write)
    refuse_call(story, early, MISMATCH)


def refuse_any_etag(story: Story) -> None:
    refuse(story, story.rng.choice(RESOURCES), MISMATCH, began=story.later())


def find_what_is_not_there(story: Story) -> None:
    """Long before anybody has created it."""
    story.now = 1.0
    refuse(story, story.rng.choice(RESOURCES), EXISTS, began=story.later())


def refuse_a_bundle(story: Story) -> None:
    bundle = one_of(story, Bundle)
    put(story, bundle, replace(bundle, outcome=Outcome.REFUSED, reason="INVALID_FIELD"))


def refuse_an_order(story: Story) -> None:
    order = one_of(story, Ordered)
    put(story, order, replace(order, outcome=Outcome.REFUSED, reason="UNITS_BLOCKED"))


def refuse_a_right_call(story: Story) -> None:
    refuse_call(story, one_of(story, Write, is_ok), "PERMISSION_DENIED")
