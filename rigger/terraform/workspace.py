"""Where a provider's .tf files, state and plugins lie while Terraform works on them."""

from __future__ import annotations

import contextlib
import filecmp
import glob
import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from rigger import text as texts
from rigger.envfile import file as envfile
from rigger.envfile.output import parse_output
from rigger.errors import BadUsage, InvalidConfig
from rigger.files import write_bytes
from rigger.modules import manifest
from rigger.modules.contract import MANIFEST
from rigger.modules.model import Module
from rigger.modules.verbs import VERBS

STATE = "terraform.tfstate"
COPIED = ".copied"  # the names of the module's files that were copied into the state's folder
LOCK_FILE = ".terraform.lock.hcl"
PINNED = ".pinned"  # the module's own lock file, as it was copied last
LOCAL = "local"

# What a shell happens to hold must not change a cluster by accident.
_DROPPED = ("TF_VAR_", "TF_CLI_ARGS", "TF_WORKSPACE", "TF_DATA_DIR", "TF_INPUT")


@dataclass(frozen=True)
class Place:
    """Where one environment's Terraform works: its files, its state, and the values that it gets."""

    module: Module
    folder: str  # the module's private state: the working directory
    data: str  # plugins and the backend's settings: can be made again at any time
    values: Mapping[str, str] = field(repr=False)

    @classmethod
    def of_step(cls) -> Place:
        """Return the place of the step that this process is part of; raises BadUsage outside of one."""
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
    def of(cls, module: Module, folder: str, home: str, values: Mapping[str, str]) -> Place:
        owner = values.get("RIGGER_ENVIRONMENT_ID") or "none"
        return cls(module, folder, os.path.join(home, "cache", "terraform", f"{owner}-{module.name}"), values)

    def file(self, *parts: str) -> str:
        return os.path.join(self.folder, *parts)

    def passing(self, name: str) -> str:
        """Return the path of a file that is of no use later, and stays out of bundles."""
        return os.path.join(self.data, name)

    @property
    def backend(self) -> str:
        """The kind of backend that is configured: local, s3, http ..."""
        return self.values.get("TERRAFORM_BACKEND") or LOCAL

    @property
    def is_shared(self) -> bool:
        """Whether the state is kept in a backend that a team shares."""
        return self.backend != LOCAL


