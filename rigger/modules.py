"""Modules: folders of scripts with a manifest; where they are looked for and what their rigger.yml says."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from rigger import envfile, manifest
from rigger.errors import BadUsage, Refused, RiggerError
from rigger.manifest import Field
from rigger.questions import CHANGES, KEY_KINDS, TYPES, Choice, Question, did_you_mean

MANIFEST = "rigger.yml"
GIT_TAGS = "git-tags"  # in a manifest, instead of a list of versions
INTERFACE = 2
ROLES = ("provider", "platform", "addon")
NAME = r"[a-z0-9][a-z0-9_-]{0,62}"
DURATION = r"(?:([0-9]{1,6})h)?(?:([0-9]{1,6})m)?(?:([0-9]{1,6})s)?"
REQUIRED = {
    "provider": ("install", "create", "check", "destroy"),
    "platform": ("install", "deploy", "check", "undeploy"),
}

# What a provider that is a folder of .tf files gets from rigger.
TERRAFORM_STEPS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "libexec", "terraform")
TERRAFORM_VERBS = ("install", "create", "check", "destroy", "plan", "audit")
VERBS = ("install", "create", "check", "destroy", "exec", "plan", "audit", "backup", "restore", "scale")
VERBS += ("suspend", "resume", "leaving")
SUSPENDS = ("ends", "stops")  # the machines with what is on them, or only until they are started again

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
class TerraformSettings:
    """What a manifest says of a provider's .tf files; all of it has defaults."""

    minimum: str = ""  # the oldest version of Terraform that will do
    variables: Mapping[str, str] = field(default_factory=dict)  # Terraform's variable -> var
    outputs: Mapping[str, str] = field(default_factory=dict)  # output -> var; empty: each in capitals
    inventory: str = ""  # the output that lists the nodes
    backends: Mapping[str, Mapping[str, str]] = field(
        default_factory=dict
    )  # kind -> settings, Jinja2 templates


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
    ssh_agent: tuple[str, ...] = ()  # the questions whose keys an agent serves during a run
    interface: int = INTERFACE
    terraform: TerraformSettings = field(default_factory=TerraformSettings)

    def script(self, verb: str) -> str | None:
        """Return the path of a verb's script, `verb` or `verb.sh`, or None where the module has none."""
        if self.interface == 1:
            from rigger import interface1

            return interface1.script(self.folder, verb)
        for name in (verb, f"{verb}.sh"):
            path = os.path.join(self.folder, name)
            if os.path.isfile(path) and not (verb == "check" and self.has_terraform):
                return path
        return os.path.join(TERRAFORM_STEPS, verb) if verb in TERRAFORM_VERBS and self.has_terraform else None

    @property
    def has_terraform(self) -> bool:
        """Whether the module's folder has .tf files, and so gets from rigger the scripts that it lacks.

        Its own `check` runs after rigger's.
        """
        try:
            names = os.listdir(self.folder) if self.role == "provider" and self.interface != 1 else []
        except OSError:
            return False
        return any(name.endswith((".tf", ".tf.json")) for name in names)

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
        if self.interface == 1:
            from rigger import interface1

            return interface1.problem(path)
        return script_problem(path)

    def argv(self, path: str) -> list[str]:
        """Return the command that runs one of its scripts."""
        if self.interface == 1:
            from rigger import interface1

            return interface1.argv(path)
        return [path]

    def shown(self, path: str) -> str:
        """Return a script's path as people write it: providers/local/create."""
        if not path.startswith(self.folder + os.sep):
            return path.removeprefix(os.path.dirname(os.path.abspath(__file__)) + os.sep)
        if self.interface == 1:
            return f"contrib/{self.name}/{os.path.relpath(path, self.folder)}"
        return f"{self.role}s/{self.name}/{os.path.relpath(path, self.folder)}"


def script_problem(path: str) -> str | None:
    """Return why a file cannot be executed as a script, None when it can."""
    if os.path.exists(path) and not os.path.isfile(path):
        return "is no file"  # a pipe, for example, would never end
    try:
        with open(path, "rb") as script:
            start = script.readline(256)
    except OSError as problem:
        return f"cannot be read ({problem.strerror})"
    if not os.access(path, os.X_OK):
        return "is not executable"
    if start[:2] == b"#!":  # its program may be missing: install could be what brings it
        ends = "has a #! line that ends as Windows ends lines: the system takes that for a part of it"
        return ends if start.endswith(b"\r\n") else None
    return None if start[:4] == b"\x7fELF" or start[:4] in _MACH_O else "has no #! line"


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
    """Return a SHA-256 over the files that a module's scripts share: all but the scripts, tests and manifest.

    In a git repository, those that git tracks: what a build leaves there changes nothing. A module that is the whole
    repository shares nothing, as the repository is full of other things.
    """
    digest = hashlib.sha256()
    own = {MANIFEST, "README", "README.md", "README.rst", "__init__.py", "__pycache__", "tests", ".git"}
    if module.interface == 1:
        from rigger import interface1

        own |= interface1.FILES  # a script may lack the run bit; config.sh counts through what it gives
    for path in sorted(_shared_files(module, own)):
        name = os.path.relpath(path, module.folder)
        if os.sep not in name and os.access(path, os.X_OK):
            continue  # a verb's script counts for that verb alone
        digest.update(os.fsencode(name) + b"\0" + script_digest(path).encode() + b"\n")
    return digest.hexdigest()


