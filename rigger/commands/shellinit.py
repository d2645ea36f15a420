"""rigger shellinit"""

import click

from rigger.cli.app import App, command
from rigger.envfile import file as envfile


@command("shellinit")
@click.option("--secrets", "with_secrets", is_flag=True, help="Print the secrets as well.")
def shellinit(app: App, with_secrets: bool):
    environment = app.environment()
    values = environment.shell.vars(environment.vars())
    if with_secrets:
        values.update(environment.secrets())
    app.printer.data(envfile.render(values))
