"""rigger provider"""

import click

from rigger.cli.app import App, command, group
from rigger.commands import _modules


@group("provider")
def provider():
    pass


@provider.add_command
@command("list", reports=True)
def list(app: App):
    """List the providers: where each comes from, which interface it speaks, and what is wrong with it."""
    _modules.show(app, "provider")


@provider.add_command
@command("new")
@click.argument("name", metavar="NAME")
@click.option("--path", metavar="FOLDER", help="The folder to write to, instead of ./NAME.")
def new(app: App, name: str, path: str | None):
    """Write a provider that works, with comments that say how to make it your own."""
    _modules.make(app, "provider", name, path)
