"""Modules: folders of scripts with a manifest; where they are looked for and what their rigger.yml says."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from rigger import envfile, manifest
from rigger.errors import BadUsage, Refused
from rigger.manifest import Field
from rigger.questions import CHANGES, TYPES, Choice, Question, did_you_mean

MANIFEST = "rigger.yml"
INTERFACE = 2
ROLES = ("provider", "platform", "addon")
NAME = r"[a-z0-9][a-z0-9_-]{0,62}"
DURATION = r"(?:([0-9]{1,6})h)?(?:([0-9]{1,6})m)?(?:([0-9]{1,6})s)?"
REQUIRED = {
    "provider": ("install", "create", "check", "destroy"),
    "platform": ("install", "deploy", "check", "undeploy"),
}

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
class Upgrade:
    """A way in which a platform goes from one version to another, and the jumps that it can make."""

    style: str
    description: str = ""
    within: str = ""  # major or minor: the part of the version that must stay; empty: no limit
    minors: int | None = None  # how many minor versions one jump may span
    since: str = ""  # the oldest version that it starts from


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
    upgrades: Mapping[str, Upgrade] = field(default_factory=dict)

    def script(self, verb: str) -> str | None:
        """Return the path of a verb's script, `verb` or `verb.sh`, or None where the module has none."""
        for name in (verb, f"{verb}.sh"):
            path = os.path.join(self.folder, name)
            if os.path.isfile(path):
                return path
        return None

    def timeout(self, verb: str) -> float:
        """Return how many seconds a script may take."""
        default = (
            DEFAULT_TEST_TIMEOUT if verb.startswith("tests/") else DEFAULT_TIMEOUTS.get(verb, DEFAULT_TIMEOUT)
        )
        return self.timeouts.get(
            verb, self.timeouts.get("test", default) if verb.startswith("tests/") else default
        )

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
        return (
            hashlib.file_digest(script, "sha256").hexdigest()
            if hasattr(hashlib, "file_digest")
            else _digest(script)
        )


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
            raise BadUsage(
                f"There is no {role} in {folder}: it has no {MANIFEST}.",
                "Give the folder of a module, or its name.",
            )
        return _of_role(load(folder, os.path.join(home, "cache", "manifests")), role)
    for place in search_path(role, home):
        folder = os.path.join(place, name)
        if re.fullmatch(NAME, name) and os.path.isfile(os.path.join(folder, MANIFEST)):
            return _of_role(load(folder, os.path.join(home, "cache", "manifests")), role)
    known = sorted(folders(role, home))
    raise BadUsage(
        f"There is no {role} named {name!r}{did_you_mean(name, known)}.",
        f"Known: {', '.join(known)}. Others are found in $RIGGER_{role.upper()}_PATH and {home}/{role}s.",
    )


def _of_role(module: Module, role: str) -> Module:
    if module.role != role:
        raise Refused(
            f"{os.path.join(module.folder, MANIFEST)}: {module.name} is a {module.role}, not a {role}."
        )
    return module


# What a manifest says


