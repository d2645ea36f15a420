"""rigger completion"""

from rigger.cli.app import App, command
from rigger.cli.completion_scripts import SCRIPTS
from rigger.cli.declared import argument
from rigger.errors import BadUsage


@command("completion")
@argument("shell", metavar="bash|zsh|fish")
def completion(app: App, shell: str) -> None:
    """Put into the shell's own start file: for bash and zsh eval "$(rigger completion SHELL)", for fish
    rigger completion fish | source.
    """
    if shell not in SCRIPTS:
        raise BadUsage(f"There is no completion for {shell!r}.", f"There is: {', '.join(SCRIPTS)}.")
    app.printer.data(SCRIPTS[shell].encode())
