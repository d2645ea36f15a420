"""The steps that a command will run, and why."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from rigger import modules
from rigger.config import Config
from rigger.errors import BadUsage, NotReady
from rigger.inventory import Node
from rigger.modules import Module
from rigger.printer import plain

HIDDEN = "***"
LONGEST_SHOWN = 40  # characters of a value, in a reason

# What a step takes away from the moment it starts: whatever those steps did counts as not done.
UNDOES = {"undeploy": ("platform/",), "destroy": ("provider/", "platform/")}


@dataclass(frozen=True)
class Step:
    """One run of one module's script, and the reason for it."""

    module: Module
    verb: str
    why: str
    goes_on: bool = False  # whether the run continues when this step fails
    environ: Mapping[str, str] = field(default_factory=dict)  # what this script gets beside all others

    @property
    def key(self) -> str:
        return f"{self.module.role}/{self.module.name}/{self.verb}"

    @property
    def script(self) -> str:
        """The script's path; one that does not exist where the module has none."""
        return self.module.script(self.verb) or os.path.join(self.module.folder, self.verb)

    @property
    def shown(self) -> str:
        return self.module.shown(self.script)

    @property
    def checks(self) -> bool:
        return self.verb == "check"


@dataclass(frozen=True)
class Plan:
    """The steps of one command, in order; what is up to date already; what will be lost."""

    command: str
    steps: tuple[Step, ...]
    up_to_date: tuple[Step, ...] = ()
    removals: tuple[str, ...] = ()  # sentences about machines or data that will go
    leaving: tuple[str, ...] = ()  # names of the nodes that will be removed
    environ: Mapping[str, str] = field(
        default_factory=dict
    )  # what its scripts get beside the contract's variables

    @property
    def changes(self) -> bool:
        """Whether anything is going to be changed, or only looked at."""
        return any(not step.checks for step in self.steps)

    def as_dict(self) -> dict:
        def rows(steps):
            return [
                {
                    "module": f"{s.module.role}/{s.module.name}",
                    "step": s.verb,
                    "script": s.script,
                    "why": s.why,
                }
                for s in steps
            ]

        return {
            "command": self.command,
            "changes": self.changes,
            "steps": rows(self.steps),
            "up_to_date": rows(self.up_to_date),
            "removals": list(self.removals),
        }


@dataclass
class Record:
    """What the audit log says about the last run of a step."""

    started: Mapping
    finished: Mapping | None = None

    @property
    def succeeded(self) -> bool:
        return self.finished is not None and self.finished.get("exit_code") == 0

    def outcome(self) -> str:
        """Return how it ended, in words that follow its name."""
        if self.finished is None:
            return f"was cut off in run {self.started['run']}"
        if self.finished.get("interrupted"):
            return f"was interrupted in run {self.started['run']}"
        return f"failed in run {self.started['run']} (exit {self.finished.get('exit_code')})"


