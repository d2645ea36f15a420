"""The fields of a way to upgrade: the jumps that it can make, the stages that it goes by, and who judges each of them."""

from __future__ import annotations

import re

from rigger.modules.contract import NAME
from rigger.modules.model import REST, Judge, Limit, Stage, Upgrade
from rigger.modules.shapes import (
    DURATION_SHAPE,
    FLAG,
    INTEGER,
    TEST,
    TEXT,
    Entry,
    Shape,
    list_of,
    map_of,
    matching,
    record,
    record_schema,
    word,
)
from rigger.modules.verbs import ON_FAILURE, ROLLBACKS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rigger.modules.shapes import Schema
    from rigger.modules.yaml import Field

NODES = rf"[1-9][0-9]{{0,3}}|100%|[1-9][0-9]?%|{REST}"
NUMBER = r"[0-9]{1,12}(?:\.[0-9]{1,9})?"
LIMIT = rf"(?:({NUMBER})x(?: *\+ *({NUMBER}))?|({NUMBER}))"
TEMPLATE = r"[^\n]*\{\{[^\n]*"


def _for(at: Field) -> str:
    """Return how long is judged as it is written: a template is filled in when a plan is made."""
    if not re.fullmatch(TEMPLATE, at.text()):
        DURATION_SHAPE.read(at)
    return at.text()


FOR = Shape(
    _for, lambda: {"anyOf": [DURATION_SHAPE.schema(), {"type": "string", "pattern": f"^{TEMPLATE}$"}]}
)

_COUNT = matching(NODES, lambda text: f"{text!r} is no number of nodes: 1, 25% or {REST}")

STAGE_FIELDS = (
    Entry(
        "nodes",
        Shape(_COUNT.read, lambda: {**_COUNT.schema(), "minimum": 1, "maximum": 9999}),
        "How many nodes it brings to the new version: a number, a part such as ``25%``, or ``rest``, all that are left.",
        required=True,
    ),
    Entry("for", FOR, "How long this stage is judged, where that is not as the judge says."),
    Entry(
        "pause",
        FLAG,
        "``true``: once it is done and judged well, the upgrade waits until somebody agrees to the next stage.",
    ),
)
_STAGE = record(STAGE_FIELDS)
STAGES = list_of(
    Shape(
        lambda at: Stage(
            **{"lasts" if name == "for" else name: one for name, one in _STAGE.read(at).items()}
        ),
        _STAGE.schema,
    )
)


def _limit(at: Field) -> Limit:
    match = re.fullmatch(LIMIT, at.text())
    if not match:
        raise at.refuse(f"{at.text()!r} is no limit: a number, or 3x or 3x + 20 of what was measured before")
    times, plus, number = match.groups()
    return Limit(at.text(), float(times) if times else None, float(plus or number or 0))


LIMITS = map_of(
    Shape(_limit, lambda: {"type": ["string", "number"], "pattern": f"^({LIMIT})$", "minimum": 0}),
    matching("[A-Za-z_][A-Za-z0-9_]*", lambda text: f"{text!r} is not the name of a figure"),
)
JUDGE_FIELDS = (
    Entry(
        "test",
        TEST,
        "The program in ``tests/`` that measures for ``$RIGGER_JUDGE_SECONDS`` and reports with ``rigger-figure``. Where it "
        "fails, the stage is bad, whatever the figures are.",
        required=True,
    ),
    Entry(
        "for",
        FOR,
        "How long each stage is judged: ``60s``; Jinja2 over the vars may stand here.",
        required=True,
    ),
    Entry(
        "at-most",
        LIMITS,
        "Figures and what they may come to: a number, or ``3x + 20``, three times what was measured before the first stage, "
        "and 20.",
    ),
    Entry("at-least", LIMITS, "Figures and what they must come to."),
)
_JUDGE = record(JUDGE_FIELDS)


