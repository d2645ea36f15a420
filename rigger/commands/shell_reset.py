"""rigger shell-reset"""

from rigger import envfile
from rigger.cli import App, command


@command("shell-reset")
def shell_reset(app: App):
    """Print what unsets them again: eval "$(rigger shell-reset)"."""
    environment = app.environment()
    names = sorted({*environment.vars(), *environment.secrets(), "ORIGINAL_PATH"})
    path = envfile.render({"PATH": environment.original_path()})
    app.printer.data(b"".join(f"unset {name}\n".encode() for name in names) + path)