@dataclass
class History:
    """The last run and the last success of every step since the cluster was last destroyed."""

    last: dict[str, Record] = field(default_factory=dict)
    done: dict[str, Record] = field(default_factory=dict)
    failed_checks: dict[str, Record] = field(default_factory=dict)  # by role, newer than what they check

    @classmethod
    def of(cls, records: Iterable[Mapping]) -> History:
        """Read the records of an audit log."""
        history = cls()
        open_steps: dict[tuple, Record] = {}
        for record in records:
            if record["event"] == "step-started":
                history._start(record, open_steps)
            elif record["event"] in ("step-finished", "step-recovered"):
                found = open_steps.pop((record["run"], record.get("number")), None)
                if found is not None and record["event"] == "step-finished":
                    history._finish(found, record)
            elif record["event"] in ("upgrade-finished", "upgrade-rolled-back"):
                history._upgrade(record["to"])
            elif record["event"] == "loaded":
                history._take_digests(record.get("digests", {}))
            elif record["event"] == "destroyed":
                history.last, history.done, history.failed_checks = {}, {}, {}
        return history

    def _start(self, record: Mapping, open_steps: dict) -> None:
        started = Record(record)
        self.last[_key(record)] = open_steps[record["run"], record.get("number")] = started
        if record["step"] in UNDOES:
            undone = UNDOES[record["step"]]
            self.done = {key: done for key, done in self.done.items() if not key.startswith(undone)}

    def _take_digests(self, digests: Mapping[str, str]) -> None:
        """Take secrets that were given again on another machine for the ones that the steps had."""
        for record in {id(r): r for r in [*self.last.values(), *self.done.values()]}.values():
            before = record.started.get("parameters", {})
            same = {n: d for n, d in digests.items() if str(before.get(n, "")).startswith(HIDDEN)}
            record.started = {**record.started, "parameters": {**before, **same}}

    def _upgrade(self, version: str) -> None:
        """Count what an upgrade did as done by `install`, `deploy` and `setup-clients`, which need not run for that version again."""
        for key, record in self.done.items():
            if key.startswith("platform/") and key.endswith(("/install", "/deploy", "/setup-clients")):
                parameters = {**record.started.get("parameters", {}), "VERSION": version}
                self.done[key] = Record({**record.started, "parameters": parameters}, record.finished)

    def _finish(self, record: Record, finished: Mapping) -> None:
        record.finished = finished
        role, _, _ = record.started["module"].partition("/")
        verb = record.started["step"]
        if verb == "check":
            if record.succeeded:
                self.failed_checks.pop(role, None)
            elif not finished.get("interrupted"):
                self.failed_checks[role] = record
        elif record.succeeded:
            self.done[_key(record.started)] = record
            if verb in ("create", "deploy"):
                self.failed_checks.pop(role, None)
            if verb == "create":  # the nodes that `scale` was about have left
                self.done = {key: done for key, done in self.done.items() if not key.endswith("/scale")}
                self.last.pop(f"{record.started['module']}/destroy", None)

    def ever_started(self, key: str) -> bool:
        return key in self.last

    def unfinished(self, key: str) -> Record | None:
        """Return the last run of a step if it did not succeed."""
        record = self.last.get(key)
        return record if record is not None and not record.succeeded else None


def _key(record: Mapping) -> str:
    return f"{record['module']}/{record['step']}"


# What a step was run with


def recorded_parameters(config: Config, key: bytes) -> dict[str, str]:
    """Return the values of all questions as the audit log keeps them: a secret as its `secret_digest`."""
    hidden = {
        name: secret_digest(key, value) for name, value in config.secrets.items() if name in config.answers
    }
    return {**config.parameters(), **hidden}


def secret_digest(key: bytes, value: str) -> str:
    """Return what is recorded of a secret: HMAC-SHA-256 under the environment's own key, 16 hex digits.

    It is enough to see that a secret changed, and nothing to guess it from without the key.
    """
    import hmac  # slow to import, and not every environment has secrets

    found = hmac.new(key, value.encode("utf-8", "surrogateescape"), hashlib.sha256)
    return f"{HIDDEN}{found.hexdigest()[:16]}"


def _concerned(config: Config, role: str, verb: str) -> set[str]:
    """Return the names of the questions whose change makes a step run again."""
    names = set()
    for question in config.questions:
        owner = (
            "platform"
            if question.folder == config.platform.folder or question.name == "VERSION"
            else "provider"
        )
        if question.changes in ("create", "replace"):
            concerns = (role, verb) == ("provider", "create")
        elif question.changes == "deploy":
            concerns = (role, verb) == ("platform", "deploy")
        elif question.changes == "install":
            concerns = (
                (role, verb) == (owner, "install")
                or owner == "platform" == role
                and verb
                in (
                    "deploy",
                    "setup-clients",
                )
            )
        else:
            concerns = False
        if concerns:
            names.add(question.name)
    return names


def changed_values(
    config: Config, parameters: Mapping[str, str], before: Mapping[str, str]
) -> dict[str, tuple]:
    """Return the questions whose value is not what it was: name -> (old or None, new or None)."""
    names = [question.name for question in config.questions]
    names += [name for name in before if name not in names]
    return {n: (before.get(n), parameters.get(n)) for n in names if before.get(n) != parameters.get(n)}


def unprovisioned(config: Config, history: History, key: bytes) -> dict[str, tuple]:
    """Return the values that a step which they concern has not run with yet: name -> (old or None, new or None)."""
    parameters = recorded_parameters(config, key)
    found: dict[str, tuple] = {}
    for module, verb in (
        (config.provider, "install"),
        (config.provider, "create"),
        (config.platform, "install"),
        (config.platform, "deploy"),
    ):
        done = history.done.get(f"{module.role}/{module.name}/{verb}")
        changes = changed_values(config, parameters, done.started["parameters"] if done else {})
        concerned = _concerned(config, module.role, verb)
        found.update({name: change for name, change in changes.items() if name in concerned})
    return found


