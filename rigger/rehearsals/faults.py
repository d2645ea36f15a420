"""What can go wrong on the nodes of a copy, and who makes it: the script `faults` of its platform, else of its provider."""

from __future__ import annotations

from rigger import text
from rigger.errors import StepFailed
from rigger.process import capture
from rigger.runs.environment import script_environment
from rigger.text import last_line
from rigger.values import frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rigger.configuration.config import Config
    from rigger.environments.environment import Environment
    from rigger.modules.model import Module

LIST, PREPARE, MAKE, UNDO = "list", "prepare", "make", "undo"
PATIENCE = 60.0  # seconds that one call may take


@frozen
class Offer:
    """A fault that a module knows of: whether it can be made here, and what it is, or why it cannot."""

    module: Module
    possible: bool
    words: str


def offers(environment: Environment, config: Config) -> dict[str, Offer]:
    """Return the faults that the modules of an environment know of, by name; raises StepFailed."""
    found: dict[str, Offer] = {}
    for module in (config.provider, config.platform):  # the platform knows better
        if module.script("faults") is None:
            continue
        for line in _ask(environment, config, module, LIST).splitlines():
            name, _, rest = line.partition("\t")
            possible, _, words = rest.partition("\t")
            if name and possible in ("yes", "no"):
                found[name] = Offer(module, possible == "yes", text.plain(words))
    return found


def act(environment: Environment, config: Config, offer: Offer, what: str, fault: str, node: str) -> None:
    """Prepare, make or undo a fault on a node; raises StepFailed where that cannot be."""
    _ask(environment, config, offer.module, what, fault, node)


def _ask(environment: Environment, config: Config, module: Module, *words: str) -> str:
    script = module.script("faults")
    assert script is not None
    environ = script_environment(environment, config, module)
    argv = [*module.argv(script), *words]
    said = capture.capture(argv, cwd=module.folder, env=environ, timeout=PATIENCE)
    if said.exit_code:
        reason = last_line(text.decode(said.errors), text.decode(said.output)).removeprefix("error: ")
        raise StepFailed(
            f"{module.shown(script)} {' '.join(words)} exited {said.exit_code}: {reason or 'it gave no reason'}."
        )
    return text.decode(said.output)
