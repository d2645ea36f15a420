"""The fields of a manifest: one table, by which it is read, and of which its schema and its reference are made."""

from __future__ import annotations

import re

from rigger.modules.addon_fields import ADDON_FIELDS, ADDON_RECORDS
from rigger.modules.container_fields import CONTAINER, CONTAINER_RECORDS
from rigger.modules.contract import GIT_TAGS, INTERFACE
from rigger.modules.model import Suite, TerraformSettings, Tool
from rigger.modules.shapes import (
    DURATION_SHAPE,
    FLAG,
    INTEGER,
    MODULE_NAME,
    PATTERN,
    PORT,
    TEST,
    TEXT,
    TEXT_MAP,
    TEXTS,
    TOOL,
    VARIABLE,
    VARIABLE_MAP,
    VARIABLES,
    WAIT,
    Entry,
    Shape,
    either,
    list_of,
    map_of,
    map_or,
    record,
    record_schema,
    word,
)
from rigger.modules.upgrade_fields import UPGRADE_RECORDS, UPGRADES
from rigger.modules.verbs import ROLES, SUSPENDS
from rigger.questions.model import CHANGES, KEY_KINDS, TYPES, Choice

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rigger.modules.shapes import Schema
    from rigger.modules.yaml import Field


def _interface(at: Field) -> int:
    """Return the number; whether rigger speaks it was checked before any other field."""
    return at.integer()


def _git_tags(at: Field) -> str:
    if at.text() != GIT_TAGS:
        raise at.refuse("must be a list")
    return GIT_TAGS


VERSIONS = either(TEXTS, Shape(_git_tags, lambda: {"const": GIT_TAGS}))


def _interface_number(at: Field) -> int:
    if not re.fullmatch(r"[1-9][0-9]{0,3}", at.text()):
        raise at.refuse(f"{at.text()!r} is not the number of an interface")
    return int(at.text())


INTERFACES = map_of(TEXT, Shape(_interface_number, lambda: {"pattern": "^[1-9][0-9]{0,3}$"}))

TERRAFORM_FIELDS = (
    Entry("minimum", TEXT, "The oldest version of Terraform that will do."),
    Entry("variables", TEXT_MAP, "Which var a variable of Terraform gets: ``{region: KILN_REGION}``."),
    Entry(
        "outputs", map_of(VARIABLE), "Which var an output becomes: ``{glazed: GLAZED}``. Others are left out."
    ),
    Entry("inventory", TEXT, "The output that lists the nodes, where it is not ``nodes`` or ``inventory``."),
    Entry("backends", map_of(TEXT_MAP), "Settings of a kind of backend, filled in from answers by Jinja2."),
)
_TERRAFORM = record(TERRAFORM_FIELDS)
TERRAFORM = Shape(lambda at: TerraformSettings(**_TERRAFORM.read(at)), _TERRAFORM.schema)

TOOL_FIELDS = (
    Entry("name", TEXT, "The program.", required=True),
    Entry("minimum", TEXT, "The oldest version that will do."),
    Entry("remedy", TEXT, "How to get it, in a sentence."),
)
_TOOL = record(TOOL_FIELDS)


def _tool_of_text(at: Field) -> Tool:
    match = re.fullmatch(TOOL, at.text())
    if not match:
        raise at.refuse(f"{at.text()!r} is not a tool such as terraform or terraform>=1.5")
    return Tool(match[1], match[2] or "")


TOOLS = list_of(
    map_or(
        Shape(lambda at: Tool(**_TOOL.read(at)), _TOOL.schema),
        Shape(_tool_of_text, lambda: {"type": ["string", "integer"], "pattern": f"^{TOOL}$", "minimum": 0}),
    )
)

TESTS = list_of(TEST)
SUITE_FIELDS = (
    Entry("description", TEXT, "What it tests, in a few words."),
    Entry("tests", TESTS, "The programs in ``tests/``, in their order.", required=True),
)
_SUITE = either(Shape(lambda at: {"tests": TESTS.read(at)}, TESTS.schema), record(SUITE_FIELDS))


def _suites(at: Field) -> dict[str, Suite]:
    suites = {}
    for name, value in at.entries().items():
        fields = _SUITE.read(value)
        if not fields.get("tests"):
            raise value.refuse("lists no tests")
        suites[name] = Suite(name, fields.get("description", ""), fields["tests"])
    return suites


def _suites_schema() -> Schema:
    tests = {**TESTS.schema(), "minItems": 1}
    described = record_schema(SUITE_FIELDS)
    described["properties"]["tests"].update(tests)
    return {"type": "object", "additionalProperties": {"anyOf": [tests, described]}}


SUITES = Shape(_suites, _suites_schema)


def _choices(at: Field) -> tuple[tuple[Choice, ...], str]:
    entries = at.entries()
    if list(entries) == ["command"]:
        return (), entries["command"].text()
    return tuple(Choice(value, text.text()) for value, text in entries.items()), ""


