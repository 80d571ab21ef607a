"""Completion in fish: as click has it, save that commas may stand in what is said of a word, and
that nothing is said where something is wrong."""

from click.shell_completion import FishComplete

_SCRIPT = """\
function %(complete_func)s
    set -l words (commandline -cp)
    set -l word (commandline -ct)
    for answer in (env COMP_WORDS=$words COMP_CWORD=$word %(complete_var)s=fish_complete \
%(prog_name)s 2>/dev/null)
        set -l parts (string split -m 1 "," -- $answer)
        switch $parts[1]
            case dir
                __fish_complete_directories $parts[2]
            case file
                __fish_complete_path $parts[2]
            case plain
                echo $parts[2]
        end
    end
end
complete --no-files --keep-order --command %(prog_name)s --arguments "(%(complete_func)s)"
"""


class Fish(FishComplete):
    source_template = _SCRIPT
