"""Where a provider's .tf files, state and plugins lie while Terraform works on them."""

from __future__ import annotations

import contextlib
import filecmp
import json
import os
import shutil

from rigger import text as texts
from rigger.envfile import file as envfile
from rigger.envfile.output import parse_output
from rigger.errors import BadUsage, InvalidConfig, Refused
from rigger.files import write_bytes
from rigger.modules import manifest
from rigger.modules.contract import MANIFEST
from rigger.modules.verbs import VERBS
from rigger.terraform import brought, hcl
from rigger.terraform.beside import Copied
from rigger.terraform.hcl import Variable
from rigger.values import field, frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rigger.modules.model import Module

STATE = "terraform.tfstate"
COPIED = ".copied"  # the names of the module's files that were copied into the state's folder
LOCK_FILE = ".terraform.lock.hcl"
PINNED = ".pinned"  # the module's own lock file, as it was copied last
BACKEND = "rigger_backend_override.tf.json"
LOCAL = "local"

NOT_COPIED = {".git", ".hg", ".svn", ".terraform", ".terragrunt-cache", "__pycache__"}

# What a shell happens to hold must not change a cluster by accident.
_DROPPED = ("TF_VAR_", "TF_CLI_ARGS", "TF_WORKSPACE", "TF_DATA_DIR", "TF_INPUT")


@frozen
class Workspace:
    """Where one environment's Terraform works: its files, its state, and the values that it gets."""

    module: Module
    folder: str  # the module's private state: the working directory
    data: str  # plugins and the backend's settings: can be made again at any time
    values: Mapping[str, str] = field(repr=False)
    cache: str = ""  # what was read of .tf files; empty for none

    @classmethod
    def of_step(cls) -> Workspace:
        """Return the workspace of the step that this process is part of; raises BadUsage outside of one."""
        environ = {texts.decode(n): texts.decode(v) for n, v in os.environb.items()}
        try:
            home, folder = environ["RIGGER_HOME"], environ["RIGGER_STATE_DIR"]
            module = manifest.load(environ["RIGGER_MODULE_DIR"], os.path.join(home, "cache", "manifests"))
            return cls.of(module, folder, home, environ)
        except KeyError as missing:
            raise BadUsage(
                f"{missing.args[0]} is not set: this works only in a script that rigger runs."
            ) from None

    @classmethod
    def of(cls, module: Module, folder: str, home: str, values: Mapping[str, str]) -> Workspace:
        owner = values.get("RIGGER_ENVIRONMENT_ID") or "none"
        cache = os.path.join(home, "cache")
        data = os.path.join(
            cache, "terraform", f"{owner}-{os.path.basename(folder)}"
        )  # of each instance its own
        return cls(module, folder, data, values, os.path.join(cache, "hcl"))

    def file(self, *parts: str) -> str:
        return os.path.join(self.folder, *parts)

    def passing(self, name: str) -> str:
        """Return the path of a file that is of no use later, and stays out of bundles."""
        return os.path.join(self.data, name)

    @property
    def backend(self) -> str:
        """The kind of backend that is configured: local, s3, http ...; what is configured is the provider's alone."""
        own = self.module.role == "addon"  # else it would take the provider's state for its own
        return LOCAL if own else self.values.get("TERRAFORM_BACKEND") or LOCAL

    @property
    def is_shared(self) -> bool:
        """Whether the state is kept in a backend that a team shares."""
        return self.backend != LOCAL


