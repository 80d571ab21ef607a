"""Completion in bash, where ids have the colons at which bash begins a new word."""

import os

from click.shell_completion import BashComplete, add_completion_class, split_arg_string

_SCRIPT = """\
%(complete_func)s() {
    local typed="${COMP_LINE:0:COMP_POINT}" word before="" line
    word="${typed##*[[:space:]]}"
    if [[ $word == *:* && $COMP_WORDBREAKS == *:* ]]; then
        before="${word%%"${word##*:}"}"
    fi
    COMPREPLY=()
    while IFS= read -r line; do
        case "${line%%%%,*}" in
            dir) compopt -o dirnames 2>/dev/null ;;
            file) compopt -o default 2>/dev/null ;;
            *)
                line="${line#*,}"
                COMPREPLY+=("${line#"$before"}")
                if [[ $line == */ ]]; then compopt -o nospace 2>/dev/null; fi
                ;;
        esac
    done < <(COMP_LINE="$typed" %(complete_var)s=bash_complete %(prog_name)s 2>/dev/null)
}
complete -o nosort -F %(complete_func)s %(prog_name)s
"""


class Bash(BashComplete):
    """Reads the line as it was typed rather than bash's words of it."""

    name = "bash"
    source_template = _SCRIPT

    def get_completion_args(self) -> tuple[list[str], str]:
        line = os.environ.get("COMP_LINE", "")
        words = split_arg_string(line)[1:]
        is_begun = bool(words) and not line[-1:].isspace()
        return (words[:-1], words[-1]) if is_begun else (words, "")


def register() -> None:
    add_completion_class(Bash)
