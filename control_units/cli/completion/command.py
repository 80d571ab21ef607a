"""`mds completion`: the script that has a shell complete commands and ids."""

import click

HOW = {
    "bash": 'eval "$(mds completion bash)"    # in ~/.bashrc',
    "zsh": 'eval "$(mds completion zsh)"     # in ~/.zshrc, after compinit',
    "fish": "mds completion fish | source    # in ~/.config/fish/config.fish",
}


@click.command(short_help="Print the script that completes commands and ids in a shell.")
@click.argument("shell", type=click.Choice(tuple(HOW)))
def completion(shell: str) -> None:
    """Print the script that has SHELL complete commands, options, kinds and, where a server
    answers within a second, ids.

    \b
      eval "$(mds completion bash)"    # in ~/.bashrc
      eval "$(mds completion zsh)"     # in ~/.zshrc, after compinit
      mds completion fish | source     # in ~/.config/fish/config.fish

    Exit codes: 0 printed, 2 wrong use.
    """
    from control_units.cli import main
    from control_units.cli.completion.bash import Bash
    from control_units.cli.completion.fish import Fish
    from control_units.cli.completion.zsh import Zsh

    made = {"bash": Bash, "zsh": Zsh, "fish": Fish}[shell]
    # Not by source(): of bash it starts one to ask it for its version.
    told = made(main, {}, "mds", "_MDS_COMPLETE")
    click.echo(told.source_template % told.source_vars())