def quiet(environ: Mapping[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in environ.items() if not name.startswith(_DROPPED)}
    return {**kept, "CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1", "TF_INPUT": "0"}


@dataclass(frozen=True)
class Variable:
    """A variable that .tf files declare."""

    has_default: bool
    type: str  # as it is written, such as list(string); empty where it is left open

    @property
    def is_expression(self) -> bool:
        """Whether Terraform reads its value as an expression, rather than as it stands."""
        return bool(self.type) and self.type not in ("string", "number", "bool")


VARIABLE = re.compile(r'^[ \t]*variable[ \t]+"?([A-Za-z_][A-Za-z0-9_-]*)"?[ \t]*\{', re.M)
OWN_BACKEND = re.compile(r'\bbackend[ \t]+"?\w+"?[ \t]*\{|\bcloud[ \t]*\{|"(?:backend|cloud)"[ \t]*:')


def declared_variables(folder: str) -> dict[str, Variable]:
    """Return the variables that a folder's .tf files declare."""
    found: dict[str, Variable] = {}
    for text in _sources(folder, "*.tf"):
        for match in VARIABLE.finditer(text):
            block = _block(text, match.end())
            default = re.search(r"(?:^|[\n{;])\s*default\s*=", block)
            type = re.search(r"(?:^|[\n{;])\s*type\s*=\s*([^\n;]+)", block)
            found[match[1]] = Variable(bool(default), "".join(type[1].split()) if type else "")
    for text in _sources(folder, "*.tf.json"):
        with contextlib.suppress(ValueError, AttributeError):
            for name, body in json.loads(text).get("variable", {}).items():
                fields = body if isinstance(body, dict) else {}
                found[name] = Variable("default" in fields, str(fields.get("type", "")))
    return found


def has_own_backend(folder: str) -> bool:
    """Return whether a folder's .tf files say themselves where the state is kept."""
    return any(OWN_BACKEND.search(t) for kind in ("*.tf", "*.tf.json") for t in _sources(folder, kind))


def _sources(folder: str, pattern: str) -> Iterator[str]:
    for path in sorted(glob.glob(os.path.join(glob.escape(folder), pattern))):
        with open(path, encoding="utf-8", errors="replace") as file:
            text = file.read()
        yield text if path.endswith(".json") else _without_comments(text)


def _without_comments(text: str) -> str:
    return re.sub(r'("(?:\\.|[^"\\\n])*")|#[^\n]*|//[^\n]*|/\*.*?\*/', lambda m: m[1] or "", text, flags=re.S)


def _block(text: str, start: int) -> str:
    """Return the text of a block up to the brace that ends it."""
    depth = 1
    for match in re.finditer(r'"(?:\\.|[^"\\\n])*"|[{}]', text[start:]):
        depth += {"{": 1, "}": -1}.get(match[0], 0)
        if not depth:
            return text[start : start + match.start()]
    return text[start:]


def variables(place: Place) -> dict[str, str]:
    """Return TF_VAR_* for the variables that the module declares: `region` is given the value of REGION.

    An empty value is left out where the variable has a default, but for a checkbox: its choices become a list.
    """
    lists = {question.name for question in place.module.questions if question.type == "checkbox"}
    by_name = {name.replace("-", "_").lower(): name for name in sorted(_names(place), reverse=True)}
    found = {}
    for variable, declared in declared_variables(place.module.folder).items():
        name = place.module.terraform.variables.get(variable) or by_name.get(
            variable.replace("-", "_").lower(), ""
        )
        value = place.values.get(name)
        if value is None or value == "" and declared.has_default and name not in lists:
            continue
        if name in lists and declared.type not in ("", "string"):
            found[f"TF_VAR_{variable}"] = expression([v for v in value.split(",") if v])
        else:
            found[f"TF_VAR_{variable}"] = (
                _as_expression(value, declared.type) if declared.is_expression else value
            )
    return found


def _names(place: Place) -> set[str]:
    """Return the names of the environment's own values: what a shell happens to hold is none of them."""
    names = {*(question.name for question in place.module.questions), *place.module.outputs}
    names |= {name for name in place.values if name.startswith("RIGGER_")}
    with contextlib.suppress(KeyError, OSError), open(place.values["RIGGER_OUTPUT"], "rb") as file:
        names |= set(parse_output(file.read(), "")[0])  # what the script that calls has saved just now
    vars_file = place.values.get("RIGGER_VARS_FILE", "")
    for path in (vars_file, os.path.join(os.path.dirname(vars_file), "secrets")) if vars_file else ():
        names |= set(envfile.read(path))
    return names - {"PATH", "ORIGINAL_PATH"}


def _as_expression(value: str, type: str) -> str:
    """Return a value for a variable of a type other than text: JSON is taken for what it says, ${} and all."""
    try:
        return expression(json.loads(value))
    except ValueError:
        return expression(value) if type == "any" else value


def expression(value) -> str:
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


def environ(place: Place, interactive: bool = False) -> dict[str, str]:
    """Return the environment of a Terraform: vars as TF_VAR_*, never as arguments."""
    found = {**quiet(place.values), **variables(place), "TF_DATA_DIR": place.data}
    found["TF_WORKSPACE"] = "default"  # in another one all would be made a second time
    if interactive:
        del found["TF_INPUT"], found["TF_IN_AUTOMATION"]
    cache = os.path.join(os.path.dirname(place.data), "plugins")
    if "TF_PLUGIN_CACHE_DIR" not in found:
        os.makedirs(cache, mode=0o700, exist_ok=True)
        found["TF_PLUGIN_CACHE_DIR"] = cache
    return found


def lay_out(place: Place) -> None:
    """Copy the module's files beside its state: the module is read-only, and the state needs them for years."""
    _require_no_other_answers(place)
    os.makedirs(place.folder, mode=0o700, exist_ok=True)
    os.makedirs(place.data, mode=0o700, exist_ok=True)
    names = sorted(_files(place.module))
    for name in set(lines(place.file(COPIED))) - set(names):
        with contextlib.suppress(OSError):
            os.unlink(place.file(name))
    for name in names:
        os.makedirs(os.path.dirname(place.file(name)), mode=0o700, exist_ok=True)
        source = os.path.join(place.module.folder, name)
        if name == LOCK_FILE and _same_file(source, place.file(PINNED)) and os.path.exists(place.file(name)):
            continue  # it may have learned this platform's hashes
        shutil.copyfile(source, place.file(name))
        os.chmod(place.file(name), 0o700 if os.access(source, os.X_OK) else 0o600)  # a provisioner may run it
        if name == LOCK_FILE:
            shutil.copyfile(source, place.file(PINNED))
    listed = "".join(f"{name}\n" for name in names).encode("utf-8", "surrogateescape")
    if not os.path.exists(place.file(COPIED)) or lines(place.file(COPIED)) != names:
        write_bytes(place.file(COPIED), listed, durable=False)


def _require_no_other_answers(place: Place) -> None:
    """Refuse a file of values for what is asked: Terraform takes those files before TF_VAR_*."""
    given = {name.removeprefix("TF_VAR_") for name in variables(place)}
    for path in _value_files(place.module.folder):
        if both := sorted(given & _given_in(path)):
            raise InvalidConfig(
                f"{path} gives {', '.join(both)}, and Terraform would take that instead of the answer.",
                "Take it out of that file; what is usual belongs into the question, as its default.",
            )


def _value_files(folder: str) -> list[str]:
    """Return the files that Terraform reads values from by itself."""
    patterns = (f"{name}.tfvars{kind}" for name in ("terraform", "*.auto") for kind in ("", ".json"))
    return sorted(
        path for pattern in patterns for path in glob.glob(os.path.join(glob.escape(folder), pattern))
    )


def _given_in(path: str) -> set[str]:
    with open(path, encoding="utf-8", errors="replace") as file:
        text = file.read()
    if not path.endswith(".json"):  # what does not begin a line may belong to a value
        return set(re.findall(r"^([A-Za-z_][A-Za-z0-9_-]*)[ \t]*=", _without_comments(text), re.M))
    with contextlib.suppress(ValueError, TypeError):
        return set(json.loads(text))
    return set()


def _files(module: Module) -> Iterator[str]:
    without = {MANIFEST, "README", "README.md", "README.rst", *VERBS}
    for folder, folders, files in os.walk(module.folder):
        top = folder == module.folder
        folders[:] = [f for f in folders if not f.startswith(".") and not (top and f in ("tests", "bin"))]
        for name in files:
            if top and name.removesuffix(".sh") in without or STATE in name:
                continue
            path = os.path.join(folder, name)
            if os.path.isfile(path):
                yield os.path.relpath(path, module.folder)


def _same_file(one: str, other: str) -> bool:
    return os.path.exists(other) and filecmp.cmp(one, other, shallow=False)


def lines(path: str) -> list[str]:
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return file.read().splitlines()
    except OSError:
        return []
