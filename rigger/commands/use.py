"""rigger use"""

import click

from rigger.cli.app import App, command


@command("use")
@click.argument("name")
def use(app: App, name: str):
    app.home.use(app.home.get(name).name)
    app.printer.line(f"{name} is the current environment.")