def quiet(environ: Mapping[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in environ.items() if not name.startswith(_DROPPED)}
    return {**kept, "CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1", "TF_INPUT": "0"}


def variables(workspace: Workspace) -> dict[str, str]:
    """Return TF_VAR_* for the variables that the module declares: `region` is given the value of REGION.

    An empty value is left out where the variable has a default, but for a checkbox: its choices become a list.
    """
    lists = {question.name for question in workspace.module.questions if question.type == "checkbox"}
    by_name = {name.replace("-", "_").lower(): name for name in sorted(_names(workspace), reverse=True)}
    values = {}
    for variable, declared in _declared(workspace, by_name).items():
        name = workspace.module.terraform.variables.get(variable) or by_name.get(
            variable.replace("-", "_").lower(), ""
        )
        value = workspace.values.get(name)
        if value is None or value == "" and declared.has_default and name not in lists:
            continue
        if name in lists and declared.type not in ("", "string"):
            values[f"TF_VAR_{variable}"] = expression([v for v in value.split(",") if v])
        else:
            values[f"TF_VAR_{variable}"] = (
                _as_expression(value, declared.type) if declared.is_expression else value
            )
    return values


def _declared(workspace: Workspace, by_name: Mapping[str, str]) -> dict[str, Variable]:
    """Return the variables that the module's files declare.

    Where one of them cannot be read, it may declare any: each that a value would fit is taken for one that has a
    default. Terraform passes over values of variables that there are not.
    """
    files = hcl.read_folder(workspace.module.folder, workspace.cache)
    if files.is_known:
        return dict(files.variables)
    names = {*by_name, *workspace.module.terraform.variables}
    return {**{name: Variable(has_default=True, type="") for name in sorted(names)}, **files.variables}


def _names(workspace: Workspace) -> set[str]:
    """Return the names of the environment's own values: what a shell happens to hold is none of them."""
    names = {*(question.name for question in workspace.module.questions), *workspace.module.outputs}
    names |= {name for name in workspace.values if name.startswith("RIGGER_")}
    with contextlib.suppress(KeyError, OSError), open(workspace.values["RIGGER_OUTPUT"], "rb") as file:
        names |= set(parse_output(file.read(), "")[0])  # what the script that calls has saved just now
    vars_file = workspace.values.get("RIGGER_VARS_FILE", "")
    for path in (vars_file, os.path.join(os.path.dirname(vars_file), "secrets")) if vars_file else ():
        names |= set(envfile.read(path))
    return names - {"PATH", "ORIGINAL_PATH"}


def _as_expression(value: str, type: str) -> str:
    """Return a value for a variable of a type other than text: JSON is taken for what it says, ${} and all."""
    try:
        return expression(json.loads(value))
    except ValueError:
        return expression(value) if type == "any" else value


def expression(value: object) -> str:
    """Return a value as Terraform's expression language writes it, with nothing in it that would be evaluated."""
    if isinstance(value, str):
        escaped = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}
        text = "".join(escaped.get(c, c if c >= " " else f"\\u{ord(c):04x}") for c in value)
        return '"' + text.replace("${", "$${").replace("%{", "%%{") + '"'
    if isinstance(value, dict):
        return "{" + ", ".join(f"{expression(str(k))} = {expression(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(expression, value)) + "]"
    return json.dumps(value)


def environ(workspace: Workspace, interactive: bool = False) -> dict[str, str]:
    """Return the environment of a Terraform: vars as TF_VAR_*, never as arguments."""
    environment = {**quiet(workspace.values), **variables(workspace), "TF_DATA_DIR": workspace.data}
    environment["TF_WORKSPACE"] = "default"  # in another one all would be made a second time
    if interactive:
        del environment["TF_INPUT"], environment["TF_IN_AUTOMATION"]
    cache = os.path.join(os.path.dirname(workspace.data), "plugins")
    if "TF_PLUGIN_CACHE_DIR" not in environment:
        os.makedirs(cache, mode=0o700, exist_ok=True)
        environment["TF_PLUGIN_CACHE_DIR"] = cache
    return environment


