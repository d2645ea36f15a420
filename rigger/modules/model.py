"""What a module is: its questions, scripts, suites, upgrades and tools."""

from __future__ import annotations

import functools

from rigger.modules import kinds
from rigger.modules.interface2 import Interface
from rigger.modules.selectors import Requires
from rigger.modules.verbs import (
    DEFAULT_TEST_TIMEOUT,
    DEFAULT_TIMEOUT,
    DEFAULT_TIMEOUTS,
    READY,
)
from rigger.values import field, frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from rigger.modules.selectors import Group
    from rigger.questions.model import Question


@frozen
class Suite:
    """A named list of a platform's tests."""

    name: str
    description: str
    tests: tuple[str, ...]


REST = "rest"  # of a stage: all nodes that are left


@frozen
class Stage:
    """Nodes that an upgrade brings to the new version together, before they are judged."""

    nodes: str  # a number, a part of all such as 25%, or REST
    lasts: str = ""  # how long it is judged, where that is not as the judge says
    pause: bool = False  # whether somebody has to agree to the next one


@frozen
class Limit:
    """What a figure may, or must, come to."""

    text: str  # as the manifest has it
    times: float | None = None  # of what was measured before the first stage; None: whatever that was
    plus: float = 0.0


@frozen
class Judge:
    """Who says whether a stage is well: a test that measures, and limits of its figures."""

    test: str
    lasts: str  # a duration, or a template that gives one
    at_most: Mapping[str, Limit] = field(default_factory=dict)
    at_least: Mapping[str, Limit] = field(default_factory=dict)


@frozen
class Upgrade:
    """A way in which a platform goes from one version to another, and the jumps that it can make."""

    style: str
    description: str = ""
    within: str = ""  # major or minor: the part of the version that must stay; empty: no limit
    minors: int | None = None  # how many minor versions one jump may span
    since: str = ""  # the oldest version that it starts from
    rollback: str = "script"  # the way back: see ROLLBACKS
    stages: tuple[Stage, ...] = ()  # none: all nodes at once, as far as rigger knows
    judge: Judge | None = None
    on_failure: str = "stop"  # see ON_FAILURE


@frozen
class Tool:
    """A program that must be on PATH, the oldest version that will do, and how to get it."""

    name: str
    minimum: str = ""
    remedy: str = ""


@frozen
class TerraformSettings:
    """What a manifest says of a provider's .tf files; all of it has defaults."""

    minimum: str = ""  # the oldest version of Terraform that will do
    variables: Mapping[str, str] = field(default_factory=dict)  # Terraform's variable -> var
    outputs: Mapping[str, str] = field(default_factory=dict)  # output -> var; empty: each in capitals
    inventory: str = ""  # the output that lists the nodes
    backends: Mapping[str, Mapping[str, str]] = field(
        default_factory=dict
    )  # kind -> settings, Jinja2 templates


@frozen
class ContainerCommand:
    """What an image is told to do for one verb."""

    name: str  # the verb
    command: str  # the first argument that the image gets
    description: str = ""
    args: tuple[str, ...] = ()  # Jinja2 templates, as are the values of envs
    envs: Mapping[str, str] = field(default_factory=dict)


@frozen
class Container:
    """What a manifest says of an image whose commands do the work."""

    image: str
    commands: Mapping[str, ContainerCommand]  # by the verb
    digest: str = ""  # sha256:...; empty: any image of that name will do
    workdir: str = ""
    mounts: tuple[str, ...] = ()  # folders in the container that are kept
    shared: str = "/shared"  # where the folder of all modules is in the container


@frozen
class FileRequirement:
    """A file that is downloaded, and the SHA-256 of its content in hex."""

    url: str
    sha256: str


@frozen
class Requirements:
    """What an installation without a network must bring along."""

    files: tuple[FileRequirement, ...] = ()
    packages: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # system -> names
    python: tuple[str, ...] = ()
    images: tuple[str, ...] = ()