def _say_changes(changes: Mapping[str, tuple]) -> str:
    def shown(value):
        if value is None:
            return "unset"
        if value.startswith(HIDDEN):
            return "a new value"
        value = plain(value) or "empty"
        return value if len(value) <= LONGEST_SHOWN else f"{value[:LONGEST_SHOWN]}..."

    return ", ".join(
        f"{name} is new" if str(new).startswith(HIDDEN) else f"{name} {shown(old)} -> {shown(new)}"
        for name, (old, new) in changes.items()
    )


class _Planner:
    """Decides, step by step, whether it has to run."""

    def __init__(self, config: Config, history: History, key: bytes, again: bool):
        self.config = config
        self.history = history
        self.parameters = recorded_parameters(config, key)
        self.again = again
        self._shared: dict[str, str] = {}

    def reason(self, module: Module, verb: str, follows: str = "") -> str:
        """Return why a step must run, nothing when it is up to date."""
        key = f"{module.role}/{module.name}/{verb}"
        done = self.history.done.get(key)
        unfinished = self.history.unfinished(key)
        if unfinished is not None:
            return f"it {unfinished.outcome()}"
        if done is None:
            return "first time" if key not in self.history.last else self._undone()
        changes = self.changes(module, verb, done)
        if changes:
            return _say_changes(changes)
        if follows:
            return follows
        if self._other_script(module, verb, done):
            return "its script changed"
        if verb in ("create", "deploy") and module.role in self.history.failed_checks:
            return "the last check failed"
        return "asked for with --again" if self.again else ""

    def _undone(self) -> str:
        begun = [record for key, record in self.history.last.items() if key.rpartition("/")[2] in UNDOES]
        return (
            f"a destroy was begun in run {begun[-1].started['run']}"
            if begun
            else "first time since a destroy"
        )

    def changes(self, module: Module, verb: str, record: Record) -> dict[str, tuple]:
        """Return the values that concern a step and are not what that run of it had."""
        concerned = _concerned(self.config, module.role, verb)
        before = record.started.get("parameters", {})
        changes = changed_values(self.config, self.parameters, before)
        return {name: change for name, change in changes.items() if name in concerned}

    def _other_script(self, module: Module, verb: str, done: Record) -> bool:
        path = module.script(verb)
        if path is None or done.started.get("sha256") != modules.script_digest(path):
            return True
        return done.started.get("shared") != self.shared(module)

    def let_go(self, leaving: Sequence[str]) -> bool:
        """Return whether the platform has let those nodes go already, and only their removal did not finish."""
        scaled = self.history.done.get(f"platform/{self.config.platform.name}/scale")
        return scaled is not None and scaled.started.get("leaving") == list(leaving) and not self.again

    def shared(self, module: Module) -> str:
        if module.folder not in self._shared:
            self._shared[module.folder] = modules.shared_digest(module)
        return self._shared[module.folder]


def provision(
    config: Config,
    history: History,
    nodes: Sequence[Node],
    key: bytes,
    again: bool = False,
    ask_provider: Callable[[], Sequence[str] | None] = lambda: None,
) -> Plan:
    """Return the steps that bring the cluster to its configuration: only those that have something to do.

    `ask_provider` returns the names of the nodes that will leave, None where the provider leaves that to NODES.
    """
    planner = _Planner(config, history, key, again)
    provider, platform = config.provider, config.platform
    steps: list[Step] = []
    up_to_date: list[Step] = []

    def add(module: Module, verb: str, follows: str = "") -> bool:
        why = planner.reason(module, verb, follows)
        (steps if why else up_to_date).append(Step(module, verb, why or "up to date"))
        return bool(why)

    create_why = planner.reason(provider, "create")
    # Machines that are there already are looked at before others have to go for them.
    add(provider, "install", "before the machines" if create_why and provider.script("leaving") else "")
    if platform.script("prepare"):
        if platform.script("setup-clients"):
            add(platform, "setup-clients")
        add(platform, "prepare", "before the machines" if create_why else "")
    create_at = len(steps)
    leaving: tuple[str, ...] = ()
    if add(provider, "create"):
        said = ask_provider()
        leaving = _leaving(config, nodes) if said is None else tuple(said)
        steps[create_at:create_at] = _before_create(planner, leaving)
    created = "the machines may have changed" if "create" in {step.verb for step in steps} else ""
    installed = add(platform, "install", created)
    add(platform, "deploy", created or ("follows install" if installed else ""))
    if not created or provider.interface == 1 or platform.script("prepare"):
        steps.append(Step(provider, "check", "are the machines as they should be?"))
    steps.append(Step(platform, "check", "is the platform as it should be?"))
    removals = _removals(planner, leaving) if created else ()
    return Plan("provision", tuple(steps), tuple(up_to_date), removals, leaving)


