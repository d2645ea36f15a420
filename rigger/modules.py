"""Modules: folders of scripts with a manifest; where they are looked for and what their rigger.yml says."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from rigger import envfile
from rigger.errors import BadUsage, Refused
from rigger.questions import CHANGES, TYPES, Choice, Question, did_you_mean

MANIFEST = "rigger.yml"
INTERFACE = 2
ROLES = ("provider", "platform", "addon")
MAX_MANIFEST_BYTES = 1 << 20
MAX_MANIFEST_NODES = 20_000  # aliases of aliases must not grow without bound
MAX_MANIFEST_DEPTH = 20
NEXT_STEP = "The fields are described in the README: Writing a provider."
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
DURATION = re.compile(r"(?:([0-9]{1,6})h)?(?:([0-9]{1,6})m)?(?:([0-9]{1,6})s)?")
REQUIRED = {"provider": ("install", "create", "check", "destroy"), "platform": ("install", "deploy", "check", "undeploy")}

# Seconds. A cloud may take most of an hour to make machines; a check that takes ten minutes has hung.
DEFAULT_TIMEOUTS = {"check": 600, "plan": 600, "audit": 600}
DEFAULT_TIMEOUT = 3600
DEFAULT_TEST_TIMEOUT = 1800


@dataclass(frozen=True)
class Suite:
    """A named list of a platform's tests."""

    name: str
    description: str
    tests: tuple[str, ...]


@dataclass(frozen=True)
class Tool:
    """A program that must be on PATH, the oldest version that will do, and how to get it."""

    name: str
    minimum: str = ""
    remedy: str = ""


@dataclass(frozen=True)
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
    versions: tuple[str, ...] = ()
    version_pattern: str = ""
    suites: Mapping[str, Suite] = field(default_factory=dict)
    components: Mapping[str, Suite] = field(default_factory=dict)

    def script(self, verb: str) -> str | None:
        """Return the path of a verb's script, `verb` or `verb.sh`, or None where the module has none."""
        for name in (verb, f"{verb}.sh"):
            path = os.path.join(self.folder, name)
            if os.path.isfile(path):
                return path
        return None

    def timeout(self, verb: str) -> float:
        """Return how many seconds a script may take."""
        default = DEFAULT_TEST_TIMEOUT if verb.startswith("tests/") else DEFAULT_TIMEOUTS.get(verb, DEFAULT_TIMEOUT)
        return self.timeouts.get(verb, self.timeouts.get("test", default) if verb.startswith("tests/") else default)

    def shown(self, path: str) -> str:
        """Return a script's path as people write it: providers/local/create."""
        return f"{self.role}s/{self.name}/{os.path.relpath(path, self.folder)}"


def script_problem(path: str) -> str | None:
    """Return why a file cannot be executed as a script, None when it can."""
    try:
        with open(path, "rb") as script:
            start = script.read(4)
    except OSError as problem:
        return f"cannot be read ({problem.strerror})"
    if not os.access(path, os.X_OK):
        return "is not executable"
    if start[:2] == b"#!" or start == b"\x7fELF" or start in _MACH_O:
        return None
    return "has no #! line"