CHOICES = either(
    Shape(lambda at: (tuple(Choice(text) for text in at.texts()), ""), TEXTS.schema),
    Shape(_choices, TEXT_MAP.schema),
)


def _length(at: Field) -> int:
    if not LENGTHS[0] <= at.integer() <= LENGTHS[1]:
        raise at.refuse(f"{at.text()} is not a length from {LENGTHS[0]} to {LENGTHS[1]}")
    return at.integer()


LENGTHS = (8, 1024)
GENERATE_FIELDS = (
    Entry(
        "length",
        Shape(_length, lambda: {"type": "integer", "minimum": LENGTHS[0], "maximum": LENGTHS[1]}),
        "How many characters it has.",
        required=True,
    ),
)

QUESTION_FIELDS = (
    Entry("name", VARIABLE, "The variable.", required=True),
    Entry("ask", TEXT, "The question, as a person reads it."),
    Entry("help", TEXT, "A sentence that goes with it."),
    Entry(
        "type",
        word(TYPES),
        "``text`` (the default), ``integer``, ``confirm`` (``true`` or ``false``), ``select``, ``checkbox`` (values "
        "joined by commas), ``path``, ``ssh-key`` (the file of a private key) or ``secret``.",
    ),
    Entry(
        "choices",
        CHOICES,
        "For ``select`` and ``checkbox``: a list, a map of values and descriptions, or ``{command: bin/regions}``, a "
        "program that prints a value on each line, or a value, a tab and a description.",
    ),
    Entry("default", TEXT, "Jinja2 over the values answered so far."),
    Entry("when", TEXT, "Jinja2: the question is asked only where it is true."),
    Entry(
        "check",
        TEXT,
        "A program that gets the values in its environment and exits 0, or prints what is wrong on its last line.",
    ),
    Entry(
        "env",
        VARIABLES,
        "Native names that are looked for in the process environment, beside ``RIGGER_NAME``.",
    ),
    Entry("advanced", FLAG, "``true``: only asked with ``--advanced``; else its default holds."),
    Entry("optional", FLAG, "``true``: it may stay empty."),
    Entry(
        "keep",
        FLAG,
        "``true``: the answer is stored, also when it is the default; without it a later default counts.",
    ),
    Entry(
        "generate",
        record(GENERATE_FIELDS),
        "For ``secret``: ``{length: 32}``, so many letters and digits, made once where nobody gives a value; nobody is asked.",
    ),
    Entry(
        "copy",
        FLAG,
        "For ``secret``: ``false`` keeps it from the copy on which ``rigger upgrade --rehearse`` rehearses; one that can be "
        "generated is generated for every copy.",
    ),
    Entry(
        "make",
        word(KEY_KINDS),
        "For ``ssh-key``: ``ed25519`` or ``rsa`` (4096 bits), the kind of key to make, without a passphrase, where "
        "``~/.ssh`` has none. A person is asked; without one the first key there is taken, else one is made. Nothing is "
        "overwritten.",
    ),
    Entry("pattern", PATTERN, "A regular expression that the whole value must match."),
    Entry("min", INTEGER, "The smallest integer that is accepted."),
    Entry("max", INTEGER, "The largest integer that is accepted."),
    Entry(
        "changes",
        word(CHANGES),
        "The step that runs again when the value changes: ``none``, ``install``, ``deploy``, ``apply``, ``create``, or "
        "``replace``: ``create``, after asking, because machines and what is on them are lost. Without it ``create`` in "
        "a provider, ``deploy`` in a platform, ``apply`` in an add-on.",
    ),
)
_QUESTION = record(QUESTION_FIELDS)


def _question_schema() -> Schema:
    chosen = {"properties": {"type": {"enum": ["select", "checkbox"]}}, "required": ["type"]}
    some = {"properties": {"choices": {"minItems": 1, "minProperties": 1}}, "required": ["choices"]}
    made = {"properties": {"type": {"const": "secret"}}, "required": ["type"]}
    return {**_QUESTION.schema(), "if": chosen, "then": some, "dependentSchemas": {"generate": made}}


QUESTIONS = Shape(
    lambda at: [(item, _QUESTION.read(item)) for item in at.items()],
    lambda: {"type": "array", "items": _question_schema()},
)

