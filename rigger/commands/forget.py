"""rigger forget"""

import click

from rigger.audit.steps import History
from rigger.cli.app import App, command
from rigger.environments.environment import Environment
from rigger.errors import BadUsage


@command("forget", asks=True)
@click.argument("name")
def forget(app: App, name: str):
    environment = app.home.get(name)
    with environment.locked("rigger forget"):
        _require_destroyed(environment)
        app.consent().agree(f"Remove the vars, the audit log and all run logs of {name}?")
        app.home.forget(environment)
    app.printer.line(f"{name} is forgotten.")


def _require_destroyed(environment: Environment) -> None:
    """Raise BadUsage while the cluster may still exist: its record is the only way to find it again."""
    history = History.of(environment.audit.records())
    made = [key for key in history.last if key.endswith(("/create", "/deploy"))]
    if made or environment.nodes():
        raise BadUsage(
            f"{environment.name} may still have machines; without its record nobody would find them again.",
            f'Type "rigger -e {environment.name} destroy" first.',
        )
