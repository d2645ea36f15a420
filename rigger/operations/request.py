"""Carry a request out once, however often it is asked for: a caller may be cut off, and ask again."""

from __future__ import annotations

import contextlib
import json
import time

from rigger.audit.events import RequestFinished
from rigger.audit.requests import Requested, requested
from rigger.environments.state import state_of
from rigger.errors import BadUsage, Interrupted, Locked, NotReady, RiggerError, StepFailed, TestsFailed
from rigger.files import write_bytes
from rigger.operations.history import history, named
from rigger.operations.logs import Logs, StepLog, follow
from rigger.operations.report import report_of
from rigger.redact.known import masked_data
from rigger.text import ways
from rigger.values import field, frozen, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, TypeVar

    from rigger.environments.environment import Environment
    from rigger.operations.result import Result
    from rigger.runs.reporter import Reporter

    Work = TypeVar("Work", bound=Result)

RESULT = "result.json"  # in the folder of a run: the report of the request that it carried out
PAUSE = 0.2  # seconds between two looks at what is under way


@frozen
class Repeated:
    """The result of a request that was carried out before, as it was reported then."""

    environment: str
    request: str
    number: int  # of its run
    report: Mapping[str, Any] = field(repr=False)

    def as_dict(self) -> dict[str, Any]:
        return {**self.report, "repeated": True}


def once(environment: Environment, reporter: Reporter, work: Callable[[], Work]) -> Work | Repeated:
    """Do the work of the environment's call, unless that was done: then return what it came to, or raise what it raised.

    Where it is under way, what it prints is shown until it has ended. Where rigger was killed meanwhile, the work is
    resumed. Raises BadUsage where the same request was something else.
    """
    call = environment.call
    if not call.request:
        return work()
    while True:
        if environment.lock.request() == call.request:
            _watch(environment, reporter)
        with contextlib.ExitStack() as stack:
            try:
                stack.enter_context(environment.locked(f"rigger {call.words}"))
            except Locked as problem:
                if problem.request != call.request:
                    raise
                continue
            before = _requested(environment)
            if before and before.over:
                return _again(environment, before)
            if before:
                reporter.line(
                    f"Request {call.request} was cut off in run {before.started.run}; it is resumed."
                )
                environment.call = replace(call, since=before.since, given=before.started.given)
            return _carried_out(environment, reporter, work, before.started.seq if before else 0)


def _requested(environment: Environment) -> Requested | None:
    """Return what is known of the request; raises BadUsage where that was another command, or had other options."""
    call = environment.call
    before = requested(environment.audit.records(), call.request)
    if before and before.started.words != call.words:
        raise BadUsage(
            f'Request {call.request} is "rigger {before.started.words}", and not "rigger {call.words}".',
            "Give another request an id of its own.",
        )
    return before


def _carried_out(environment: Environment, reporter: Reporter, work: Callable[[], Work], after: int) -> Work:
    """Do the work, and keep what it came to where it began a run after that record."""
    try:
        result = work()
    except RiggerError as problem:
        _finish(environment, reporter, after, problem.result, problem)
        raise
    _finish(environment, reporter, after, result)
    return result


def _finish(
    environment: Environment,
    reporter: Reporter,
    after: int,
    result: Result | None,
    problem: RiggerError | None = None,
) -> None:
    """Keep what the request came to; where it began no run it has changed nothing, and may be asked for again."""
    last, request = state_of(environment).runs.last, environment.call.request
    if last is None or last.started.request != request or last.started.seq <= after:
        return
    report = masked_data(report_of(result, problem))
    error = report.get("error", {})
    event = RequestFinished(
        request=request,
        exit_code=report["exit_code"],
        message=error.get("message", ""),
        next=error.get("next", ""),
    )
    try:
        path = environment.file("runs", last.started.run, RESULT)
        write_bytes(path, json.dumps(report, indent=2).encode() + b"\n")
        environment.audit.append(event, last.started.run)
    except (OSError, NotReady) as failure:
        reporter.warn(f"What request {request} came to could not be kept: {failure}")


def _again(environment: Environment, before: Requested) -> Repeated:
    """Return what a request came to; raises what it raised."""
    run, end = before.started.run, before.end
    number = named(history(environment).runs, run).number
    code = end.exit_code if end else _exit_code(before)
    report = {"run": run, "request": environment.call.request, **_kept(environment.file("runs", run, RESULT))}
    result = Repeated(environment.name, environment.call.request, number, report)
    if code == 0:
        return result
    message = end.message if end else f"The run ended: {before.outcome}."
    problem = RiggerError(message, end.next if end else ways(("What it printed", f"rigger logs {number}")))
    problem.exit_code = code
    raise problem.with_result(result)


def _exit_code(before: Requested) -> int:
    """Return the exit code of a request whose run has ended, where nothing else could be recorded."""
    if before.complete:
        return 0
    failed = TestsFailed if before.started.command.startswith("test") else StepFailed
    return (Interrupted if before.outcome == "interrupted" else failed).exit_code


def _kept(path: str) -> dict[str, Any]:
    """Return the report that was kept, without what every report says anew; nothing where it is gone."""
    try:
        with open(path, encoding="utf-8") as file:
            report = json.load(file)
        return {name: value for name, value in report.items() if name not in (*report_of(None), "error")}
    except (OSError, ValueError, AttributeError):
        return {}


def _watch(environment: Environment, reporter: Reporter) -> None:
    """Show what the run of the request prints until nobody works on it any more; Ctrl-C ends the watching alone."""
    request, shown = environment.call.request, ""
    reporter.line(f"Request {request} is under way; what it prints follows. Ctrl-C does not stop it.")
    while environment.lock.request() == request:
        last = state_of(environment).runs.last
        if last and last.started.request == request and last.started.run != shown:
            shown = last.started.run
            for part in follow(environment, Logs(environment.name, last.number)):
                if isinstance(part, StepLog):
                    reporter.heading(f"==> {part.run} {part.number} {part.module} {part.step}")
                else:
                    reporter.pass_on(part)
        time.sleep(PAUSE)
