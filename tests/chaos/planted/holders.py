"""Two who hold one unit server."""

from msgspec.structs import replace

from tests.chaos.history import (
    Beat,
    Granted,
    Lost,
    Reported,
)
from tests.chaos.planted.doctoring import one_of
from tests.chaos.valid_histories import LEASE_S, SERVER, Story


def holding(story: Story) -> Granted:
    """The last holder, who believes in itself: it has just had word."""
    assert story.holder is not None
    holder = story.holder
    story.records.append(
        Beat(
            client=holder.client, unit_server=SERVER, session=holder.session, at=story.later(),
            lease_s=LEASE_S,
        )
    )  # fmt: skip
    return holder


def let_two_hold(story: Story) -> None:
    holder = holding(story)
    story.records.append(
        Granted(
            client="rival", unit_server=SERVER, session="rival", fence=holder.fence + 1_000,
            began=story.later(), ended=story.later(), lease_s=LEASE_S,
        )
    )  # fmt: skip


def let_a_fence_go_back(story: Story) -> None:
    holder = holding(story)
    story.records.append(
        Granted(
            client="rival", unit_server=SERVER, session="rival", fence=holder.fence - 1,
            began=story.later(), ended=story.later(), lease_s=LEASE_S, took_over=True,
        )
    )  # fmt: skip


def give_a_fence_twice(story: Story) -> None:
    holder = holding(story)
    story.records.append(replace(holder, client="rival", session="rival", took_over=True))


def take_word_of_an_old_holder(story: Story) -> None:
    old = one_of(story, Granted, lambda each: each is not story.holder)
    story.records.append(
        Reported(
            client=old.client, unit_server=SERVER, session=old.session, sequence=10_000,
            began=story.later(), ended=story.later(),
        )
    )  # fmt: skip


def write_under_an_old_fence(story: Story) -> None:
    old = one_of(story, Granted, lambda each: each is not story.holder)
    content = f'{{"session": "{old.session}"}}'
    story.change("KIND_CONTROL_UNIT_STATUS", {"control_unit_statuses/LAB/1": content})


def say_that_the_past_is_gone(story: Story) -> None:
    holder = holding(story)
    story.records.append(
        Lost(
            client=holder.client, unit_server=SERVER, session=holder.session, at=story.later(),
            reason="HISTORY_RESET",
        )
    )  # fmt: skip
