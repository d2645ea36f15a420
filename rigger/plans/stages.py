"""The stages of an upgrade: which nodes each of them has, and the steps that make and judge them."""

from __future__ import annotations

import math

from rigger.errors import BadUsage, InvalidConfig
from rigger.modules.model import REST
from rigger.modules.shapes import seconds_of
from rigger.plans.judge import in_numbers
from rigger.plans.model import StageStep, Step
from rigger.templates import render
from rigger.text import in_words, listed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from rigger.audit.stages import Stages
    from rigger.audit.upgrades import Request
    from rigger.configuration.config import Config
    from rigger.modules.model import Judge, Stage, Upgrade

    Pair = tuple[StageStep, Stage]


def of_nodes(style: Upgrade, nodes: Sequence[str], config: Config) -> list[StageStep]:
    """Return the stages that nodes go by; the last stage of the manifest is repeated until none is left.

    Raises BadUsage where there are no nodes, InvalidConfig for a duration that is none.
    """
    if not nodes:
        raise BadUsage(
            f"{config.platform.name} goes {style.style} node by node, and there are no nodes.",
            "Choose another --upgrade-style.",
        )
    chosen: list[tuple[Stage, tuple[str, ...]]] = []
    left = [*nodes]
    while left:
        stage = style.stages[min(len(chosen), len(style.stages) - 1)]
        count = _count(stage, len(nodes), len(left))
        chosen.append((stage, tuple(left[:count])))
        del left[:count]
    waits = [False, *(stage.pause for stage, _ in chosen)]
    return [
        StageStep(number, len(chosen), names, waits[number - 1], _seconds(style, stage, config))
        for number, (stage, names) in enumerate(chosen, 1)
    ]


def _count(stage: Stage, all_nodes: int, left: int) -> int:
    if stage.nodes == REST:
        return left
    part, percent, _ = stage.nodes.partition("%")
    return min(left, math.ceil(int(part) * all_nodes / 100) if percent else int(part))


def _seconds(style: Upgrade, stage: Stage | None, config: Config) -> float:
    """Return how long a stage is judged; the usual is measured as long as the judge says by itself."""
    if style.judge is None:
        return 0.0
    text = (stage.lasts if stage else "") or style.judge.lasts
    where = f"upgrades.{style.style}.judge.for in the manifest of {config.platform.name}"
    said = render(text, config.values, where).strip()
    seconds = seconds_of(said)
    if seconds is None:
        raise InvalidConfig(f"{where} is {text!r}, which comes to {said!r}: no duration such as 90s or 10m.")
    return seconds


def steps(
    config: Config, request: Request, nodes: Sequence[str], got: Stages
) -> tuple[list[Step], list[Step]]:
    """Return the steps that bring nodes to a version and judge them, stage by stage, and those that are done already."""
    style = config.platform.upgrades[request.style]
    stages = of_nodes(style, nodes, config)
    todo: list[Step] = []
    done: list[Step] = []
    if style.judge:
        before = {"VERSION": request.start, f"{config.platform.prefix}_VERSION": request.start}
        usual = StageStep(0, len(stages), (), seconds=_seconds(style, None, config))
        step = _judging(config, style.judge, usual, before)
        (todo if got.usual is None and not got.done else done).append(step)
    for stage in stages:
        todo_or_done = done if stage.nodes in got.done else todo
        todo_or_done.append(_making(config, request, stage, agreed=stage.nodes in got.agreed))
        if style.judge:
            step = _judging(config, style.judge, stage)
            (done if stage.nodes in got.done and got.is_good(stage.nodes) else todo).append(step)
    return todo, done


def _making(config: Config, request: Request, stage: StageStep, agreed: bool) -> Step:
    why = f"{stage.shown}, {listed(stage.nodes)}: {request.start} to {request.to}"
    why += ", once somebody agrees" if stage.waits and not agreed else ""
    names = {"RIGGER_STAGE_NODES": " ".join(stage.nodes)}
    return Step(config.platform, request.verb, why, environ=names, stage=stage)


def _judging(config: Config, judge: Judge, stage: StageStep, environ: dict[str, str] | None = None) -> Step:
    names = {"RIGGER_STAGE_NODES": " ".join(stage.nodes)} if stage.nodes else {}
    own = {"RIGGER_JUDGE_SECONDS": f"{stage.seconds:g}", **names, **(environ or {})}
    well = f"is {listed(stage.nodes)} well?" if len(stage.nodes) == 1 else f"are {listed(stage.nodes)} well?"
    why = f"{stage.shown}, {in_words(stage.seconds)}: {well}"
    if not stage.nodes:
        why = f"what is usual before anything changes, {in_words(stage.seconds)}"
    return Step(config.platform, f"tests/{judge.test}", why, environ=own, stage=stage)


def rules(config: Config, request: Request, got: Stages) -> tuple[str, ...]:
    """Return in a sentence each how stages are judged, and what follows where one is bad."""
    style = config.platform.upgrades[request.style]
    found = []
    if style.judge:
        limits = "; ".join(f"{name} {said}" for name, said in in_numbers(style.judge, got.usual).items())
        found.append(f"A stage is good where {limits}.")
    follows = {
        "rollback": f"all goes back to {request.start}",
        "stop": "the upgrade stops there",
        "ask": f"rigger asks before all goes back to {request.start}",
    }
    bad = "fails or is judged bad" if style.judge else "fails"
    found.append(f"Where one {bad}, {follows[style.on_failure]}.")
    return tuple(found)