_MACH_O = (b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe")


def script_digest(path: str) -> str:
    """Return the SHA-256 of a script, in hex."""
    with open(path, "rb") as script:
        return hashlib.file_digest(script, "sha256").hexdigest() if hasattr(hashlib, "file_digest") else _digest(script)


def _digest(stream) -> str:
    digest = hashlib.sha256()
    while block := stream.read(1 << 20):
        digest.update(block)
    return digest.hexdigest()


def shared_digest(module: Module) -> str:
    """Return a SHA-256 over the files that a module's scripts share: all but the scripts, tests and manifest."""
    digest = hashlib.sha256()
    own = {MANIFEST, "README", "README.md", "README.rst", "__init__.py", "__pycache__", "tests", ".git"}
    for path in sorted(_files(module.folder, own)):
        name = os.path.relpath(path, module.folder)
        if os.sep not in name and os.access(path, os.X_OK):
            continue  # a verb's script counts for that verb alone
        digest.update(os.fsencode(name) + b"\0" + script_digest(path).encode() + b"\n")
    return digest.hexdigest()


def _files(folder: str, without: set[str]) -> Iterator[str]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name in without or entry.is_symlink():
                continue
            if entry.is_dir():
                yield from _files(entry.path, without)
            elif entry.is_file():
                yield entry.path


# Where modules are looked for


def packaged(role: str) -> str:
    """Return the folder of the modules that ship with rigger.

    Installed, the providers lie inside the package; an editable install leaves them beside it.
    """
    package = os.path.dirname(os.path.abspath(__file__))
    inside = os.path.join(package, f"{role}s")
    return inside if os.path.isdir(inside) else os.path.join(os.path.dirname(package), f"{role}s")


def search_path(role: str, home: str) -> list[str]:
    """Return the folders that may hold modules: $RIGGER_PROVIDER_PATH, the user's own, rigger's."""
    listed = os.environ.get(f"RIGGER_{role.upper()}_PATH", "")
    own = [os.path.abspath(folder) for folder in listed.split(os.pathsep) if folder]
    return [*own, os.path.join(home, f"{role}s"), packaged(role)]


def folders(role: str, home: str) -> dict[str, str]:
    """Return every module that can be found, name -> folder; the first place that has a name wins."""
    found: dict[str, str] = {}
    for place in search_path(role, home):
        try:
            names = sorted(os.listdir(place))
        except OSError:
            continue
        for name in names:
            if os.path.isfile(os.path.join(place, name, MANIFEST)):
                found.setdefault(name, os.path.join(place, name))
    return found


def find(role: str, name: str, home: str) -> Module:
    """Return the module of that name, or at that path if it has a slash; raises BadUsage or Refused."""
    if os.sep in name:
        folder = os.path.abspath(os.path.expanduser(name))
        if not os.path.isfile(os.path.join(folder, MANIFEST)):
            raise BadUsage(f"There is no {role} in {folder}: it has no {MANIFEST}.", "Give the folder of a module, or its name.")
        return _of_role(load(folder), role)
    for place in search_path(role, home):
        folder = os.path.join(place, name)
        if NAME.fullmatch(name) and os.path.isfile(os.path.join(folder, MANIFEST)):
            return _of_role(load(folder), role)
    known = sorted(folders(role, home))
    raise BadUsage(
        f"There is no {role} named {name!r}{did_you_mean(name, known)}.",
        f"Known: {', '.join(known)}. Others are found in $RIGGER_{role.upper()}_PATH and {home}/{role}s.",
    )


def _of_role(module: Module, role: str) -> Module:
    if module.role != role:
        raise Refused(f"{os.path.join(module.folder, MANIFEST)}: {module.name} is a {module.role}, not a {role}.")
    return module


# The manifest


class _Field:
    """One node of a manifest, with the place it stands at, for messages that name file, line and field."""

    def __init__(self, node, file: str, path: str):
        self.node = node
        self.file = file
        self.path = path

    def refuse(self, reason: str) -> Refused:
        line = self.node.start_mark.line + 1
        at = f" {self.path}:" if self.path else ""
        return Refused(f"{self.file}, line {line}:{at} {reason}", NEXT_STEP)

    def text(self) -> str:
        if self.node.id != "scalar":
            raise self.refuse("must be a single value")
        if "\0" in self.node.value:
            raise self.refuse("must not hold a NUL byte")
        return self.node.value

    def word(self, known) -> str:
        value = self.text()
        if value not in known:
            raise self.refuse(f"{value!r} is not one of {', '.join(known)}{did_you_mean(value, known)}")
        return value

    def flag(self) -> bool:
        value = self.text().lower()
        if value not in ("true", "false", "yes", "no"):
            raise self.refuse(f"{value!r} is neither true nor false")
        return value in ("true", "yes")

    def integer(self) -> int:
        value = self.text()
        if not re.fullmatch(r"-?[0-9]{1,18}", value):
            raise self.refuse(f"{value!r} is not a whole number")
        return int(value)

    def items(self) -> list[_Field]:
        if self.node.id != "sequence":
            raise self.refuse("must be a list")
        return [_Field(node, self.file, f"{self.path}[{i}]") for i, node in enumerate(self.node.value)]

    def texts(self) -> tuple[str, ...]:
        return tuple(item.text() for item in self.items())

    def entries(self) -> dict[str, _Field]:
        if self.node.id != "mapping":
            raise self.refuse("must be a map of names to values")
        found: dict[str, _Field] = {}
        for key, value in self.node.value:
            name = _Field(key, self.file, self.path).text()
            field_ = _Field(value, self.file, f"{self.path}.{name}" if self.path else name)
            if name in found:
                raise _Field(key, self.file, field_.path).refuse("stands here twice")
            found[name] = field_
        return found

    def record(self, **decoders: Callable[[_Field], object]) -> dict:
        """Decode a map with known fields, named by keywords with `_` for `-`."""
        result = {}
        for name, value in self.entries().items():
            decode = decoders.get(name.replace("-", "_"))
            if decode is None:
                known = [known.replace("_", "-") for known in decoders]
                raise value.refuse(f"there is no such field{did_you_mean(name, known)}")
            result[name.replace("-", "_")] = decode(value)
        return result


def load(folder: str) -> Module:
    """Read a module's manifest; raises Refused with file, line and field."""
    path = os.path.join(folder, MANIFEST)
    root = _Field(_compose(path), path, "")
    _check_interface(root)
    fields = root.record(
        interface=_Field.text,
        rigger=_Field.text,
        name=_name,
        role=lambda at: at.word(ROLES),
        description=_Field.text,
        labels=_text_map,
        tools=_tools,
        types=lambda at: {name: _text_map(value, variable=True) for name, value in at.entries().items()},
        questions=lambda at: at.items(),
        outputs=lambda at: tuple(_variable(item) for item in at.items()),
        timeouts=lambda at: {name: _duration(value) for name, value in at.entries().items()},
        prefix=_variable,
        versions=_Field.texts,
        version_pattern=_pattern,
        suites=_suites,
        components=_suites,
    )
    for needed in ("name", "role"):
        if needed not in fields:
            raise root.refuse(f"the field {needed!r} is missing")
    fields.pop("interface", None)
    fields.pop("rigger", None)
    changes = "deploy" if fields["role"] == "platform" else "create"
    questions = tuple(_question(item, path, folder, changes) for item in fields.pop("questions", ()))
    _refuse_twins(root, questions)
    if fields["role"] == "platform":
        fields.setdefault("prefix", re.sub(r"[^A-Z0-9]", "_", fields["name"].upper()))
    return Module(folder=folder, questions=questions, **fields)


def _compose(path: str):
    import yaml

    try:
        with open(path, "rb") as file:
            data = file.read(MAX_MANIFEST_BYTES + 1)
    except OSError as problem:
        raise Refused(f"{path} cannot be read: {problem.strerror}.", NEXT_STEP) from None
    if len(data) > MAX_MANIFEST_BYTES:
        raise Refused(f"{path} is larger than {MAX_MANIFEST_BYTES} bytes.", NEXT_STEP)
    try:
        # The base loader keeps every scalar as it is written: 1.10 stays 1.10 and no stays no.
        loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
        text = data.decode("utf-8")
        _limit_depth(yaml.parse(text, Loader=loader), path)
        node = yaml.compose(text, Loader=loader)
    except UnicodeDecodeError as problem:
        raise Refused(f"{path} is not UTF-8 text (byte {problem.start}).", NEXT_STEP) from None
    except yaml.MarkedYAMLError as problem:
        mark = problem.problem_mark or problem.context_mark
        raise Refused(f"{path}, line {mark.line + 1 if mark else 1}: {problem.problem}.", NEXT_STEP) from None
    except (yaml.YAMLError, RecursionError) as problem:
        raise Refused(f"{path} is not YAML: {str(problem).splitlines()[0]}.", NEXT_STEP) from None
    if node is None:
        raise Refused(f"{path} is empty.", NEXT_STEP)
    _limit(node, path)
    return node


def _limit_depth(events, path: str) -> None:
    """Refuse what is nested deeply before it is composed: libyaml's composer recurses until the stack is full."""
    depth = 0
    for event in events:
        name = type(event).__name__
        depth += name.endswith("StartEvent") - name.endswith("EndEvent")
        if depth > MAX_MANIFEST_DEPTH:
            raise _too_large(path)


def _too_large(path: str) -> Refused:
    return Refused(f"{path} is too large or too deep to be a manifest.", NEXT_STEP)


def _limit(root, path: str) -> None:
    waiting, seen = [(root, 0)], 0
    while waiting:
        node, depth = waiting.pop()
        seen += 1
        if seen > MAX_MANIFEST_NODES or depth > MAX_MANIFEST_DEPTH:
            raise _too_large(path)
        if node.id == "sequence":
            waiting += [(child, depth + 1) for child in node.value]
        elif node.id == "mapping":
            waiting += [(child, depth + 1) for pair in node.value for child in pair]


def _check_interface(root: _Field) -> None:
    entries = root.entries()
    if "interface" not in entries:
        raise root.refuse(f"the field 'interface' is missing; this rigger speaks interface {INTERFACE}")
    at = entries["interface"]
    if at.integer() != INTERFACE:
        needed = f"; rigger {entries['rigger'].text()} knows it" if "rigger" in entries else ""
        raise at.refuse(f"interface {at.text()} is not one that this rigger speaks ({INTERFACE}){needed}")


def _name(at: _Field) -> str:
    value = at.text()
    if not NAME.fullmatch(value):
        raise at.refuse(f"{value!r} is not a name: lower-case letters, digits, - and _, at most 63")
    return value


def _variable(at: _Field) -> str:
    if reason := _variable_problem(at.text()):
        raise at.refuse(reason)
    return at.text()


def _variable_problem(name: str) -> str | None:
    if reason := envfile.check_name(name):
        return f"{name!r} {reason}"
    if f"RIGGER_{name}" in CONTRACT_VARIABLES:
        return f"{name!r} cannot be given as RIGGER_{name}, which rigger sets for scripts"
    return None


# What rigger itself sets for scripts, or reads; a question of that name would be answered by accident.
CONTRACT_VARIABLES = frozenset(
    f"RIGGER_{name}"
    for name in (
        "INTERFACE HOME ENVIRONMENT ENVIRONMENT_ID ENVIRONMENT_DIR MODULE_DIR STATE_DIR INVENTORY INVENTORY_OUTPUT "
        "NODES_FILE VARS_FILE OUTPUT SECRETS_OUTPUT RUN STEP PYTHON CACHE_DIR BIN_DIR PROVIDER_DIR PROVIDER_STATE_DIR "
        "LEAVING LOCK_FD PROVIDER_PATH PLATFORM_PATH"
    ).split()
)


def _text_map(at: _Field, variable: bool = False) -> dict[str, str]:
    result = {}
    for name, value in at.entries().items():
        if variable and (reason := _variable_problem(name)):
            raise value.refuse(reason)
        result[name] = value.text()
    return result


def _pattern(at: _Field) -> str:
    value = at.text()
    try:
        re.compile(value)
    except re.error as problem:
        raise at.refuse(f"{value!r} is not a regular expression: {problem}") from None
    return value


def _duration(at: _Field) -> float:
    match = DURATION.fullmatch(at.text())
    hours, minutes, seconds = (int(part or 0) for part in match.groups()) if match else (0, 0, 0)
    if not hours + minutes + seconds:
        raise at.refuse(f"{at.text()!r} is not a duration such as 90s, 45m or 1h30m")
    return float(hours * 3600 + minutes * 60 + seconds)


def _tools(at: _Field) -> tuple[Tool, ...]:
    return tuple(_tool(item) for item in at.items())


def _tool(at: _Field) -> Tool:
    if at.node.id == "mapping":
        fields = at.record(name=_Field.text, minimum=_Field.text, remedy=_Field.text)
        if "name" not in fields:
            raise at.refuse("the field 'name' is missing")
        return Tool(**fields)
    match = re.fullmatch(r"([A-Za-z0-9._+-]+?)(?:\s*>=\s*([0-9][0-9.]*))?", at.text())
    if not match:
        raise at.refuse(f"{at.text()!r} is not a tool such as terraform or terraform>=1.5")
    return Tool(match[1], match[2] or "")


def _suites(at: _Field) -> dict[str, Suite]:
    suites = {}
    for name, value in at.entries().items():
        fields = value.record(description=_Field.text, tests=_Field.texts)
        if not fields.get("tests"):
            raise value.refuse("lists no tests")
        for test in fields["tests"]:
            if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", test):
                raise value.refuse(f"{test!r} is not the name of a file in tests/")
        suites[name] = Suite(name, fields.get("description", ""), fields["tests"])
    return suites


def _choices(at: _Field) -> tuple[tuple[Choice, ...], str]:
    if at.node.id == "sequence":
        return tuple(Choice(text) for text in at.texts()), ""
    entries = at.entries()
    if list(entries) == ["command"]:
        return (), entries["command"].text()
    return tuple(Choice(value, text.text()) for value, text in entries.items()), ""


def _question(at: _Field, path: str, folder: str, changes: str) -> Question:
    fields = at.record(
        name=_variable,
        ask=_Field.text,
        help=_Field.text,
        type=lambda at: at.word(TYPES),
        choices=_choices,
        default=_Field.text,
        when=_Field.text,
        check=_Field.text,
        env=lambda at: tuple(_variable(item) for item in at.items()),
        advanced=_Field.flag,
        optional=_Field.flag,
        pattern=_pattern,
        min=_Field.integer,
        max=_Field.integer,
        changes=lambda at: at.word(CHANGES),
    )
    if "name" not in fields:
        raise at.refuse("the field 'name' is missing")
    fields.setdefault("ask", f"{fields['name']}?")
    fields.setdefault("changes", changes)
    fields["choices"], fields["choices_command"] = fields.get("choices", ((), ""))
    if fields.get("type") in ("select", "checkbox") and not (fields["choices"] or fields["choices_command"]):
        raise at.refuse(f"{fields['name']} is a {fields['type']} without choices")
    return Question(origin=f"{path}, {fields['name']}", folder=folder, **fields)


def _refuse_twins(root: _Field, questions: tuple[Question, ...]) -> None:
    seen: set[str] = set()
    items = root.entries()["questions"].items() if questions else []
    for question, at in zip(questions, items, strict=True):
        if question.name in seen:
            raise at.refuse(f"{question.name} is asked twice")
        seen.add(question.name)
