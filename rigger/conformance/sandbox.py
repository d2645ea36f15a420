"""A private home in which a module is tried."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import sys
import tempfile

from rigger.conformance.subject import load
from rigger.containers.engine import ARGUMENTS
from rigger.environments.home import Home
from rigger.errors import BadUsage, Interrupted, InvalidConfig, NotReady, Refused, RiggerError, StepFailed
from rigger.files import remove
from rigger.modules.contract import CONTRACT_VARIABLES, CORE
from rigger.process import capture
from rigger.values import field, frozen, mutable, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rigger.environments.environment import Environment
    from rigger.modules.model import Module
    from rigger.process.capture import Captured
    from rigger.questions.model import Question
    from rigger.runs.reporter import Reporter

NAME, SECOND = "sandbox", "sandbox-2"


# What a person's own rigger is told; RIGGER_... of any other name may answer a question.
PATHS = frozenset({"RIGGER_PROVIDER_PATH", "RIGGER_PLATFORM_PATH"})
OWN_VARIABLES = (
    frozenset({"RIGGER_PASSPHRASE", *CONTRACT_VARIABLES, *(f"RIGGER_{name}" for name in CORE)}) - PATHS
)


@frozen
class RehearsalOptions:
    """What somebody wants of the rehearsal: values, the provider below a platform, and to see all output."""

    values: Mapping[str, str] = field(repr=False)
    provider: str = ""  # empty: local
    reporter: Reporter | None = None  # who hears the scripts' output; None: it is in the logs alone


# The sandbox


@mutable
class Sandbox:
    """The folders of one sandbox."""

    root: str
    keep: bool = False  # whether it stays, for its logs

    @property
    def home(self) -> str:
        return os.path.join(self.root, "home")

    @property
    def temporary(self) -> str:
        return os.path.join(self.root, "tmp")

    @property
    def aside(self) -> str:
        """The folder of what the rehearsal itself notes."""
        return os.path.join(self.root, "aside")


@contextlib.contextmanager
def open_sandbox(images: bool = False) -> Iterator[Sandbox]:
    """Give this process a home, and an environment without what belongs to the person's own rigger.

    `images`: with what leads podman and docker to the person's images.
    """
    sandbox = Sandbox(os.path.realpath(tempfile.mkdtemp(prefix="rigger-check-")))
    for folder in (sandbox.home, sandbox.temporary, sandbox.aside):
        os.mkdir(folder, 0o700)
    before = dict(os.environ)
    for name in list(os.environ):
        if name.startswith("XDG_") or name in OWN_VARIABLES:
            del os.environ[name]
    own = os.path.join(sandbox.home, ".rigger")
    os.environ.update(_to_images(before) if images else {})
    os.environ.update(HOME=sandbox.home, TMPDIR=sandbox.temporary, RIGGER_HOME=own)
    try:
        yield sandbox
    finally:
        os.environ.clear()
        os.environ.update(before)
        if not sandbox.keep:
            remove(sandbox.root)


def _to_images(before: Mapping[str, str]) -> dict[str, str]:
    """Return the variables by which the programs that run containers find the images of a person."""
    share = os.path.join(os.path.expanduser("~"), ".local", "share")
    kept = {name: before[name] for name in (ARGUMENTS, "XDG_RUNTIME_DIR") if name in before}
    return {"XDG_DATA_HOME": before.get("XDG_DATA_HOME", share), **kept}


def configure_sandbox(sandbox: Sandbox, module: Module, options: RehearsalOptions) -> Environment:
    """Make the environment with rigger's own configure; what nobody gave is made up; raises BadUsage."""
    modules = [module]
    provider, platform = options.provider or "local", ["--platform", module.folder]
    if module.checkout:
        platform = ["--path", module.checkout]
    if module.role == "provider":
        provider, platform = module.folder, ["--platform", "noop"]
    if module.role == "addon":
        modules, platform = [], ["--platform", "noop"]
        provider = options.provider or "noop"
    if os.sep in provider:
        provider = os.path.abspath(os.path.expanduser(provider))
        modules += [load(provider)] if provider != module.folder else []
    given = {} if module.role == "addon" else options.values
    values = {**_made_up(sandbox, modules, given), **given}
    argv = [sys.executable, "-m", "rigger", "configure", "--no-input", "--name", NAME]
    argv += ["--provider", provider, *platform]
    secret = {question.name for one in modules for question in one.questions if question.secret}
    for name, value in values.items():
        argv += [] if name in secret else ["--set", f"{name}={value}"]
    hidden = {f"RIGGER_{name}": value for name, value in values.items() if name in secret}
    configured = capture.capture(argv, cwd=sandbox.root, env={**os.environ, **hidden}, timeout=600)
    if configured.exit_code:
        raise _not_configured(configured)
    for name in [name for name in os.environ if name.startswith("RIGGER_")]:
        if name not in PATHS and name not in ("RIGGER_HOME", ARGUMENTS):
            del os.environ[name]  # an answer; scripts get it by its own name
    return Home().get(NAME)


def made_up(sandbox: Sandbox, module: Module, options: RehearsalOptions) -> dict[str, str]:
    """Return the answers of one module: what was given, and what has no default made up; `init` proposes the rest."""
    secret = tuple(question for question in module.questions if question.secret)
    asked = replace(module, questions=secret) if module.script("init") else module
    return {**_made_up(sandbox, [asked], options.values), **options.values}


def second_environment(environment: Environment, prefix: str) -> Environment:
    """Make another environment of the same answers, as if a person had two clusters."""
    own = {f"{prefix}_ID": os.urandom(5).hex()}
    return Home().create(SECOND, {**environment.vars(), **own}, environment.secrets())


def _not_configured(captured: Captured) -> RiggerError:
    text = captured.errors.decode("utf-8", "replace").strip()
    message = re.sub(r"^rigger: ", "", text, flags=re.M)
    kinds = {kind.exit_code: kind for kind in (InvalidConfig, NotReady, StepFailed, Refused, Interrupted)}
    return kinds.get(captured.exit_code, BadUsage)(
        f"A sandbox could not be configured: {message}",
        "Values are given with --set NAME=VALUE or as RIGGER_NAME.",
    )


def _made_up(sandbox: Sandbox, modules: Sequence[Module], given: Mapping[str, str]) -> dict[str, str]:
    """Return values for the questions that have no default; a secret that nobody gave is one that nobody knows."""
    values = {}
    for question in (question for module in modules for question in module.questions):
        if question.name in given or any(os.environ.get(name) for name in question.variables):
            continue
        value = _invented(sandbox, question)
        if value is not None:
            values[question.name] = value
    return values


def _invented(sandbox: Sandbox, question: Question) -> str | None:
    if question.secret:
        return None if question.check or question.pattern else f"sandbox-{os.urandom(8).hex()}"
    if question.default is not None or question.optional or question.pattern or question.check:
        return None
    if question.type == "integer":
        return str(question.min if question.min is not None else 1)
    if question.type == "path":
        return os.path.join(sandbox.home, question.name.lower())
    if question.type == "ssh-key":
        return _new_key(sandbox)
    if question.type == "checkbox":
        return question.choices[0].value if question.choices else None
    return NAME if question.type == "text" else None


def _new_key(sandbox: Sandbox) -> str | None:
    path = os.path.join(sandbox.home, ".ssh", "id_ed25519")
    if not os.path.exists(path):
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        argv = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path]
        if shutil.which(argv[0]) is None or capture.capture(argv).exit_code:
            return None
    return path
