"""A deployment that is on record: carried out, looked at until a check says that it runs, and recorded as it ended."""

from __future__ import annotations

import time

from rigger.errors import Declined, Interrupted, Locked, RiggerError, StepFailed
from rigger.releases import moments
from rigger.releases.model import APPLYING, CONFIRMED, FAILED, ROLLED_BACK
from rigger.text import in_words, ways
from rigger.values import frozen, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from rigger.operations.projects import Opened
    from rigger.releases.carrier import Carrier
    from rigger.releases.difference import Change
    from rigger.releases.model import Deployment, Release
    from rigger.runs.reporter import Reporter


@frozen
class Waiting:
    """How long is waited for a check to be good, and how long between two, in seconds."""

    limit: float = 600.0
    every: float = 10.0


@frozen
class Deployed:
    """What became of a deployment, or what would be done."""

    environment: str
    release: Release
    changes: tuple[Change, ...]
    deployment: Deployment | None = None  # None where nothing was to do, or it was only planned
    planned: tuple[str, ...] = ()  # what carries it out would do
    nothing: bool = False  # whether there is nothing to change
    running: Deployment | None = None  # what a check confirmed there last
    resumes: str = ""  # the deployment that was cut off, and goes on
    repeated: bool = False  # whether its request was carried out before
    busy: str = ""  # who deploys there now, of what is only planned
    digest: str = ""
    new: bool = False  # whether the release is not on record yet
    command: str = ""  # what asks for it

    def as_dict(self) -> dict[str, Any]:
        return {
            "environment": self.environment,
            "command": self.command,
            "new_release": self.new,
            "release": {
                name: value for name, value in self.release.as_dict().items() if name != "deployments"
            },
            "changes": [change.as_dict() for change in self.changes if change.changes],
            "deployment": self.deployment.as_dict() if self.deployment else None,
            "planned": list(self.planned),
            "nothing": self.nothing,
            "resumes": self.resumes,
            "repeated": self.repeated,
            "busy": self.busy,
            "digest": self.digest,
        }


