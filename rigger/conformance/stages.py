"""The legs of one upgrade: all nodes at once, or one leg for each stage of the manifest, judged as it says."""

from __future__ import annotations

from rigger.audit.stages import Stages
from rigger.audit.upgrades import Request
from rigger.conformance.finding import FAIL, PASS
from rigger.conformance.rehearsal import How, Rehearsal
from rigger.conformance.tries import kills
from rigger.plans import stages
from rigger.plans.judge import faults
from rigger.plans.model import Step
from rigger.text import listed
from rigger.values import frozen, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from rigger.runs.result import StepResult

LONGEST = 10.0  # seconds that a stage is judged here, however long its judge would take: it is to be seen whether it can


@frozen
class Kill:
    """At which leg of an upgrade, the first is 0, and where in it a script is killed."""

    leg: int
    how: How


@frozen
class Jump:
    """One upgrade from a version to another, in one way."""

    rehearsal: Rehearsal
    style: str
    old: str
    new: str

    @property
    def verb(self) -> str:
        return f"upgrade-{self.style}"

    def there(self, praise: str) -> bool:
        """Run all legs; return whether each succeeded."""
        return all(self._leg(step, praise) for step in self.legs())

    def judged(self, praise: str) -> list[Kill] | None:
        """Run all legs, and judge each stage; return where to kill them, None where one does not do well."""
        usual: dict[str, str] | None = None
        found: list[Sequence[How]] = []
        for step in self._steps():
            if not step.only_looks:
                leg = self._leg(step, praise)
                if leg is None:
                    return None
                found.append(kills(self.rehearsal, leg))
                continue
            figures = self._judge(step, usual)
            if figures is None:
                return None
            usual = figures if usual is None else usual
        ends = [Kill(0, found[0][0]), Kill(len(found) - 1, found[-1][-1])]
        return ends if ends[0] != ends[1] else ends[:1]

    def killed(self, kill: Kill) -> None:
        """Run the legs before the one that is killed, then kill that."""
        legs = self.legs()
        for step in legs[: kill.leg]:
            self._leg(step, "succeeds before the stage that is killed")
        how = replace(kill.how, values=self._values(), environ=self._environ(legs[kill.leg]))
        self.rehearsal.killed(self.rehearsal.module, self.verb, how)

    def back(self, praise: str) -> bool:
        """Go back by the same script, all nodes at once, as every way back does; return whether that succeeded."""
        turned = replace(self, old=self.new, new=self.old)
        environ = {"RIGGER_FROM_VERSION": self.new, "RIGGER_ROLLBACK": "true"}
        how = How(values=turned._values(), environ=environ)
        return self.rehearsal.must(self.rehearsal.module, self.verb, praise, how) is not None

    def legs(self) -> list[Step]:
        """Return the steps that change something, in their order."""
        return [step for step in self._steps() if not step.only_looks]

    def _steps(self) -> Sequence[Step]:
        """Return the steps as a plan of `rigger upgrade` has them; without stages there is one."""
        config, request = self.rehearsal.config(), Request(self.old, self.new, self.style)
        platform = self.rehearsal.module
        if not platform.upgrades[self.style].stages:
            return [Step(platform, self.verb, "rehearsed")]
        return stages.steps(config, request, self.rehearsal.machines().names, Stages())[0]

    def _leg(self, step: Step, praise: str) -> StepResult | None:
        how = How(values=self._values(), environ=self._environ(step))
        if step.stage is None:
            return self.rehearsal.must(self.rehearsal.module, self.verb, praise, how)
        before, own = self.rehearsal.machines().files(), listed(step.stage.nodes)
        said = f"{praise}, {step.stage.shown} ({own})"
        result = self.rehearsal.must(self.rehearsal.module, self.verb, said, how)
        after = {} if self.rehearsal.traces.processes() else self.rehearsal.machines().files()
        for name in sorted(after.keys() - {*step.stage.nodes}):  # what runs there may write at any time
            if after[name] != before.get(name):
                text = f"changes {name} in {step.stage.shown}, which is of {own} alone"
                self.rehearsal.say(FAIL, text, self.verb)
        return result

    def _judge(self, step: Step, usual: dict[str, str] | None) -> dict[str, str] | None:
        """Return what a judge measured, of a stage or of what is usual; None where the stage is bad."""
        stage, judge = step.stage, self.rehearsal.module.upgrades[self.style].judge
        assert stage and judge
        seconds = min(stage.seconds, LONGEST)
        environ = {**self._environ(step), "RIGGER_JUDGE_SECONDS": f"{seconds:g}"}
        values = self._values() if stage.number else {}
        how = How(environ=environ, stage=replace(stage, seconds=seconds), values=values)
        result = self.rehearsal.step(self.rehearsal.module, step.verb, how)
        figures = dict(result.figures)
        reasons = [] if result.good else [self.rehearsal.why(result)]
        reasons += faults(judge, figures, usual)
        what = f"{stage.shown} ({listed(stage.nodes)})" if stage.nodes else "what is usual before an upgrade"
        file = self.rehearsal.file(result)
        if reasons:
            self.rehearsal.say(FAIL, f"{self.verb}, {what} is judged bad: {'; '.join(reasons)}", file)
            return None
        self.rehearsal.say(PASS, f"{self.verb}, {what} is judged good", file)
        return figures

    def _values(self) -> dict[str, str]:
        return {"VERSION": self.new}

    def _environ(self, step: Step) -> dict[str, str]:
        own = {name: value for name, value in step.environ.items() if name.startswith("RIGGER_")}
        return {"RIGGER_FROM_VERSION": self.old, **own}
