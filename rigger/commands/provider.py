"""rigger provider"""

from __future__ import annotations

from rigger.cli.app import App, command, group
from rigger.cli.declared import argument, option
from rigger.commands._modules import show, show_new
from rigger.operations import modules as operation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rigger.operations.modules import Modules, NewModule


@group("provider")
def provider() -> None:
    pass


@provider.add_command
@command("list", reports=True, show=show)
def list(app: App) -> Modules:
    """List the providers: where each comes from, which interface it speaks, and what is wrong with it."""
    return operation.modules(app.home, "provider", app.name)


@provider.add_command
@command("new", asks=True, show=show_new)
@argument("name", metavar="NAME")
@option("--path", metavar="FOLDER", help="The folder to write to, instead of ./NAME.")
@option("--terraform", is_flag=True, help="Make it a folder of .tf files.")
@option("--ansible", is_flag=True, help="Have Ansible do the work: its scripts run playbooks.")
def new(app: App, name: str, path: str | None, terraform: bool, ansible: bool) -> NewModule:
    """Write a provider that works, with comments that say how to make it your own."""
    tools = [tool for tool, chosen in (("terraform", terraform), ("ansible", ansible)) if chosen]
    return operation.new("provider", name, path or "", tools)
