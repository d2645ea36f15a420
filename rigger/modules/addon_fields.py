"""The fields of a manifest that are an add-on's: by which labels it knows others, and what it has to bring along."""

from __future__ import annotations

from rigger.modules.model import FileRequirement, Requirements
from rigger.modules.selectors import NONE, ONE, OPERATORS, SOME, Expression, Group, Requirement, Requires
from rigger.modules.shapes import TEXT, TEXTS, Entry, Shape, list_of, map_of, map_or, matching, record, word

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rigger.modules.shapes import Schema
    from rigger.modules.yaml import Field

EXPRESSION_FIELDS = (
    Entry("key", TEXT, "The label.", required=True),
    Entry(
        "operator",
        word(OPERATORS),
        "``eq``, ``ne`` (one value), ``in``, ``notin`` (some values), ``exists``, ``absent`` (no values), or of "
        "versions ``>=``, ``>``, ``<=``, ``<`` (one value). ``ne`` and ``notin`` hold where the label is not there.",
        required=True,
    ),
    Entry("values", TEXTS, "The values, as text: 2.10 stays 2.10."),
)
_EXPRESSION = record(EXPRESSION_FIELDS)


def _expression(at: Field) -> Expression:
    expression = Expression(**_EXPRESSION.read(at))
    if problem := expression.problem():
        raise at.refuse(problem)
    return expression


def _expression_schema() -> Schema:
    counts = {
        ONE: {"required": ["values"], "properties": {"values": {"minItems": 1, "maxItems": 1}}},
        SOME: {"required": ["values"], "properties": {"values": {"minItems": 1}}},
        NONE: {"properties": {"values": {"maxItems": 0}}},
    }
    rules = []
    for takes, then in counts.items():
        operators = [name for name, wanted in OPERATORS.items() if wanted == takes]
        chosen = {"properties": {"operator": {"enum": operators}}, "required": ["operator"]}
        rules.append({"if": chosen, "then": then})
    return {**_EXPRESSION.schema(), "allOf": rules}


_EXPRESSIONS = list_of(Shape(_expression, _expression_schema))


def _group(at: Field) -> Group:
    expressions = _EXPRESSIONS.read(at)
    if not expressions:
        raise at.refuse("a group without an expression would select every module")
    return Group(expressions)


GROUP = Shape(_group, lambda: {**_EXPRESSIONS.schema(), "minItems": 1})
GROUPS = list_of(GROUP)


def _any(at: Field) -> tuple[Group, ...]:
    groups: tuple[Group, ...] = GROUPS.read(at)
    if not groups:
        raise at.refuse("any of no groups is never met")
    return groups


ANY_FIELDS = (
    Entry(
        "any",
        Shape(_any, lambda: {**GROUPS.schema(), "minItems": 1}),
        "Groups of which one will do.",
        required=True,
    ),
)
_ANY = record(ANY_FIELDS)
REQUIREMENT = map_or(
    Shape(lambda at: Requirement(_ANY.read(at)["any"]), _ANY.schema),
    Shape(lambda at: Requirement((_group(at),)), GROUP.schema),
)

REQUIRES_FIELDS = (
    Entry(
        "strong",
        list_of(REQUIREMENT),
        "What must be there, each a group or ``{any: [group, ...]}``: for each, a module that is applied.",
    ),
    Entry("weak", GROUPS, "What it connects to where it is there."),
)
_REQUIRES = record(REQUIRES_FIELDS)
REQUIRES = Shape(lambda at: Requires(**_REQUIRES.read(at)), _REQUIRES.schema)

_SHA256 = matching("[0-9a-f]{64}", lambda text: f"{text!r} is no SHA-256: 64 digits of hex")
FILE_FIELDS = (
    Entry("url", TEXT, "Where it is downloaded from.", required=True),
    Entry("sha256", _SHA256, "The SHA-256 of its content.", required=True),
)
_FILE = record(FILE_FIELDS)
_IMAGE = matching(
    r"[^\s@]+@sha256:[0-9a-f]{64}", lambda text: f"{text!r} names no digest: NAME@sha256:DIGEST"
)
REQUIREMENTS_FIELDS = (
    Entry(
        "files",
        list_of(Shape(lambda at: FileRequirement(**_FILE.read(at)), _FILE.schema)),
        "Files to download: ``{url: https://..., sha256: ...}``.",
    ),
    Entry("packages", map_of(TEXTS, word(("debian",))), "Packages of a system: ``{debian: [jq]}``."),
    Entry("python", TEXTS, "Packages from PyPI, with their versions: ``[kafka-python==2.2.15]``."),
    Entry("images", list_of(_IMAGE), "Container images, each by its digest."),
)
_REQUIREMENTS = record(REQUIREMENTS_FIELDS)
REQUIREMENTS = Shape(lambda at: Requirements(**_REQUIREMENTS.read(at)), _REQUIREMENTS.schema)


def _member(text: str) -> str:
    return f"{text!r} is not the name of a field of an output: a word, or words with dots between them"


_FIELD_NAMES = list_of(matching(r"[A-Za-z_][A-Za-z0-9_-]*(\.[A-Za-z_][A-Za-z0-9_-]*)*", _member))


def _version(at: Field) -> str:
    text = at.text()
    if not text or "@" in text or any(character.isspace() for character in text):
        raise at.refuse(f"{text!r} is no version: one word without @")
    return text


ADDON_FIELDS: tuple[Entry, ...] = (
    Entry(
        "version",
        Shape(_version, lambda: {"type": ["string", "number", "boolean"], "pattern": r"^[^\s@]+$"}),
        "Its version, which is a label as well.",
        "addon",
    ),
    Entry("requires", REQUIRES, "Which modules it stands on, by their labels.", "addon"),
    Entry(
        "influences",
        GROUPS,
        "Which add-ons are told, by their script ``plan``, that it was applied; of a provider, that the machines were made, "
        "of a platform, that it was deployed.",
    ),
    Entry(
        "needs",
        _FIELD_NAMES,
        "Fields of others' output that ``apply`` reads, such as ``monitoring.targets``: the name of a module, then "
        "the field; or the field alone, of any module that it requires.",
        "addon",
    ),
    Entry("provides", _FIELD_NAMES, "Fields of its own output that ``apply`` must give.", "addon"),
    Entry("requirements", REQUIREMENTS, "What an installation without a network must bring along."),
)
ADDON_RECORDS: dict[str, tuple[Entry, ...]] = {
    "requires": REQUIRES_FIELDS,
    "group": EXPRESSION_FIELDS,
    "requirements": REQUIREMENTS_FIELDS,
    "files": FILE_FIELDS,
}