FIELDS = (
    Entry(
        "interface",
        Shape(_interface, lambda: {"enum": [INTERFACE, str(INTERFACE)]}),
        f"The version of the contract: ``{INTERFACE}``.",
        required=True,
    ),
    Entry("name", MODULE_NAME, "The name by which it is chosen.", required=True),
    Entry("role", word(ROLES), "What it is: ``provider``, ``platform`` or ``addon``.", required=True),
    Entry("description", TEXT, "What it is, in a few words for people."),
    Entry(
        "labels",
        TEXT_MAP,
        "What it is known by to add-ons: ``{kind: monitoring}``. Beside these every module has ``name`` and ``role``, a "
        "provider ``kind: infrastructure`` and ``provider: NAME``, a platform ``kind: platform`` and ``platform: NAME``.",
    ),
    Entry("rigger", TEXT, "The version of rigger that knows an interface which an older one does not."),
    Entry(
        "tools",
        TOOLS,
        "Programs that must be on ``PATH`` before anything starts: ``terraform``, ``terraform>=1.5``, or "
        '``{name: terraform, minimum: "1.5", remedy: how to get it}``.',
    ),
    Entry("types", map_of(VARIABLE_MAP), "Cluster types: named sets of defaults."),
    Entry("questions", QUESTIONS, "The values that the scripts need."),
    Entry(
        "outputs", VARIABLES, "Vars that ``create`` (of a platform: ``deploy``) must set, or it has failed."
    ),
    Entry(
        "timeouts",
        map_of(DURATION_SHAPE),
        "How long a script may take: ``{create: 45m, check: 90s, test: 1h}``, where ``test`` stands for every test. "
        "Without it an hour; ten minutes for ``check``, half an hour for a test.",
    ),
    Entry("vars", VARIABLE_MAP, "Vars that are computed by Jinja2 over all other vars, on every machine."),
    Entry(
        "ready",
        WAIT,
        "How long machines may take after ``create`` and ``resume`` until they answer: ``10m``; without it five "
        "minutes; ``0`` does not wait.",
        "provider",
    ),
    Entry(
        "suspend",
        word(SUSPENDS),
        "What the script ``suspend`` does with the machines: ``ends`` them, with what is on them (the default), or "
        "``stops`` them. Where it ends them, the platform is backed up and taken off first, and comes back on new ones.",
        "provider",
    ),
    Entry(
        "costs",
        TEXT,
        "Machines that cost money: the file with their prices, such as ``prices.yml``, or ``unknown``. What they cost is "
        "shown, and agreed to, before they are made for the first time.",
        "provider",
    ),
    Entry("terraform", TERRAFORM, "For a folder of ``.tf`` files, of a provider or an add-on."),
    Entry("container", CONTAINER, "An image whose commands are the scripts.", "addon"),
    Entry(
        "prefix",
        VARIABLE,
        "The beginning of ``PREFIX_ID``, ``PREFIX_VERSION`` and ``PREFIX_ROOT``, the platform's own folder; without it, "
        "the name in capitals. Of an add-on, the beginning of all its vars.",
    ),
    Entry("repository", TEXT, "The URL of the git repository that the platform comes from.", "platform"),
    Entry(
        "versions",
        VERSIONS,
        "The versions that are offered; ``git-tags`` offers the tags of the repository.",
        "platform",
    ),
    Entry("version-pattern", PATTERN, "A regular expression for other versions that will do.", "platform"),
    Entry(
        "interfaces",
        INTERFACES,
        "Which interface the versions of the repository speak, as the oldest version of each: "
        "``{1: 1.11.0, 2: 2.0.0}``. Older versions are refused.",
        "platform",
    ),
    Entry(
        "suites",
        SUITES,
        "Named lists of tests: ``smoke: {description: ..., tests: [put-get, delete]}``.",
        "platform",
    ),
    Entry("components", SUITES, "The tests of one component, written like suites.", "platform"),
    Entry(
        "upgrades",
        UPGRADES,
        "The ways in which the version can change, each with a script ``upgrade-NAME``, and the jumps that it can make: "
        "``graceful: {description: ..., within: major, minors: 1, since: 3.4.0}``.",
        "platform",
    ),
    Entry(
        "ports", list_of(PORT), "The ports that it publishes on every node, for a load balancer.", "platform"
    ),
    Entry(
        "ssh-agent",
        VARIABLES,
        "The ``ssh-key`` questions whose keys an ssh agent holds while steps run: ``[DEPLOY_KEY]``. An agent that is "
        "there (``$SSH_AUTH_SOCK``) gets the keys that it lacks, and loses them again; where there is none, one is "
        "started, and stopped when the run ends. ``ssh-add`` asks for a passphrase before the first step.",
        "platform",
    ),
    *ADDON_FIELDS,
)
MODULE = record(FIELDS)

# Which records there are below the top, for the reference: the name of the field that holds one, and its fields.
RECORDS: dict[str, tuple[Entry, ...]] = {
    "questions": QUESTION_FIELDS,
    "generate": GENERATE_FIELDS,
    "terraform": TERRAFORM_FIELDS,
    "tools": TOOL_FIELDS,
    "suites": SUITE_FIELDS,
    **UPGRADE_RECORDS,
    **CONTAINER_RECORDS,
    **ADDON_RECORDS,
}


def schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a manifest, as editors use it.

    It cannot say that two questions have one name, or that a pattern is a regular expression: reading does.
    """
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "rigger.yml, the manifest of a provider, a platform or an add-on of rigger",
    }
    return {**head, **MODULE.schema()}