def lay_out(workspace: Workspace) -> None:
    """Copy the module's files beside its state: the module is read-only, and the state needs them for years."""
    _require_no_other_answers(workspace)
    os.makedirs(workspace.folder, mode=0o700, exist_ok=True)
    os.makedirs(workspace.data, mode=0o700, exist_ok=True)
    names = sorted(_files(workspace.module))
    for name in set(lines(workspace.file(COPIED))) - set(names):
        if _may_have_been_copied(name):
            with contextlib.suppress(OSError):
                os.unlink(workspace.file(name))
    _require_nothing_else(workspace, names)
    copied = Copied(workspace.module.folder, names, workspace.folder)
    for name in names:
        os.makedirs(os.path.dirname(workspace.file(name)), mode=0o700, exist_ok=True)
        source = os.path.join(workspace.module.folder, name)
        if (
            name == LOCK_FILE
            and _same_file(source, workspace.file(PINNED))
            and os.path.exists(workspace.file(name))
        ):
            continue  # it may have learned this platform's hashes
        _copy(source, workspace.file(name), copied.text(name))
        os.chmod(
            workspace.file(name), 0o700 if os.access(source, os.X_OK) else 0o600
        )  # a provisioner may run it
        if name == LOCK_FILE:
            shutil.copyfile(source, workspace.file(PINNED))
    listed = "".join(f"{name}\n" for name in names).encode("utf-8", "surrogateescape")
    if not os.path.exists(workspace.file(COPIED)) or lines(workspace.file(COPIED)) != names:
        write_bytes(workspace.file(COPIED), listed, durable=False)


def _copy(source: str, path: str, text: bytes | None) -> None:
    if text is None:
        shutil.copyfile(source, path)
        return
    with open(path, "wb") as file:
        file.write(text)


def missing(module: Module) -> list[str]:
    """Return a sentence about each module that the .tf files of a provider name in a folder that is not there."""
    return [*Copied(module.folder, {*_files(module)}, module.folder).missing()]


def _may_have_been_copied(name: str) -> bool:
    """Return whether a name is of the module's kind: the list of them may have come from elsewhere."""
    return STATE not in name and os.path.normpath(name) == name and not name.startswith(("/", "../"))


def _require_nothing_else(workspace: Workspace, names: Sequence[str]) -> None:
    """Refuse what Terraform would load and rigger did not lay out: it may have come with somebody else's bundle."""
    for name in brought.loaded_files(workspace.folder):
        if name not in names and name != BACKEND:
            raise Refused(
                f"{workspace.file(name)} was not laid out by rigger, and Terraform would load it.",
                f"Remove it; what belongs to {workspace.module.name} is in {workspace.module.folder}.",
            )


def _require_no_other_answers(workspace: Workspace) -> None:
    """Refuse a file of values for what is asked: Terraform takes those files before TF_VAR_*."""
    given = {name.removeprefix("TF_VAR_") for name in variables(workspace)}
    for path, content in hcl.value_files(workspace.module.folder, workspace.cache):
        if both := sorted(given & {*content.names}):
            raise InvalidConfig(
                f"{path} gives {', '.join(both)}, and Terraform would take that instead of the answer.",
                "Take it out of that file; what is usual belongs into the question, as its default.",
            )


def _files(module: Module) -> Iterator[str]:
    without = {MANIFEST, "README", "README.md", "README.rst", *VERBS}
    for folder, folders, files in os.walk(module.folder, followlinks=True):
        top = folder == module.folder
        folders[:] = [
            f
            for f in folders
            if f not in NOT_COPIED and not (top and f == "tests") and not _is_around(folder, f)
        ]
        for name in files:
            if top and name.removesuffix(".sh") in without or STATE in name:
                continue
            path = os.path.join(folder, name)
            if os.path.isfile(path):
                yield os.path.relpath(path, module.folder)


def _is_around(folder: str, name: str) -> bool:
    """Return whether a folder is a link to one that it lies in, by whatever links: it would have no end."""
    path = os.path.join(folder, name)
    if not os.path.islink(path):
        return False
    target, parts = os.path.realpath(path), os.path.abspath(folder).split(os.sep)
    around = (os.path.realpath(os.sep.join(parts[:n])) for n in range(len(parts), 0, -1))
    return any(f"{parent}/".startswith(f"{target}/") for parent in around)


def _same_file(one: str, other: str) -> bool:
    return os.path.exists(other) and filecmp.cmp(one, other, shallow=False)


def lines(path: str) -> list[str]:
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return file.read().splitlines()
    except OSError:
        return []