def _leaving(config: Config, nodes: Sequence[Node]) -> tuple[str, ...]:
    """Return the nodes that a lower NODES removes: the last ones of the inventory."""
    wanted = config.values.get("NODES", "")
    return tuple(node.name for node in nodes[int(wanted) :]) if wanted.isdigit() else ()


def _before_create(planner: _Planner, leaving: Sequence[str]) -> list[Step]:
    config, history, steps = planner.config, planner.history, []
    if history.unfinished(f"provider/{config.provider.name}/create"):
        steps.append(
            Step(config.provider, "check", "create did not finish: first see what exists", goes_on=True)
        )
    deployed = history.ever_started(f"platform/{config.platform.name}/deploy")
    if leaving and deployed and config.platform.script("scale") and not planner.let_go(leaving):
        steps.append(
            Step(config.platform, "scale", f"before {_and(leaving)} leave{'s' if len(leaving) == 1 else ''}")
        )
    return steps


def _removals(planner: _Planner, leaving: Sequence[str]) -> tuple[str, ...]:
    sentences = []
    if leaving:
        noun, whose = ("machine", "its") if len(leaving) == 1 else ("machines", "their")
        sentences.append(f"{len(leaving)} {noun} will be removed with all {whose} data: {_and(leaving)}.")
    provider = planner.config.provider
    before = planner.history.last.get(f"provider/{provider.name}/create")
    if before is not None:
        changes = planner.changes(provider, "create", before)
        replacing = {
            n: c for n, c in changes.items() if (q := planner.config.question(n)) and q.changes == "replace"
        }
        if replacing:
            sentences.append(
                f"Machines will be replaced, and what is on them lost: {_say_changes(replacing)}."
            )
    return tuple(sentences)


