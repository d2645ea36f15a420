"""What modules themselves look at before anything is made: their scripts `preflight`."""

from __future__ import annotations

from rigger import text
from rigger.errors import StepFailed
from rigger.later import later
from rigger.modules.verbs import in_words
from rigger.runs.environment import script_environment
from rigger.runs.finding import Finding
from rigger.runs.own_scripts import inside
from rigger.text import last_line
from rigger.trust.gate import require_trusted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from rigger.configuration.config import Config
    from rigger.environments.environment import Environment
    from rigger.modules.model import Module
    from rigger.plans.model import Plan
    from rigger.process import capture
else:
    capture = later("rigger.process.capture")

VERB = "preflight"
MAKES = ("install", "create", "deploy", "resume")  # what a preflight looks ahead at
LEVELS = ("ok", "fail", "untried")


def of_modules(environment: Environment, config: Config, planned: Plan | None) -> Iterator[Finding]:
    """Run the preflight of each module that is about to make something, and name what nobody tried."""
    making = (
        {step.module.role for step in planned.steps if step.verb in MAKES or step.verb.startswith("upgrade-")}
        if planned
        else set()
    )
    for module in config.modules:
        what = f"preflight of {module.name}"
        if module.script(VERB) is None:
            lacks = f"not tried: the network, quotas and rights that {in_words(module.role)} {module.name} needs; it has no script preflight"
            yield Finding(what, True, lacks, tried=False)
        elif module.role not in making:
            yield Finding(what, True, "not tried: nothing of it is about to be made", tried=False)
        else:
            yield from _of_module(environment, config, module)


def _of_module(environment: Environment, config: Config, module: Module) -> Iterator[Finding]:
    script, what = module.script(VERB), f"preflight of {module.name}"
    assert script is not None
    if module.script_problem(script):
        return  # said among the scripts
    require_trusted(environment, config.modules)
    try:
        said = capture.capture(
            module.argv(script),
            cwd=module.folder,
            env=script_environment(environment, config, module, VERB),
            timeout=module.timeout(VERB),
            inside=inside(script),
        )
    except StepFailed as problem:
        yield Finding(what, False, problem.message, problem.next_step)
        return
    output, errors = text.decode(said.output), text.decode(said.errors)
    found = [finding for line in output.splitlines() if (finding := parse(line))]
    yield from found
    if said.exit_code and all(finding.good for finding in found):
        yield _failure(what, said.exit_code, errors, output)
    elif not found:
        yield Finding(what, True, "accepted")


def _failure(what: str, exit_code: int, errors: str, output: str) -> Finding:
    """Return what a script says that ends badly: its `error: ` and what stands behind that, or else its last line."""
    lines = [text.plain(line).strip() for line in errors.splitlines() if line.strip()]
    at = next((number for number, line in enumerate(lines) if line.startswith("error: ")), None)
    if at is None:
        reason = text.plain(last_line(errors, output)) or f"it exited {exit_code}"
        return Finding(what, False, reason, "put that right and try again")
    remedy = " ".join(lines[at + 1 : at + 3]) or "put that right and try again"
    return Finding(what, False, lines[at].removeprefix("error: "), remedy)


def parse(line: str) -> Finding | None:
    """Return the finding in a line of rigger-finding's; None for any other line."""
    mark, *fields = line.split("\t")
    if mark != "finding" or len(fields) not in (3, 4) or fields[0] not in LEVELS:
        return None
    level, what, detail, remedy = (*(text.plain(field).strip() for field in fields), "")[:4]
    detail = f"not tried: {detail}" if level == "untried" else detail
    return Finding(what, level != "fail", detail, remedy, level != "untried")