def _judge(at: Field) -> Judge:
    fields = _JUDGE.read(at)
    if not (fields.get("at_most") or fields.get("at_least")):
        raise at.refuse("has no limits: name figures under at-most or at-least")
    return Judge(fields["test"], fields["for"], fields.get("at_most", {}), fields.get("at_least", {}))


def _judge_schema() -> Schema:
    some = [
        {"required": [name], "properties": {name: {"minProperties": 1}}} for name in ("at-most", "at-least")
    ]
    return {**record_schema(JUDGE_FIELDS), "anyOf": some}


UPGRADE_FIELDS = (
    Entry("description", TEXT, "What it does, in a few words."),
    Entry("within", word(("major", "minor")), "The part of the version that must stay."),
    Entry("minors", INTEGER, "How many minor versions one jump may span."),
    Entry("since", TEXT, "The oldest version that it can start from."),
    Entry(
        "rollback",
        word(ROLLBACKS),
        "The way back from an upgrade that failed: ``script`` (the default), the same script with the old version; "
        "``restore``, a restore of the backup that was made first; ``none``.",
    ),
    Entry(
        "stages",
        STAGES,
        "Nodes that go to the new version together, in order: ``[{nodes: 1}, {nodes: rest}]``. The script runs once for each "
        "stage, with the nodes' names in ``$RIGGER_STAGE_NODES``; the last stage is repeated until no nodes are left.",
    ),
    Entry(
        "judge",
        Shape(_judge, _judge_schema),
        "What is measured before the first stage and after each, and its limits.",
    ),
    Entry(
        "on-failure",
        word(ON_FAILURE),
        "What follows where a stage fails or is judged bad: ``stop`` (the default), ``rollback`` to the old version, or "
        "``ask``, which stops without a terminal.",
    ),
)
_UPGRADE = record(UPGRADE_FIELDS)


def _upgrade(at: Field) -> dict[str, Any]:
    """Return the fields of a style, once they make sense together."""
    fields: dict[str, Any] = _UPGRADE.read(at)
    entries, stages = at.entries(), fields.get("stages", ())
    if "stages" in entries and not stages:
        raise entries["stages"].refuse("lists no stages")
    for name in ("judge", "on-failure"):
        if name in entries and not stages:
            raise entries[name].refuse(
                "is about stages, and there are none: add stages: [{nodes: 1}, {nodes: rest}]"
            )
    for stage, entry in zip(stages[:-1], entries["stages"].items() if stages else [], strict=False):
        if stage.nodes == REST:
            raise entry.entries()["nodes"].refuse(f"{REST} leaves no nodes for the next stage")
    if fields.get("on_failure") == "rollback" and fields.get("rollback", "script") != "script":
        raise entries["on-failure"].refuse(
            f"rollback needs a script that goes back, and rollback is {fields['rollback']}"
        )
    return fields


def _upgrade_schema() -> Schema:
    described = record_schema(UPGRADE_FIELDS)
    described["properties"]["stages"]["minItems"] = 1
    oneway = {"properties": {"rollback": {"enum": ["restore", "none"]}}, "required": ["rollback"]}
    return {
        **described,
        "dependentRequired": {"judge": ["stages"], "on-failure": ["stages"]},
        "if": oneway,
        "then": {"properties": {"on-failure": {"enum": ["stop", "ask"]}}},
    }


_STYLE = matching(
    NAME, lambda text: f"{text!r} is not the name of a style: upgrade-{text} would be its script"
)
_UPGRADES = map_of(Shape(_upgrade, _upgrade_schema), _STYLE)
UPGRADES = Shape(
    lambda at: {style: Upgrade(style, **fields) for style, fields in _UPGRADES.read(at).items()},
    _UPGRADES.schema,
)

UPGRADE_RECORDS: dict[str, tuple[Entry, ...]] = {
    "upgrades": UPGRADE_FIELDS,
    "stages": STAGE_FIELDS,
    "judge": JUDGE_FIELDS,
}
