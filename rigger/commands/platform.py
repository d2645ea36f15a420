"""rigger platform"""

import click

from rigger.cli.app import App, command, group
from rigger.commands import _modules


@group("platform")
def platform():
    pass


@platform.add_command
@command("list", reports=True)
def list(app: App):
    """List the platforms: where each comes from, which interface it speaks, and what is wrong with it."""
    _modules.show(app, "platform")


@platform.add_command
@command("new")
@click.argument("name", metavar="NAME")
@click.option("--path", metavar="FOLDER", help="The folder to write to, instead of ./NAME.")
def new(app: App, name: str, path: str | None):
    """Write a platform that works, with comments that say how to make it your own."""
    _modules.make(app, "platform", name, path)
