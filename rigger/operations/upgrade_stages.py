"""Stages of an upgrade while they are carried out: each is recorded, judged, and may have to wait for somebody."""

from __future__ import annotations

from rigger.audit.events import StageAgreed, StageFinished, StageJudged, StagePaused, StageStarted
from rigger.audit.stages import BAD, GOOD, MEASURED
from rigger.errors import Paused, StepFailed
from rigger.plans.judge import faults, in_numbers
from rigger.process.actor import actor
from rigger.runs.tests import case
from rigger.text import listed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rigger.audit.upgrades import Request
    from rigger.modules.model import Judge, Upgrade
    from rigger.operations.session import Session
    from rigger.plans.model import StageStep, Step
    from rigger.runs.result import StepResult
    from rigger.runs.run import Run


class StageRecords:
    """What is recorded of the stages of one upgrade, and every judgement, as a report has it."""

    def __init__(self, work: Session, request: Request):
        self.work = work
        self.request = request
        self.judgements: list[dict[str, Any]] = []
        self.run: Run | None = None

    @property
    def style(self) -> Upgrade:
        return self.work.config.platform.upgrades[self.request.style]

    def before(self, step: Step) -> None:
        """Record that a stage begins; raises Paused where somebody has to agree to it first."""
        stage = step.stage
        if stage is None or step.only_looks:
            return
        pending = self.work.state.upgrade
        if stage.waits and not (pending and stage.nodes in pending.stages.agreed):
            self._record(StagePaused(stage=stage.number, of=stage.of, nodes=stage.nodes))
            raise Paused(f"{self._name(stage)} waits until somebody agrees to it.")
        begun = StageStarted(stage=stage.number, of=stage.of, nodes=stage.nodes, to=self.request.to)
        self._record(begun)

    def after(self, result: StepResult) -> None:
        """Record what became of a stage, or how it is judged; raises StepFailed where it is bad."""
        stage = result.step.stage
        if stage is None or result.interrupted:
            return
        if not result.step.only_looks:
            if result.good:
                ended = StageFinished(stage=stage.number, of=stage.of, nodes=stage.nodes, to=self.request.to)
                self._record(ended)
        elif self.style.judge:
            self._judge(stage, self.style.judge, result)

    def _judge(self, stage: StageStep, judge: Judge, result: StepResult) -> None:
        pending = self.work.state.upgrade
        usual = pending.stages.usual if pending else None
        reasons = [] if result.good else [f"its test says: {case(result).reason}"]
        reasons += faults(judge, result.figures, usual if stage.number else None)
        judged = StageJudged(
            stage=stage.number,
            of=stage.of,
            nodes=stage.nodes,
            figures={
                name: result.figures[name] for name in in_numbers(judge, usual) if name in result.figures
            },
            limits=in_numbers(judge, usual if stage.number else result.figures),
            verdict=BAD if reasons else GOOD if stage.number else MEASURED,
            reasons=tuple(reasons),
        )
        self._record(judged)
        self.judgements.append(told(judged))
        self.work.reporter.line(said(judged))
        if not reasons:
            return
        if stage.number == 0:
            raise StepFailed(f"What is usual before the upgrade is not well: {'; '.join(reasons)}.")
        raise StepFailed(f"{self._name(stage)} was judged bad: {'; '.join(reasons)}.")

    def _name(self, stage: StageStep) -> str:
        return f"Stage {stage.number} of {stage.of} ({listed(stage.nodes)} to {self.request.to})"

    def _record(self, event: StageStarted | StageFinished | StageJudged | StagePaused) -> None:
        self.work.record(event, self.run.id if self.run else "")


def told(judged: StageJudged) -> dict[str, Any]:
    """Return a judgement as reports have it."""
    keys = ("stage", "of", "nodes", "verdict", "figures", "limits", "reasons")
    return {key: list(value) if isinstance(value := getattr(judged, key), tuple) else value for key in keys}


def said(judged: StageJudged) -> str:
    """Return a judgement in a line: every figure that has a limit, and the limit."""
    figures = [f"{name} {value} ({judged.limits.get(name, '')})" for name, value in judged.figures.items()]
    return f"  {judged.verdict}: {', '.join(figures) or 'no figures'}"


def agree(work: Session) -> None:
    """Record that somebody agreed to the stage that an upgrade waits with, where it waits with one."""
    pending = work.state.upgrade
    waits = pending.stages.waits if pending else None
    if waits:
        work.record(StageAgreed(stage=waits.stage, of=waits.of, nodes=waits.nodes, by=actor()))
