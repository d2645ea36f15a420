"""Run a module's small programs: checks of answers, lists of choices, the nodes that would leave."""

from __future__ import annotations

import os
import sys

from rigger import text
from rigger.errors import NotReady, StepFailed
from rigger.later import later
from rigger.modules.contract import INTERFACE
from rigger.runs.environment import LIBEXEC, script_environment
from rigger.runs.own_scripts import inside
from rigger.text import last_line
from rigger.trust.gate import require_agreed_folder, require_trusted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rigger.configuration.config import Config
    from rigger.environments.environment import Environment
    from rigger.environments.inventory import Node
    from rigger.process import capture
else:
    capture = later("rigger.process.capture")


def run_program(
    environment: Environment | None, folder: str, command: str, values: Mapping[str, str]
) -> tuple[int, str, str]:
    """Run a program of a manifest (a check, a list of choices) in its module's folder with values in its environment."""
    environ = {text.decode(name): text.decode(value) for name, value in os.environb.items()}
    environ.update(values)
    environ["RIGGER_INTERFACE"] = str(INTERFACE)
    environ["RIGGER_MODULE_DIR"] = folder
    environ["RIGGER_PYTHON"] = sys.executable
    environ["PATH"] = os.pathsep.join([LIBEXEC, environ.get("PATH", os.defpath)])
    if environment is not None:
        require_agreed_folder(environment, folder)
        environ["RIGGER_HOME"] = environment.home
    words = command.split()
    path = os.path.join(folder, words[0])
    try:
        outcome = capture.capture([path, *words[1:]], cwd=folder, env=environ)
    except StepFailed as problem:
        return 127, "", problem.message
    return outcome.exit_code, text.decode(outcome.output), text.decode(outcome.errors)


def leaving(environment: Environment, config: Config, nodes: Sequence[Node]) -> list[str] | None:
    """Return the nodes that the next create lets go, as the provider's `leaving` tells; None where it has none.

    Raises NotReady when it cannot tell.
    """
    script = config.provider.script("leaving")
    if script is None or not nodes:
        return None
    named = _ask_provider(environment, config, script, "tell which nodes leave").split()
    return [node.name for node in nodes if node.name in named]


def left_behind(environment: Environment, config: Config) -> list[str]:
    """Return what a killed create may have made, as the provider's `leftovers` tells; nothing where it has none.

    Raises NotReady when it cannot tell.
    """
    script = config.provider.script("leftovers")
    if script is None:
        return []
    said = _ask_provider(environment, config, script, "tell what a killed create left behind")
    return [line for line in said.splitlines() if line.strip()]


def _ask_provider(environment: Environment, config: Config, script: str, what: str) -> str:
    """Return what a script of the provider prints; raises NotReady when it cannot do `what` it is for."""
    require_trusted(environment, config.modules)
    environ = script_environment(environment, config, config.provider, "leaving")
    try:
        outcome = capture.capture([script], cwd=config.provider.folder, env=environ, inside=inside(script))
    except StepFailed as problem:
        raise NotReady(problem.message, problem.next_step) from None
    if outcome.exit_code:
        reason = last_line(text.decode(outcome.errors), text.decode(outcome.output)).removeprefix("error: ")
        raise NotReady(
            f"{config.provider.name} cannot {what}: {reason or outcome.exit_code}.",
            "Nothing was started. Put that right and try again.",
        )
    return text.decode(outcome.output)