@frozen
class Module:
    """A provider, platform or add-on as its manifest describes it."""

    name: str
    role: str
    folder: str
    description: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    tools: tuple[Tool, ...] = ()
    types: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    questions: tuple[Question, ...] = ()
    outputs: tuple[str, ...] = ()
    timeouts: Mapping[str, float] = field(default_factory=dict)
    prefix: str = ""
    repository: str = ""  # the URL of the git repository that it comes from
    versions: tuple[str, ...] = ()
    git_tags: bool = False  # its versions are the tags of its repository
    version_pattern: str = ""
    interfaces: Mapping[int, str] = field(default_factory=dict)  # number -> oldest version that speaks it
    rigger: str = ""  # the version of rigger that knows whatever this one does not
    checkout: str = ""  # the platform's repository that it was found in
    suites: Mapping[str, Suite] = field(default_factory=dict)
    components: Mapping[str, Suite] = field(default_factory=dict)
    upgrades: Mapping[str, Upgrade] = field(default_factory=dict)
    vars: Mapping[str, str] = field(default_factory=dict)  # name -> template, worked out on every machine
    ports: tuple[int, ...] = ()  # what the platform publishes on every node
    suspend: str = "ends"  # what the provider's script `suspend` does with the machines: see SUSPENDS
    costs: str = ""  # the file of its prices, or UNKNOWN; empty: its machines cost nothing
    ready: float = READY  # seconds that the provider's machines have until they answer; 0: nobody asks them
    ssh_agent: tuple[str, ...] = ()  # the questions whose keys an agent serves during a run
    contract: Interface = field(default_factory=Interface)
    terraform: TerraformSettings = field(default_factory=TerraformSettings)
    container: Container | None = None
    # Of an add-on
    instance_of: str = ""  # the name of the module, where an environment has it under one of its own
    version: str = ""
    requires: Requires = field(default_factory=Requires)
    influences: tuple[Group, ...] = ()  # the modules that are told that it was applied
    needs: tuple[str, ...] = ()  # fields of others' output that apply reads
    provides: tuple[str, ...] = ()  # fields of its own output that apply must give
    requirements: Requirements = field(default_factory=Requirements)

    @property
    def every_label(self) -> dict[str, str]:
        """Its labels: those of its manifest, and what every module is known by without them."""
        kinds = {"provider": {"kind": "infrastructure"}, "platform": {"kind": "platform"}}
        own = {"name": self.name, "role": self.role, self.role: self.name, **kinds.get(self.role, {})}
        version = {"version": self.version} if self.version else {}
        return {**own, **version, **self.labels}

    @property
    def module_name(self) -> str:
        """The name in its manifest, whatever name an environment has it under."""
        return self.instance_of or self.name

    @property
    def interface(self) -> int:
        """The number of the contract that it speaks."""
        return self.contract.number

    def script(self, verb: str) -> str | None:
        """Return the path of a verb's script, or None where the module has none: its own, else rigger's for its kind.

        The `check` of a folder of .tf files is rigger's, and runs the module's own after it.
        """
        own = self.contract.script(self.folder, verb)
        if own and not (verb == "check" and self.has_terraform):
            return own
        unable = self.container is not None and verb not in self.container.commands
        return None if unable else kinds.script(self.kind, self.role, verb)

    @functools.cached_property
    def kind(self) -> str:
        """Which kind of module it is, and so gets from rigger the scripts that it lacks; empty: one of scripts alone.

        Its folder is looked into once, as its manifest is: scripts do not write there.
        """
        if self.container is not None:
            return kinds.CONTAINER
        return kinds.kind_of(self.folder, self.role) if self.contract.may_use_kinds else ""

    @property
    def has_terraform(self) -> bool:
        """Whether the module's folder has .tf files."""
        return self.kind == kinds.TERRAFORM

    def timeout(self, verb: str) -> float:
        """Return how many seconds a script may take."""
        default = (
            DEFAULT_TEST_TIMEOUT if verb.startswith("tests/") else DEFAULT_TIMEOUTS.get(verb, DEFAULT_TIMEOUT)
        )
        return self.timeouts.get(
            verb, self.timeouts.get("test", default) if verb.startswith("tests/") else default
        )

    def script_problem(self, path: str) -> str | None:
        """Return why one of its files cannot be run as a script, None when it can."""
        return self.contract.problem(path)

    def script_problems(self) -> list[str]:
        """Return a sentence about each file that looks like a script but cannot run, and each that is missing."""
        return self.contract.problems(self.folder, self.role, self.script)

    def argv(self, path: str) -> list[str]:
        """Return the command that runs one of its scripts."""
        return self.contract.argv(path)

    def shown(self, path: str) -> str:
        """Return a script's path as people write it: providers/local/create."""
        return self.contract.shown(self.role, self.name, self.folder, path)
