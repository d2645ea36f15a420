"""What the commands about a project share: which project."""

from __future__ import annotations

from rigger.cli.app import command
from rigger.cli.declared import option
from rigger.operations.projects import opened
from rigger.process.actor import proven_actor
from rigger.values import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    from rigger.cli.app import App
    from rigger.cli.declared import Verb
    from rigger.operations.projects import Opened

    Function = TypeVar("Function", bound=Callable[..., Any])

CLOCK = "Continue although a record is newer than this machine's clock says."


def project_command(name: str, **how: Any) -> Callable[[Callable[..., Any]], Verb]:
    """Make a function a verb about a project: as `command` does, but that it refuses -e."""
    return command(name, environment=False, **how)


def of_a_project(function: Function) -> Function:
    """Declare the options that say which project is meant."""
    file = option(
        "--project-file", "file", metavar="FILE", help="The project's manifest; default: the nearest one."
    )
    return option("--project", metavar="ID", help="Which project of it.")(file(function))


def project_of(app: App, project: str | None, file: str | None, reason: str = "") -> Opened:
    """Return the project that a command is about, with who asks; raises InvalidConfig, BadUsage or Refused."""
    call = replace(app.call, say=app.printer.line, reason=app.call.reason or reason)
    at = opened(app.home, call, file or "", project or "")
    name = proven_actor(app.home.path, at.project.id, call.request)
    return replace(at, call=replace(call, actor=name))
