"""What `mds --help` tells: commands by what people want, without loading any of them."""

from collections.abc import Mapping

GROUPS: Mapping[str, Mapping[str, str]] = {
    "Look": {
        "list": "List what there is of a kind, and how it is.",
        "show": "Show a resource as it is declared, and its status.",
        "top": "Watch the whole facility, live.",
        "values": "What the inputs of control units are set to now.",
        "lives": "Show the lives of a control unit.",
        "explain": "Tell what a kind or a field is, or why a unit has its values.",
        "audit": "Look for what is odd.",
    },
    "Operate": {
        "start": "Start control units, through all steps needed.",
        "stop": "Stop control units.",
        "recover": "Recover control units.",
        "init": "Initialise control units.",
        "deinit": "Deinitialise control units.",
        "load": "Load control units.",
        "unload": "Unload control units.",
        "operation": "Follow, pause, abort and retry orders to units.",
        "campaign": "Follow an aim that takes many operations.",
        "snapshot": "Set-points saved under names: take, mark, compare, restore.",
        "maintenance": "Tell that control units are worked on.",
        "mode": "Say what machines are being used for.",
        "guard": "Forbid changes while a machine is in some modes.",
    },
    "Change": {
        "edit": "Change fields of many control units.",
        "apply": "Make the facility what files say.",
        "delete": "Delete resources, after it has said what depends on them.",
        "rename": "Give a control unit another id.",
        "copy": "Declare a control unit as another one is.",
        "template": "Versions of templates, from draft to the units on them.",
        "unit-list": "Keep control units under a name.",
        "undo": "Take back what a change set did.",
        "revert": "Make a resource what it was at a moment.",
    },
    "History": {
        "history": "Show how a resource was changed, by whom and why.",
        "changes": "List change sets, newest first.",
        "diff": "Show what differs between two moments.",
    },
    "Facility": {
        "import": "Take a facility in from a file, all of it or nothing.",
        "export": "Write the facility, or a part of it, as a file.",
        "run": "Run a facility on this machine: server, page, and simulated control units.",
        "simulate": "Host all control units of UNIT_SERVER with simulated devices.",
        "adopt": "Declare a unit server that has knocked.",
        "unit-server": "Launch, end and look into unit servers.",
        "agent": "Launch the unit servers of a host, and see how they are.",
        "webhook": "Tell other programs what changes.",
        "token": "Decide who may call, and what they may do.",
        "whoami": "Say who you are to the server, and what you may do.",
    },
    "Server": {
        "serve": "Run one metadata server.",
        "migrate": "Bring the database's schema up to this release.",
        "backup": "Write everything that the database holds to FILE; -: to standard output.",
        "restore": "Load the backup FILE into an empty database; -: from standard input.",
        "admin-token": "Create an admin's token for NAME in the database itself, and tell it this once.",
        "config": "Show all settings of the server, where each comes from, and no secret.",
        "web": "Serve the overview page.",
        "discover": "Show which metadata servers there are.",
    },
    "This program": {
        "completion": "Print the script that completes commands and ids in a shell.",
    },
}
"""Commands by what people want, with what each does."""

EXIT_CODES: Mapping[int, str] = {
    0: "done",
    1: "refused, or problems found: the message says which and what to do next",
    2: "wrong use: an option, an argument or a file that is not there",
    3: "no server answers in time",
    4: "with --dry-run --detailed-exit-code only: there is something to do",
    130: "ended by Ctrl-C",
}
"""What the status of a command that has ended means; the same for all commands. An operation that
is followed and ends in ERROR or ABORTED, or not within its time, counts as problems found."""


def known_commands() -> Mapping[str, str]:
    """What each command does."""
    return {name: told for group in GROUPS.values() for name, told in group.items()}
