"""What units of a plan had last said that nobody is in touch with: a plan knows no state of them."""

from collections.abc import Mapping
from datetime import UTC, datetime

from mds.v1.control_unit_pb2 import ControlUnitStatus, ListControlUnitStatusesRequest
from mds.v1.operation_plan_pb2 import OperationPlan
from mds.v1.state_pb2 import CONTACT_LOST, CONTACT_NONE, STATE_UNSPECIFIED
from mds.v1.unit_server_pb2 import ListUnitServerStatusesRequest, UnitServerStatus

from control_units.client import Client
from webui import vocabulary
from webui.clock import moment
from webui.lists.reading import LARGEST_PAGE, Call
from webui.translation import _

NEVER_REGISTERED = UnitServerStatus()


async def last_words(client: Client, plan: OperationPlan) -> Mapping[str, str]:
    """In words, by the unit's name; of very many units, of the first.

    Raises:
        ClientError: what the server says, or that none answers.
    """
    names = [step.control_unit for step in plan.steps if step.state == STATE_UNSPECIFIED]
    if not names:
        return {}
    said = Call(
        client.control_units.ListControlUnitStatuses,
        ListControlUnitStatusesRequest,
        "control_unit_statuses",
    )
    statuses = await said.of(names[:LARGEST_PAGE], "control_unit")
    servers = {each.unit_server for each in statuses.values()} - {""}
    sessions = Call(
        client.unit_servers.ListUnitServerStatuses,
        ListUnitServerStatusesRequest,
        "unit_server_statuses",
    )
    known = await sessions.of(sorted(servers)[:LARGEST_PAGE], "unit_server") if servers else {}
    now = datetime.now(UTC)
    return {
        name: words_of(each, known.get(each.unit_server, NEVER_REGISTERED), now)
        for name, each in statuses.items()
    }


def words_of(status: ControlUnitStatus, session: UnitServerStatus, now: datetime) -> str:
    """`lost since 07:41:03, was Running`."""
    state = vocabulary.state(status.state).word
    if status.state == STATE_UNSPECIFIED:
        return state
    has_ended = session.HasField("end_time") and status.contact in (CONTACT_LOST, CONTACT_NONE)
    told = {
        "state": state,
        "time": moment(session.end_time, today=now).text if has_ended else "",
        "contact": vocabulary.contact(status.contact).word,
    }
    if not has_ended:
        return _("contact: %(contact)s, was %(state)s") % told
    if status.contact == CONTACT_LOST:
        return _("lost since %(time)s, was %(state)s") % told
    return _("without a process since %(time)s, was %(state)s") % told