def _shared_files(module: Module, without: set[str]) -> Iterator[str]:
    root = os.path.realpath(module.checkout)
    if not module.checkout or not os.path.exists(os.path.join(root, ".git")):
        yield from _files(module.folder, without)
        return
    from rigger import checkout

    folder = os.path.realpath(module.folder)
    for path in checkout.tracked(root, folder) if folder != root else ():
        if without.isdisjoint(os.path.relpath(path, folder).split(os.sep)):
            yield os.path.join(module.folder, os.path.relpath(path, folder))


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
    return [folder for _, folder in _places(role, home)]


def _places(role: str, home: str) -> list[tuple[str, str]]:
    """Return where modules may lie, in words, and the folders that hold them."""
    variable = f"RIGGER_{role.upper()}_PATH"
    listed = [folder for folder in os.environ.get(variable, "").split(os.pathsep) if folder]
    own = [(f"${variable}", os.path.abspath(folder)) for folder in listed]
    return [*own, (OWN_PLACE.format(role), os.path.join(home, f"{role}s")), (PACKAGE, packaged(role))]


OWN_PLACE = "~/.rigger/{}s"
PACKAGE = "rigger itself"
IN_CHECKOUT = "checkout"
PLATFORM_PLACES = (".", "rigger", ".rigger", "contrib/rigger")  # of a repository, for its own platform
PROVIDER_PLACES = ("contrib", "providers")  # of a repository, for folders of its own providers


@dataclass(frozen=True)
class Found:
    """A module that was found, where, and why it cannot be used if it cannot."""

    name: str
    folder: str
    place: str
    interface: int = INTERFACE
    problem: str = ""
    shadowed: bool = False  # another of that name was found before
    description: str = ""


def found(role: str, home: str, checkout: str | None = None) -> list[Found]:
    """Return every module of a role, also those that another one hides and those that cannot be used."""
    seen: set[str] = set()
    result = []
    for candidate in _candidates(role, home, checkout):
        result.append(replace(_examined(candidate, role, home), shadowed=candidate.name in seen))
        seen.add(candidate.name)
    return result + _mere_scripts(role, home, checkout)


def _mere_scripts(role: str, home: str, checkout: str | None) -> list[Found]:
    """Return the folders that hold a role's scripts where rigger does not take them for a module, and why."""
    known = {f"{verb}{end}" for verb in ("destroy", "undeploy", *REQUIRED[role]) for end in ("", ".sh")}
    reason = (
        "its scripts have no rigger.yml beside them, and only those in contrib/ of a repository do without"
    )
    places = [(place, path) for place, folder in _places(role, home) for path in _subfolders(folder)]
    result = [Found(os.path.basename(path), path, place, 0, reason) for place, path in places]
    if checkout and role == "provider":
        reason = "that is not a name: lower-case letters, digits, - and _, at most 63"
        contrib = _subfolders(os.path.join(checkout, "contrib"))
        odd = [path for path in contrib if not re.fullmatch(NAME, os.path.basename(path))]
        result += [Found(os.path.basename(path), path, IN_CHECKOUT, 0, reason) for path in odd]
    return [at for at in result if _names(at.folder) & known and MANIFEST not in _names(at.folder)]


def _names(folder: str) -> set[str]:
    try:
        return {*os.listdir(folder)}
    except OSError:
        return set()


def _examined(candidate: Found, role: str, home: str) -> Found:
    """Return a module with its description, or with all that is wrong with it."""
    try:
        module = _of_role(_load(candidate, home), role)
    except RiggerError as problem:
        return replace(candidate, problem=problem.message)
    return replace(candidate, problem="; ".join(script_problems(module)), description=module.description)


