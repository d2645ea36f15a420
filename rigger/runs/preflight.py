"""What must hold before anything is started: tools, credentials, disk, scripts; each failure with its remedy."""

from __future__ import annotations

import os
import re

from rigger import versions
from rigger.containers import preflight as containers
from rigger.environments.state import state_of
from rigger.errors import NotReady, StepFailed
from rigger.later import later
from rigger.modules.kinds import ANSIBLE
from rigger.plans.scripts import check_scripts
from rigger.runs.finding import Finding
from rigger.runs.module_preflight import of_modules
from rigger.runs.own_folder import problem_of
from rigger.runs.programs import run_program
from rigger.runs.surroundings import surroundings, temporary
from rigger.text import last_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from rigger.configuration.config import Config
    from rigger.environments.environment import Environment
    from rigger.modules.model import Module, Tool
    from rigger.plans.model import Plan
    from rigger.playbooks import runner as playbook_runner
    from rigger.process import capture
    from rigger.ssh import agent as ssh_agent
else:
    capture = later("rigger.process.capture")
    ssh_agent = later("rigger.ssh.agent")
    playbook_runner = later("rigger.playbooks.runner")

LEAST_FREE_BYTES = 64 << 20  # for records and logs; what a platform needs is its scripts' business

REMEDIES = {
    "terraform": "install it from https://developer.hashicorp.com/terraform/install or your package manager",
    "git": "install it with your package manager, for example: apt-get install git",
    "ssh": "install it with your package manager, for example: apt-get install openssh-client",
    "curl": "install it with your package manager, for example: apt-get install curl",
    "bash": "install it with your package manager",
}


def examine(
    environment: Environment | None, config: Config | None, planned: Plan | None, home: str
) -> list[Finding]:
    """Look at everything that the next run needs; changes nothing."""
    findings = [_folder(home), _disk(home), *temporary()]
    if config is None or environment is None:
        return findings
    for module in config.modules:
        findings += [_tool(tool, module) for tool in module.tools]
    if planned is not None:
        findings += [
            *_scripts(planned),
            *_images(planned),
            *_playbooks(planned),
            *_state(environment, planned),
        ]
    findings += surroundings(environment, planned)
    findings += [*_credentials(environment, config), *_keys(config)]
    return findings


def require(environment: Environment, config: Config, planned: Plan) -> None:
    """Raise NotReady with every failure and its remedy; nothing has been started then.

    Before the first machines are made, what the modules look at themselves counts as well: their scripts `preflight`.
    """
    failures = _failures(examine(environment, config, planned, environment.home))
    if not failures and _makes_the_first(environment, planned):
        failures = _failures(of_modules(environment, config, planned))
    if failures:
        raise _not_ready(*failures)


def _not_ready(first: Finding, *others: Finding) -> NotReady:
    """Return the error that names the first failure, and says of each what to do."""
    more = f", and {len(others)} more" if others else ""
    lines = [f"remedy: {first.remedy}"] if first.remedy else []
    for one in others:
        lines += [f"{one.what}: {one.detail}", *([f"  remedy: {one.remedy}"] if one.remedy else [])]
    lines.append('Put that right and try again; "rigger doctor" looks at everything again.')
    return NotReady(
        f"Not ready, nothing was started: {first.what} ({first.detail.rstrip('.')}){more}.", "\n".join(lines)
    )


def _failures(findings: Iterable[Finding]) -> list[Finding]:
    return [finding for finding in findings if not finding.good]


def _makes_the_first(environment: Environment, planned: Plan) -> bool:
    """Return whether the machines are about to be made: what modules look at takes time, and they may be on record later."""
    steps = state_of(environment).steps
    return any(not steps.ever_started(step.key) for step in planned.creates)


def _folder(home: str) -> Finding:
    folder = home if os.path.isdir(home) else os.path.dirname(home)
    good = os.access(folder, os.W_OK | os.X_OK)
    return Finding(
        "folder",
        good,
        home if good else f"{folder} is not writable",
        "set RIGGER_HOME to a folder of your own",
    )


