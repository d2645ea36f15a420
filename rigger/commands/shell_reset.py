"""rigger shell-reset"""

from rigger.cli.app import App, command
from rigger.envfile import file as envfile


@command("shell-reset")
def shell_reset(app: App):
    environment = app.environment()
    names = sorted({*environment.vars(), *environment.secrets(), "ORIGINAL_PATH"})
    path = envfile.render({"PATH": environment.shell.original_path()})
    app.printer.data(b"".join(f"unset {name}\n".encode() for name in names) + path)