def script_problems(module: Module) -> list[str]:
    """Return a sentence about each file that looks like a script but cannot run, and each that is missing."""
    if module.interface == 1:
        from rigger import interface1

        return interface1.unusable(module.folder)
    problems = []
    for name in sorted(os.listdir(module.folder)):
        path = os.path.join(module.folder, name)
        if is_verb(name.removesuffix(".sh")) and (reason := script_problem(path)):
            problems.append(f"{path} {reason}")
    for verb in REQUIRED.get(module.role, ()):
        if module.script(verb) is None and not os.path.lexists(os.path.join(module.folder, verb)):
            problems.append(f"it has no script {verb}")
    return problems


def is_verb(name: str) -> bool:
    """Return whether a file of that name, without .sh, is a script that rigger runs."""
    return name in VERBS or name in PLATFORM_VERBS or name.startswith("upgrade-")


PLATFORM_VERBS = ("deploy", "undeploy", "prepare", "setup-clients")


def folders(role: str, home: str, checkout: str | None = None) -> dict[str, str]:
    """Return every module that can be found, name -> folder; the first place that has a name wins."""
    found: dict[str, str] = {}
    for candidate in _candidates(role, home, checkout):
        found.setdefault(candidate.name, candidate.folder)
    return found


def _candidates(role: str, home: str, checkout: str | None) -> Iterator[Found]:
    """Return what looks like a module of a role, in the order in which modules are looked for."""
    if checkout:
        yield from in_checkout(role, home, checkout)
    for place, folder in _places(role, home):
        try:
            names = sorted(os.listdir(folder))
        except OSError:
            continue
        for name in names:
            if os.path.isfile(os.path.join(folder, name, MANIFEST)):
                yield Found(name, os.path.join(folder, name), place)


def in_checkout(role: str, home: str, checkout: str) -> list[Found]:
    """Return the modules of a role that lie in a platform's repository: its own platform, its providers."""
    if role == "platform":
        places = [os.path.normpath(os.path.join(checkout, place)) for place in PLATFORM_PLACES]
        platforms = (_in_checkout(folder, role, home) for folder in places if _lies_in(folder, checkout))
        return [platform for platform in platforms if platform][:1]
    found = []
    for place in PROVIDER_PLACES if role == "provider" else ():
        for folder in _subfolders(os.path.join(checkout, place)):
            if _lies_in(folder, checkout) and (module := _in_checkout(folder, role, home)):
                found.append(module)
    return found + _without_manifest(role, checkout)


def _in_checkout(folder: str, role: str, home: str) -> Found | None:
    """Return the module of that role whose manifest lies in a folder; one that cannot be read counts."""
    path = os.path.join(folder, MANIFEST)
    if not os.path.isfile(path):
        return None
    name = os.path.basename(folder)
    try:
        fields = manifest.read(path, _manifest_cache(home)).entries()
        if "role" in fields and fields["role"].text() != role:
            return None
        name = fields["name"].text() if role == "platform" and "name" in fields else name
    except Refused:
        if role == "provider" and name == "rigger":
            return None  # the platform's own place
    return Found(name, folder, IN_CHECKOUT)


def _without_manifest(role: str, checkout: str) -> list[Found]:
    """Return the providers that are scripts alone."""
    if role != "provider":
        return []
    from rigger import interface1

    found = interface1.find(checkout).items()
    return [Found(name, folder, IN_CHECKOUT, interface=1) for name, folder in found]


def _subfolders(folder: str) -> list[str]:
    try:
        return sorted(entry.path for entry in os.scandir(folder) if entry.is_dir())
    except OSError:
        return []


def _lies_in(folder: str, checkout: str) -> bool:
    root = os.path.realpath(checkout)
    return f"{os.path.realpath(folder)}{os.sep}".startswith(root + os.sep)


def _manifest_cache(home: str) -> str:
    return os.path.join(home, "cache", "manifests")


def _load(candidate: Found, home: str, checkout: str | None = None) -> Module:
    """Return the module that was found; raises Refused where it cannot be used."""
    if candidate.interface == 1:
        from rigger import interface1

        module = interface1.load(candidate.folder)
    else:
        module = load(candidate.folder, _manifest_cache(home))
    return replace(module, checkout=checkout or "") if candidate.place == IN_CHECKOUT else module


