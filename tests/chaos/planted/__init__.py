"""Faults planted in histories that are right: each breaks one guarantee at least."""

from collections.abc import Callable, Mapping

from tests.chaos.checker import acknowledged, linearizable
from tests.chaos.checker import holders as one_holder
from tests.chaos.checker import mistakes as without_mistakes
from tests.chaos.checker import operations as as_planned
from tests.chaos.checker import refusals as told_right
from tests.chaos.checker import revisions as gapless
from tests.chaos.checker import watches as watched
from tests.chaos.planted import (
    holders,
    mistakes,
    operations,
    order,
    refusals,
    revisions,
    watches,
    writes,
)
from tests.chaos.valid_histories import Story

Fault = Callable[[Story], None]

FAULTS: Mapping[str, tuple[Fault, ...]] = {
    acknowledged.NAME: (
        writes.lose_an_acknowledged_write,
        writes.keep_a_refused_write,
        writes.write_twice,
        writes.keep_another_value,
        writes.keep_at_another_revision,
        writes.write_unasked,
        writes.end_with_another_value,
        writes.end_without_a_resource,
        writes.lose_a_bundle,
        writes.apply_half_a_bundle,
        writes.apply_a_refused_bundle,
        writes.apply_a_bundle_twice,
    ),
    linearizable.NAME: (
        order.read_what_is_stale,
        order.read_ahead_of_time,
        order.read_what_never_was,
        order.read_another_value,
        order.lose_an_update,
        order.write_into_the_past,
        order.answer_another_etag,
    ),
    told_right.NAME: (
        refusals.miss_what_is_read,
        refusals.miss_what_is_written,
        refusals.refuse_the_right_etag,
        refusals.refuse_the_last_etag,
        refusals.refuse_the_next_etag,
        refusals.refuse_any_etag,
        refusals.find_what_is_not_there,
        refusals.refuse_a_bundle,
        refusals.refuse_an_order,
        refusals.refuse_a_right_call,
    ),
    without_mistakes.NAME: (
        mistakes.answer_with_a_fault,
        mistakes.close_with_a_fault,
    ),
    gapless.NAME: (
        revisions.leave_a_gap,
        revisions.give_a_revision_twice,
        revisions.answer_a_revision_twice,
        revisions.do_a_call_twice,
        revisions.tell_a_change_twice,
        revisions.keep_no_history_of_a_change,
    ),
    watched.NAME: (
        watches.miss_an_event,
        watches.tell_an_event_twice,
        watches.tell_an_event_again_after_resuming,
        watches.swap_events,
        watches.tell_the_future,
        watches.lead_beyond_the_end,
        watches.go_back,
        watches.resume_too_late,
        watches.never_arrive,
        watches.split_a_revision,
        watches.say_that_the_past_is_gone,
        watches.close_what_goes_on,
    ),
    one_holder.NAME: (
        holders.let_two_hold,
        holders.let_a_fence_go_back,
        holders.give_a_fence_twice,
        holders.take_word_of_an_old_holder,
        holders.write_under_an_old_fence,
        holders.say_that_the_past_is_gone,
    ),
    as_planned.NAME: (
        operations.begin_a_step_twice,
        operations.skip_a_step,
        operations.add_a_step,
        operations.plan_a_unit_twice,
        operations.leave_a_step_under_way,
        operations.fail_without_saying_so,
        operations.fail_without_a_reason,
        operations.fail_without_a_fault,
        operations.leave_out_a_unit,
        operations.blame_another_step,
        operations.give_up_too_early,
        operations.take_a_unit_over,
        operations.never_end,
        operations.begin_a_level_too_early,
        operations.forget_an_order,
        operations.carry_out_a_refused_order,
        operations.do_it_twice,
    ),
}