def _disk(home: str) -> Finding:
    folder = home
    while not os.path.isdir(folder):
        folder = os.path.dirname(folder)
    usage = os.statvfs(folder)
    free = usage.f_bavail * usage.f_frsize
    least = f"make room there: at least {LEAST_FREE_BYTES >> 20} MiB must be free, for records and logs"
    return Finding("disk", free >= LEAST_FREE_BYTES, f"{free >> 20} MiB free at {folder}", least)


def _tool(tool: Tool, module: Module) -> Finding:
    what = f"tool {tool.name}"
    from shutil import which  # slow to import, and not every module needs tools

    path = which(tool.name)
    remedy = tool.remedy or REMEDIES.get(tool.name, "install it and put it on PATH")
    if path is None:
        return Finding(what, False, f"not on PATH; {module.name} needs it", remedy)
    if not tool.minimum:
        return Finding(what, True, path)
    version = tool_version(path)
    if version is None:
        return Finding(what, False, f"{path} does not say its version", remedy)
    good = versions.key(version) >= versions.key(tool.minimum)
    return Finding(
        what,
        good,
        f"{path} {version}" + ("" if good else f", but {module.name} needs {tool.minimum}"),
        remedy,
    )


def tool_version(path: str) -> str | None:
    """Return the first version number that `tool --version` prints, None where it prints none."""
    try:
        output = capture.capture([path, "--version"], timeout=20)
    except StepFailed:
        return None
    match = re.search(rb"\d+(?:\.\d+)+", output.output or output.errors)
    return match[0].decode() if match else None


def _scripts(planned: Plan) -> list[Finding]:
    remedy = '"rigger docs contract" says what a module needs'
    return [Finding("script", False, problem, remedy) for problem in check_scripts(planned)]


def _images(planned: Plan) -> list[Finding]:
    """Look whether the images of a plan are here, and those that the manifests name; a script install may bring one."""
    findings = []
    for module in {step.module.name: step.module for step in planned.steps}.values():
        if problem := containers.problem_of(module):
            verbs = [step.verb for step in planned.steps if step.module == module]
            later = containers.brings_its_own(module, verbs)
            findings.append(
                Finding(f"image of {module.name}", later, problem.message, problem.next_step, not later)
            )
    return findings


def _playbooks(planned: Plan) -> list[Finding]:
    """Look whether what runs the playbooks of a plan is installed."""
    modules = {step.module.name for step in planned.steps if step.module.kind == ANSIBLE}
    if not modules or playbook_runner.is_installed():
        return []
    return [
        Finding(f"ansible of {name}", False, *playbook_runner.not_installed(name)) for name in sorted(modules)
    ]


def _state(environment: Environment, planned: Plan) -> list[Finding]:
    """Look whether what the steps had written into their own folders, by which they know what exists, is here."""
    problems = [problem_of(environment, step) for step in planned.steps]
    return [Finding("state", False, p.message, p.next_step) for p in dict.fromkeys(problems) if p]


def _keys(config: Config) -> list[Finding]:
    """Look at the keys that an ssh agent will have to serve: one may need a passphrase that nobody can type."""
    findings = []
    for name in config.platform.ssh_agent:
        if key := config.values.get(name):
            problem = ssh_agent.key_problem(key)
            detail, remedy = (problem.message, problem.remedy) if problem else (key, "")
            findings.append(Finding(name, problem is None, detail, remedy))
    return findings


def _credentials(environment: Environment, config: Config) -> list[Finding]:
    findings = []
    for question in config.questions:
        if not (question.secret and question.check and config.values.get(question.name)):
            continue
        code, output, errors = run_program(environment, question.folder, question.check, config.values)
        outcome = last_line(errors, output).replace(config.values[question.name], "***")
        remedy = f'"rigger config set {question.name}=..." with one that works'
        findings.append(
            Finding(
                question.name, code == 0, outcome or ("accepted" if code == 0 else f"exit {code}"), remedy
            )
        )
    return findings