class Work:
    """One deployment that is being carried out."""

    def __init__(self, at: Opened, deployment: Deployment, carrier: Carrier, reporter: Reporter):
        self.at = at
        self.deployment = deployment
        self.carrier = carrier
        self.reporter = reporter
        self.images = at.store.release(deployment.release).images

    @property
    def services(self) -> dict[str, str]:
        project = self.at.project
        return project.services(project.over(self.deployment.before, self.images))

    def record(self, **changes: Any) -> None:
        """Record what is another than before."""
        self.deployment = replace(self.deployment, **changes)
        self.at.store.change_deployment(self.deployment)

    def apply(self) -> None:
        """Move the label, then carry it out; where that fails both are as before, and so says the record."""
        label = self.deployment.environment.id
        try:
            self.at.store.set_images(label, self.images, f"deployment {self.deployment.id}")
            self.record(status=APPLYING)
            run = self.carrier.apply(self.services)
        except BaseException as problem:
            if isinstance(problem, StepFailed):
                problem.next_step = f"{problem.next_step}\n{self._ways_on('Correct that, then')}".strip()
            self._take_back(problem)
            raise
        self.record(run=run, applied=True)

    def _ways_on(self, again: str) -> str:
        place = self.deployment.environment.id
        return ways(
            ("Bring what ran before back", f"rigger deploy {place} --rollback"),
            (again, f"rigger deploy {place} {self.deployment.release[:8]}"),
        )

    def _take_back(self, problem: BaseException) -> None:
        try:
            take_back(self.at, self.deployment, self.carrier)
            self._failed(problem, sentence_of(problem), self.carrier.run())
        except (RiggerError, OSError) as failure:
            self._unrecorded(failure)

    def _failed(self, problem: BaseException, said: str, run: str) -> None:
        code = problem.exit_code if isinstance(problem, RiggerError) else Interrupted.exit_code
        self.record(status=FAILED, run=run, problem=said, ended=moments.now(), exit_code=code)

    def _unrecorded(self, failure: Exception) -> None:
        self.reporter.warn(
            f"What became of the deployment could not be recorded: {failure} "
            "It counts as cut off; the same command continues it."
        )

    def confirm(self, waiting: Waiting) -> None:
        """Look until a check says that it runs; raises StepFailed, and records that, where none does in time."""
        try:
            problem = self._look(waiting)
        except BaseException as stop:
            self._not_confirmed(stop, f"It was applied, and not confirmed: {sentence_of(stop)}")
            raise
        if not problem:
            return
        said = f"It was applied, and no check confirmed it within {in_words(waiting.limit)}: {problem}"
        failure = StepFailed(said, self._ways_on("Try again"))
        self._not_confirmed(failure, said)
        raise failure

    def _look(self, waiting: Waiting) -> str:
        """Return nothing once a check is good, else, when the time is over, why the last one was not."""
        end = time.monotonic() + waiting.limit
        while True:
            try:
                self.carrier.confirm(self.services)
                return ""
            except StepFailed as failure:
                problem = failure.message
            if time.monotonic() + waiting.every > end:
                return problem
            self.reporter.line(f"Not yet: {problem} The next look is in {in_words(waiting.every)}.")
            time.sleep(waiting.every)

    def _not_confirmed(self, problem: BaseException, said: str) -> None:
        try:
            self._failed(problem, said, self.deployment.run)
        except (RiggerError, OSError) as failure:
            self._unrecorded(failure)

    def end(self) -> None:
        """Record that it runs, and that what it takes back does not any more."""
        if undoes := self.deployment.undoes:
            for undone in self.at.store.deployments(self.deployment.environment.id):
                if undone.id == undoes and undone.applied:
                    self.at.store.change_deployment(replace(undone, status=ROLLED_BACK))
        self.record(status=CONFIRMED, ended=moments.now())


def carry_out(
    at: Opened,
    deployment: Deployment,
    carrier: Carrier,
    reporter: Reporter,
    waiting: Waiting,
    result: Deployed,
) -> Deployed:
    """Carry a deployment out that is on record, and return what became of it; what is raised carries that, too."""
    work = Work(at, deployment, carrier, reporter)
    try:
        work.apply()
        work.confirm(waiting)
        work.end()
    except RiggerError as problem:
        raise problem.with_result(replace(result, deployment=work.deployment)) from None
    return replace(result, deployment=work.deployment)


def take_back(at: Opened, deployment: Deployment, carrier: Carrier) -> None:
    """Let label and carrier be as they were before a deployment."""
    images, before, project = at.store.release(deployment.release).images, deployment.before, at.project
    carrier.take_back(
        project.services(project.over(before, images)), project.services(project.over(before, {}))
    )
    old: Mapping[str, str | None] = {**dict.fromkeys(images), **before}
    if at.store.images(deployment.environment.id) != dict(before):
        at.store.set_images(deployment.environment.id, old, f"deployment {deployment.id} is taken back")


def cut_off(at: Opened, deployment: Deployment, carrier: Carrier) -> None:
    """End a deployment that a killed rigger left, and that does not go on."""
    if not deployment.applied:
        take_back(at, deployment, carrier)
    said = "It was cut off before a check confirmed it." if deployment.applied else "It was cut off."
    at.store.change_deployment(replace(deployment, status=FAILED, problem=said, ended=moments.now()))


def sentence_of(problem: BaseException) -> str:
    """Return why a deployment failed, in a sentence for its record."""
    if isinstance(problem, Declined):
        return f"It was declined: {problem.message}"
    if isinstance(problem, KeyboardInterrupt):
        return "It was interrupted."
    if isinstance(problem, Locked):
        return f"It could not begin: {problem.message}"
    return problem.message if isinstance(problem, RiggerError) else f"{type(problem).__name__}: {problem}"