def load(folder: str, cache: str | None = None) -> Module:
    """Read a module's manifest; raises Refused with file, line and field. `cache`: see manifest.read."""
    path = os.path.join(folder, MANIFEST)
    root = manifest.read(path, cache)
    _check_interface(root)
    fields = root.record(
        interface=Field.text,
        rigger=Field.text,
        name=_name,
        role=lambda at: at.word(ROLES),
        description=Field.text,
        labels=_text_map,
        tools=_tools,
        types=lambda at: {name: _text_map(value, variable=True) for name, value in at.entries().items()},
        questions=lambda at: at.items(),
        outputs=lambda at: tuple(_variable(item) for item in at.items()),
        timeouts=lambda at: {name: _duration(value) for name, value in at.entries().items()},
        prefix=_variable,
        versions=Field.texts,
        version_pattern=_pattern,
        suites=_suites,
        components=_suites,
        upgrades=_upgrades,
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


def _check_interface(root: Field) -> None:
    entries = root.entries()
    if "interface" not in entries:
        raise root.refuse(f"the field 'interface' is missing; this rigger speaks interface {INTERFACE}")
    at = entries["interface"]
    if at.integer() != INTERFACE:
        needed = f"; rigger {entries['rigger'].text()} knows it" if "rigger" in entries else ""
        raise at.refuse(f"interface {at.text()} is not one that this rigger speaks ({INTERFACE}){needed}")


def _name(at: Field) -> str:
    value = at.text()
    if not re.fullmatch(NAME, value):
        raise at.refuse(f"{value!r} is not a name: lower-case letters, digits, - and _, at most 63")
    return value


def _variable(at: Field) -> str:
    if reason := _variable_problem(at.text()):
        raise at.refuse(reason)
    return at.text()


def _variable_problem(name: str) -> str | None:
    if reason := envfile.check_name(name):
        return f"{name!r} {reason}"
    if name in CORE:
        return f"{name!r} is a question of rigger's own"
    if f"RIGGER_{name}" in CONTRACT_VARIABLES:
        return f"{name!r} cannot be given as RIGGER_{name}, which rigger sets for scripts"
    return None


# The questions that rigger itself asks: what an environment is. NAME is its name.
CORE = ("PLATFORM", "VERSION", "PROVIDER", "TYPE", "NAME")

# What rigger itself sets for scripts, or reads; a question of that name would be answered by accident.
CONTRACT_VARIABLES = frozenset(
    f"RIGGER_{name}"
    for name in (
        "INTERFACE HOME ENVIRONMENT ENVIRONMENT_ID ENVIRONMENT_DIR MODULE_DIR STATE_DIR INVENTORY INVENTORY_OUTPUT "
        "NODES_FILE VARS_FILE OUTPUT SECRETS_OUTPUT RUN STEP PYTHON CACHE_DIR BIN_DIR PROVIDER_DIR PROVIDER_STATE_DIR "
        "LEAVING LOCK_FD FROM_VERSION BACKUP_FILE FIGURES_OUTPUT PROVIDER_PATH PLATFORM_PATH"
    ).split()
)


def _text_map(at: Field, variable: bool = False) -> dict[str, str]:
    result = {}
    for name, value in at.entries().items():
        if variable and (reason := _variable_problem(name)):
            raise value.refuse(reason)
        result[name] = value.text()
    return result


def _pattern(at: Field) -> str:
    value = at.text()
    try:
        re.compile(value)
    except re.error as problem:
        raise at.refuse(f"{value!r} is not a regular expression: {problem}") from None
    return value


def _duration(at: Field) -> float:
    match = re.fullmatch(DURATION, at.text())
    hours, minutes, seconds = (int(part or 0) for part in match.groups()) if match else (0, 0, 0)
    if not hours + minutes + seconds:
        raise at.refuse(f"{at.text()!r} is not a duration such as 90s, 45m or 1h30m")
    return float(hours * 3600 + minutes * 60 + seconds)


def _tools(at: Field) -> tuple[Tool, ...]:
    return tuple(_tool(item) for item in at.items())


def _tool(at: Field) -> Tool:
    if at.kind == manifest.MAPPING:
        fields = at.record(name=Field.text, minimum=Field.text, remedy=Field.text)
        if "name" not in fields:
            raise at.refuse("the field 'name' is missing")
        return Tool(**fields)
    match = re.fullmatch(r"([A-Za-z0-9._+-]+?)(?:\s*>=\s*([0-9][0-9.]*))?", at.text())
    if not match:
        raise at.refuse(f"{at.text()!r} is not a tool such as terraform or terraform>=1.5")
    return Tool(match[1], match[2] or "")


def _suites(at: Field) -> dict[str, Suite]:
    suites = {}
    for name, value in at.entries().items():
        if value.kind == manifest.SEQUENCE:
            fields = {"tests": value.texts()}
        else:
            fields = value.record(description=Field.text, tests=Field.texts)
        if not fields.get("tests"):
            raise value.refuse("lists no tests")
        for test in fields["tests"]:
            if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", test):
                raise value.refuse(f"{test!r} is not the name of a file in tests/")
        suites[name] = Suite(name, fields.get("description", ""), fields["tests"])
    return suites


def _upgrades(at: Field) -> dict[str, Upgrade]:
    upgrades = {}
    for style, value in at.entries().items():
        if not re.fullmatch(NAME, style):
            raise value.refuse(f"{style!r} is not the name of a style: upgrade-{style} would be its script")
        fields = value.record(
            description=Field.text,
            within=lambda at: at.word(("major", "minor")),
            minors=Field.integer,
            since=Field.text,
        )
        upgrades[style] = Upgrade(style, **fields)
    return upgrades


def _choices(at: Field) -> tuple[tuple[Choice, ...], str]:
    if at.kind == manifest.SEQUENCE:
        return tuple(Choice(text) for text in at.texts()), ""
    entries = at.entries()
    if list(entries) == ["command"]:
        return (), entries["command"].text()
    return tuple(Choice(value, text.text()) for value, text in entries.items()), ""


def _question(at: Field, path: str, folder: str, changes: str) -> Question:
    fields = at.record(
        name=_variable,
        ask=Field.text,
        help=Field.text,
        type=lambda at: at.word(TYPES),
        choices=_choices,
        default=Field.text,
        when=Field.text,
        check=Field.text,
        env=lambda at: tuple(_variable(item) for item in at.items()),
        advanced=Field.flag,
        optional=Field.flag,
        pattern=_pattern,
        min=Field.integer,
        max=Field.integer,
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


def _refuse_twins(root: Field, questions: tuple[Question, ...]) -> None:
    seen: set[str] = set()
    items = root.entries()["questions"].items() if questions else []
    for question, at in zip(questions, items, strict=True):
        if question.name in seen:
            raise at.refuse(f"{question.name} is asked twice")
        seen.add(question.name)