def find(role: str, name: str, home: str, checkout: str | None = None) -> Module:
    """Return the module of that name, or at that path if it has a slash; raises BadUsage or Refused.

    Modules are looked for in the platform's `checkout`, under $RIGGER_PROVIDER_PATH, in the user's own folder, and in
    rigger itself.
    """
    if os.sep in name:
        folder = os.path.abspath(os.path.expanduser(name))
        if role == "provider" and not os.path.isfile(os.path.join(folder, MANIFEST)):
            from rigger import interface1

            if interface1.is_provider(folder):
                return interface1.load(folder)
        if not os.path.isfile(os.path.join(folder, MANIFEST)):
            if old := _scripts_alone(role, folder):
                return old
            raise BadUsage(
                f"There is no {role} in {folder}: it has no {MANIFEST}.",
                "Give the folder of a module, or its name.",
            )
        return _of_role(load(folder, _manifest_cache(home)), role)
    for candidate in in_checkout(role, home, checkout) if checkout else ():
        if candidate.name == name:
            return _of_role(_load(candidate, home, checkout), role)
    for place in search_path(role, home):
        folder = os.path.join(place, name)
        if re.fullmatch(NAME, name) and os.path.isfile(os.path.join(folder, MANIFEST)):
            return _of_role(load(folder, _manifest_cache(home)), role)
    known = sorted(folders(role, home, checkout))
    raise BadUsage(
        f"There is no {role} named {name!r}{did_you_mean(name, known)}.",
        f"Known: {', '.join(known)}. Others are found in $RIGGER_{role.upper()}_PATH and {home}/{role}s.",
    )


def _scripts_alone(role: str, folder: str) -> Module | None:
    """Return the provider of interface 1 in a folder that somebody named, None where it is none."""
    from rigger import interface1

    return interface1.load(folder) if role == "provider" and interface1.is_provider(folder) else None


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
        repository=Field.text,
        versions=_versions,
        version_pattern=_pattern,
        interfaces=_interfaces,
        terraform=_terraform,
        suites=_suites,
        components=_suites,
        upgrades=_upgrades,
        vars=lambda at: _text_map(at, variable=True),
        ports=lambda at: tuple(_port(item) for item in at.items()),
        suspend=lambda at: at.word(SUSPENDS),
        ssh_agent=lambda at: tuple(_variable(item) for item in at.items()),
    )
    for needed in ("name", "role"):
        if needed not in fields:
            raise root.refuse(f"the field {needed!r} is missing")
    fields.pop("interface", None)
    if fields.get("versions") == GIT_TAGS:
        fields.update(versions=(), git_tags=True)
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


def _terraform(at: Field) -> TerraformSettings:
    fields = at.record(
        minimum=Field.text,
        variables=_text_map,
        outputs=lambda at: {name: _variable(value) for name, value in at.entries().items()},
        inventory=Field.text,
        backends=lambda at: {kind: _text_map(value) for kind, value in at.entries().items()},
    )
    return TerraformSettings(**fields)


def _versions(at: Field) -> tuple[str, ...] | str:
    return GIT_TAGS if at.kind != manifest.SEQUENCE and at.text() == GIT_TAGS else at.texts()


def _interfaces(at: Field) -> dict[int, str]:
    found = {}
    for number, version in at.entries().items():
        if not re.fullmatch(r"[1-9][0-9]{0,3}", number):
            raise version.refuse(f"{number!r} is not the number of an interface")
        found[int(number)] = version.text()
    return found


def _port(at: Field) -> int:
    if not 0 < at.integer() < 65536:
        raise at.refuse(f"{at.text()} is not a port: a number from 1 to 65535")
    return at.integer()


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
CORE = ("PLATFORM", "VERSION", "PROVIDER", "TYPE", "NAME", "REPOSITORY", "REF", "CHECKOUT", "PLATFORM_SOURCE")

# What rigger itself sets for scripts, or reads; a question of that name would be answered by accident.
CONTRACT_VARIABLES = frozenset(
    f"RIGGER_{name}"
    for name in (
        "INTERFACE HOME ENVIRONMENT ENVIRONMENT_ID ENVIRONMENT_DIR MODULE_DIR STATE_DIR INVENTORY INVENTORY_OUTPUT "
        "NODES_FILE VARS_FILE OUTPUT SECRETS_OUTPUT RUN STEP PYTHON CACHE_DIR BIN_DIR PROVIDER_DIR PROVIDER_STATE_DIR "
        "PLATFORM_DIR PLATFORM_PORTS "
        "LEAVING LOCK_FD FROM_VERSION BACKUP_FILE FIGURES_OUTPUT PROVIDER_PATH PLATFORM_PATH "
        "CONNECTIONS SSH_TIMEOUT RETRY_PAUSE"
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
        keep=Field.flag,
        make=lambda at: at.word(KEY_KINDS),
        pattern=_pattern,
        min=Field.integer,
        max=Field.integer,
        changes=lambda at: at.word(CHANGES),
    )
    if "name" not in fields:
        raise at.refuse("the field 'name' is missing")
    fields.setdefault("ask", f"{fields['name']}?")
    fields.setdefault("changes", changes)
    fields["pinned"] = fields.pop("keep", False) or "make" in fields
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
