"""One rehearsal under way on a copy that is filled: the upgrade, what goes wrong in it, and the way on."""

from __future__ import annotations

import json
import time

from rigger.configuration.resolve import resolve
from rigger.environments.state import state_of
from rigger.errors import Paused, RolledBack, StepFailed
from rigger.operations.upgrade_record import words_for
from rigger.rehearsals import faults
from rigger.rehearsals.drive import Driven
from rigger.rehearsals.model import AFTER, BETWEEN, INSIDE, KILLED, Mark
from rigger.values import field, mutable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from rigger.audit.upgrades import Request
    from rigger.environments.environment import Environment
    from rigger.rehearsals.faults import Offer
    from rigger.rehearsals.model import Scenario

ATTEMPTS = 4  # commands after which an upgrade that is not over never will be
WAIT = "--wait=2m"  # for what a killed rigger left running


@mutable
class Course:
    """The course of one rehearsal: what was typed, what went wrong when, and how it ended."""

    copy: Environment
    scenario: Scenario
    request: Request
    folder: str  # for what the commands print
    usual: float  # seconds that the step takes which changes the version
    trust: bool = False  # whether the scripts of that version were agreed to
    offer: Offer | None = None
    node: str = ""  # where the fault is
    began: float = 0.0
    commands: list[Driven] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    struck: float = 0.0  # when the fault was made; 0: not, or undone
    missed: bool = False  # whether the moment was over before
    code: int = 0  # of the last command

    @property
    def finished(self) -> bool:
        """Whether the upgrade, or the way back, came to its end."""
        return self.code in (0, RolledBack.exit_code) and state_of(self.copy).upgrade is None

    @property
    def went_back(self) -> bool:
        return self.scenario.back or self.code == RolledBack.exit_code

    @property
    def seconds(self) -> float:
        return (self.commands[-1].ended or time.time()) - self.began if self.commands else 0.0

    def timeline(self) -> tuple[Mark, ...]:
        found = [mark for one in self.commands for mark in one.marks(self.began)]
        return tuple(sorted([*found, *self.marks], key=lambda mark: mark.start))

    def said(self) -> str:
        """Return what the last command said that went wrong, and the last line of the step that failed."""
        if not self.commands:
            return ""
        found = [self.commands[-1].said().rstrip("."), self.commands[-1].last_words()]
        return ": ".join(filter(None, found))


def run(course: Course) -> None:
    """Upgrade the copy, let go wrong what is to go wrong, and continue as somebody would, until it is over or hopeless."""
    first = [*words_for(course.request), *(["--trust"] if course.trust else [])]
    course.began = time.time()
    try:
        driven = _start(course, first)
        _strike(course, driven)
        _end(course, driven)
        for _ in range(ATTEMPTS):
            if course.finished and not _is_half_way(course):
                return
            _end(course, _start(course, _next(course, first)))
    finally:
        for one in course.commands:
            one.close()


def _start(course: Course, words: Sequence[str]) -> Driven:
    course.commands.append(Driven(course.copy, words, course.folder))
    return course.commands[-1]


def _end(course: Course, driven: Driven) -> None:
    """Wait for the end of a command; a fault is undone when its time is over, or at the latest now."""

    def tick() -> None:
        if (
            course.struck
            and course.scenario.seconds
            and time.time() > course.struck + course.scenario.seconds
        ):
            _undo(course)

    course.code = driven.finish(tick)
    if course.code != Paused.exit_code:
        _undo(course)


def _is_half_way(course: Course) -> bool:
    """Return whether nothing but the way there was gone: a kill comes before the command that is rehearsed."""
    return course.scenario.kills and len(course.commands) == 1 and course.commands[0].killed


def _next(course: Course, first: Sequence[str]) -> Sequence[str]:
    """Return what somebody types next: the way back, the rest, or the same again where nothing was changed."""
    upgrade = state_of(course.copy).upgrade
    if upgrade is None:
        return (*first, WAIT)
    if not course.scenario.back or upgrade.request.back:
        return ("upgrade", "--continue", WAIT)
    config = resolve(course.copy)
    if config.platform.upgrades[course.request.style].rollback == "restore":
        return ("restore", course.copy.backups.last(), WAIT)
    return ("upgrade", "--rollback", WAIT)


# What goes wrong


def _strike(course: Course, driven: Driven) -> None:
    """Wait for the moment of a rehearsal and let go wrong what is to."""
    scenario = course.scenario
    if not scenario.moment:
        return
    course.missed = not _await(course, driven)
    if course.missed and not driven.goes_on():
        return
    if scenario.kills:
        driven.kill()
        now = time.time() - course.began
        course.marks.append(Mark("fault", "rigger is killed", now, now, False))
        return
    driven.hold()
    try:
        assert course.offer is not None
        faults.act(course.copy, resolve(course.copy), course.offer, faults.MAKE, scenario.fault, course.node)
        course.struck = time.time()
    finally:
        driven.let_go()


def _await(course: Course, driven: Driven) -> bool:
    """Wait for the moment; return whether it came, and was not over before."""
    verb, moment = course.request.verb, course.scenario.moment

    def started() -> list[dict[str, object]]:
        return [one for one in driven.records("step-started") if one["step"] == verb]

    def finished() -> bool:
        return any(one["step"] == verb for one in driven.records("step-finished"))

    if moment == BETWEEN:
        before = _steps_before(driven, verb)
        return driven.wait_for(lambda: _have_ended(driven, before)) and driven.goes_on()
    if not driven.wait_for(lambda: bool(started())):
        return False
    if moment == AFTER:
        last = _steps_before(driven, verb) + 1
        reached = driven.wait_for(lambda: _have_ended(driven, last))
        driven.hold()
        return reached and driven.goes_on()
    assert moment == INSIDE
    driven.wait_for(finished, time.time() + max(0.2, course.usual / 2))
    return not finished()


def _have_ended(driven: Driven, number: int) -> bool:
    """Return whether that many steps have ended; 0: whether the run has begun."""
    return bool(driven.records("run-started")) and len(driven.records("step-finished")) >= number


def _steps_before(driven: Driven, verb: str) -> int:
    """Return how many steps the plan has before the last one that changes the version."""
    driven.wait_for(lambda: bool(driven.records("run-started")))
    runs = [one["run"] for one in driven.records("run-started")]
    if not runs:
        return 0
    with open(driven.copy.file("runs", runs[0], "plan.json"), encoding="utf-8") as file:
        steps = [step["step"] for step in json.load(file)["steps"]]
    return max((number for number, step in enumerate(steps) if step == verb), default=0)


def _undo(course: Course) -> None:
    """Undo what went wrong, as somebody does who puts it right; a fault that cannot be undone is told."""
    if not course.struck or course.offer is None:
        return
    began, course.struck = course.struck, 0.0
    text = f"{course.scenario.fault} on {course.node}"
    try:
        faults.act(
            course.copy, resolve(course.copy), course.offer, faults.UNDO, course.scenario.fault, course.node
        )
    except StepFailed as problem:
        text += f" ({problem.message})"
    end = began if course.scenario.fault == KILLED else time.time()  # which is over at once
    course.marks.append(Mark("fault", text, began - course.began, end - course.began, False))