def _and(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def check(config: Config) -> Plan:
    """Return the steps that look at the cluster without changing it."""
    return Plan(
        "check",
        (
            Step(config.provider, "check", "are the machines as they should be?", goes_on=True),
            Step(config.platform, "check", "is the platform as it should be?", goes_on=True),
        ),
    )


def destroy(config: Config, history: History, nodes: Sequence[Node]) -> Plan:
    """Return the steps that remove all that was made, also after a create that failed half-way."""
    steps = []
    begun = ("deploy", "prepare") if config.platform.script("prepare") else ("deploy",)
    if any(history.ever_started(f"platform/{config.platform.name}/{verb}") for verb in begun):
        steps.append(Step(config.platform, "undeploy", "take the platform off the machines", goes_on=True))
    steps.append(Step(config.provider, "destroy", "remove the machines and their data", goes_on=True))
    removals = [f"machine {node.name} ({node.address}) and all data on it" for node in nodes]
    if not nodes:
        removals.append(f"whatever {config.provider.name} made for this environment")
    return Plan("destroy", tuple(steps), removals=tuple(removals), leaving=tuple(node.name for node in nodes))


def suspend(config: Config, history: History, nodes: Sequence[Node], emptied: bool = False) -> Plan:
    """Return the steps that end the machines, or turn them off, and keep all else.

    `emptied`: an earlier suspend has begun to, so that its backup is the one that counts. Raises BadUsage where the
    provider cannot.
    """
    _require_verb(config, "suspend")
    platform, steps = config.platform, []
    if config.provider.suspend == "stops":
        return Plan(
            "suspend", (Step(config.provider, "suspend", "turn the machines off, keep what is on them"),)
        )
    if history.done.get(f"platform/{platform.name}/deploy"):
        if platform.script("backup") and not emptied:
            steps.append(Step(platform, "backup", "resume puts this back"))
        steps.append(Step(platform, "undeploy", "take the platform off the machines", goes_on=True))
    steps.append(Step(config.provider, "suspend", "end the machines, keep all else"))
    removals = tuple(f"machine {node.name} ({node.address}) and all data on it" for node in nodes)
    return Plan("suspend", tuple(steps), removals=removals)


def resume(config: Config, backup: str) -> Plan:
    """Return the steps that start suspended machines, and put the platform and its data back on new ones."""
    _require_verb(config, "resume")
    platform = config.platform
    steps = [Step(config.provider, "resume", "start the machines")]
    if config.provider.suspend == "stops":
        steps.append(Step(platform, "deploy", "what ran on the machines has ended"))
    else:
        steps.append(Step(platform, "install", "the machines are new"))
        steps.append(Step(platform, "deploy", "the machines are new"))
    if backup and platform.script("restore"):
        steps.append(
            Step(platform, "restore", "the data from before", environ={"RIGGER_BACKUP_FILE": backup})
        )
    steps.append(Step(platform, "check", "is the platform as it should be?"))
    return Plan("resume", tuple(steps))


def _require_verb(config: Config, verb: str) -> None:
    if config.provider.script(verb) is None:
        raise BadUsage(
            f"{config.provider.name} cannot {verb} machines: it has no script {verb}.",
            '"rigger provider list" names the providers; aws and digitalocean can.',
        )


def machines(config: Config, provision: Plan) -> Plan:
    """Return the script that shows what the create of a provision would change, where the provider has one."""
    makes = any(step.module.role == "provider" and step.verb == "create" for step in provision.steps)
    script = config.provider.script("plan")
    step = Step(config.provider, "plan", "what would create change?", goes_on=True)
    return Plan("plan", (step,) if makes and script else ())


def audit(config: Config) -> Plan:
    """Return the scripts that say what was changed by hand: those of the modules that have one."""
    found = [m for m in (config.provider, config.platform) if m.script("audit")]
    return Plan("audit", tuple(Step(m, "audit", "what was changed by hand?", goes_on=True) for m in found))


def only(config: Config, verb: str, why: str) -> Plan:
    """Return the plan of a command that is one script of the platform, and its check; raises BadUsage without it."""
    if config.platform.script(verb) is None:
        raise BadUsage(f"{config.platform.name} has no {verb}.", f"It would need a script {verb}.")
    check_after = (Step(config.platform, "check", f"after the {verb}"),) if verb == "restore" else ()
    return Plan(verb, (Step(config.platform, verb, why), *check_after))


def with_clients(config: Config, bin_dir: str, plan: Plan) -> Plan:
    """Return a plan that first installs the platform's clients where they are missing: bundles leave them out."""
    if config.platform.script("setup-clients") is None or os.path.isdir(bin_dir) and os.listdir(bin_dir):
        return plan
    step = Step(config.platform, "setup-clients", "its clients are not on this machine yet")
    return replace(plan, steps=(step, *plan.steps))


def setup_clients(config: Config) -> Plan:
    """Return the step that installs the platform's clients on this machine."""
    if config.platform.script("setup-clients") is None:
        raise BadUsage(f"{config.platform.name} has no clients to install: it has no script setup-clients.")
    return Plan("setup-clients", (Step(config.platform, "setup-clients", "asked for"),))


def test(config: Config, name: str, tests: Sequence[str]) -> Plan:
    """Return a step for each test of a suite or component."""
    steps = tuple(Step(config.platform, f"tests/{test}", f"part of {name}", goes_on=True) for test in tests)
    return Plan(f"test {name}", steps)


def check_scripts(plan: Plan) -> list[str]:
    """Return a sentence about each script of a plan that cannot run."""
    problems = []
    for step in plan.steps:
        if step.module.script(step.verb) is None:
            problems.append(f"{step.shown} is missing: {step.module.name} needs a script {step.verb}")
        elif reason := step.module.script_problem(step.script):
            problems.append(f"{step.script} {reason}")
    return list(dict.fromkeys(problems))


def require_scripts(plan: Plan) -> None:
    """Raise NotReady, naming every script of a plan that cannot run; nothing has been started then."""
    problems = check_scripts(plan)
    if problems:
        raise NotReady(
            "; ".join(problems) + ".",
            "Nothing was started. Put that right (chmod +x, a #! line) and try again.",
        )
