"""Completion in zsh: as click has it, save that a part of an id gets no space, and that nothing is
said where something is wrong."""

from click.shell_completion import ZshComplete

_SCRIPT = """\
#compdef %(prog_name)s
%(complete_func)s() {
    local -a answer plain parts described
    local kind word told
    (( $+commands[%(prog_name)s] )) || return 1
    answer=("${(@f)$(COMP_WORDS="${words[*]}" COMP_CWORD=$((CURRENT-1)) \
%(complete_var)s=zsh_complete %(prog_name)s 2>/dev/null)}")
    for kind word told in $answer; do
        case $kind in
            dir) _path_files -/ ;;
            file) _path_files -f ;;
            plain)
                if [[ $told != _ ]]; then
                    described+=("$word:$told")
                elif [[ $word == */ ]]; then
                    parts+=("$word")
                else
                    plain+=("$word")
                fi
                ;;
        esac
    done
    (( $#described )) && _describe -V unsorted described -U
    (( $#plain )) && compadd -U -V unsorted -a plain
    (( $#parts )) && compadd -U -S '' -V unsorted -a parts
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    %(complete_func)s "$@"  # a file in fpath
else
    compdef %(complete_func)s %(prog_name)s
fi
"""


class Zsh(ZshComplete):
    source_template = _SCRIPT
