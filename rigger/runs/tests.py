"""The tests of a suite, and their report as JUnit XML and JSON."""

from __future__ import annotations

import json
import os

from rigger.errors import BadUsage
from rigger.files import write_bytes
from rigger.questions.model import Choice
from rigger.text import did_you_mean, last_line
from rigger.values import field, frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from rigger.modules.model import Module, Suite
    from rigger.runs.result import StepResult

REASON_BYTES = 4096  # of the end of a log, in which the last line is the reason
OUTPUT_BYTES = 64 * 1024  # of a failed test's log, in the JUnit report


@frozen
class Case:
    """The result of one test."""

    name: str
    outcome: str  # passed, failed or skipped
    seconds: float
    reason: str
    log: str
    figures: Mapping[str, str] = field(default_factory=dict)  # what the test measured


def offered(platform: Module) -> list[Choice]:
    """Return the suites and components that a platform offers."""
    suites = [Choice(suite.name, suite.description) for suite in platform.suites.values()]
    parts = [Choice(f"component {part.name}", part.description) for part in platform.components.values()]
    return suites + parts


def find(platform: Module, words: Sequence[str]) -> Suite:
    """Return the suite or component that the words name: smoke, or component kv; raises BadUsage."""
    if words and words[0] == "component":
        known, kind, name = platform.components, "component", " ".join(words[1:])
    else:
        known, kind, name = platform.suites, "suite", " ".join(words)
    if name in known:
        return known[name]
    if kind == "suite" and name in platform.components:
        return platform.components[name]  # no suite is called so: the word can mean nothing else
    listed = ", ".join(choice.value for choice in offered(platform)) or "none"
    raise BadUsage(
        f"{platform.name} has no {kind} {name!r}{did_you_mean(name, known)}.", f"It offers: {listed}."
    )


def is_test(result: StepResult) -> bool:
    """Return whether a step's result is a test's: a run may have to prepare something first."""
    return result.step.verb.startswith("tests/")


def case(result: StepResult) -> Case:
    """Return what a test's step says about the test."""
    outcome = "passed" if result.good else "skipped" if result.skipped else "failed"
    reason = (
        "" if outcome == "passed" else last_line(_end(result.log, REASON_BYTES)) or f"exit {result.exit_code}"
    )
    if result.timed_out:
        reason = "timed out"
    elif result.interrupted:
        reason = "interrupted"
    return Case(
        result.step.verb.partition("/")[2], outcome, result.seconds, reason, result.log, result.figures
    )


def _end(path: str, size: int) -> str:
    try:
        with open(path, "rb") as log:
            log.seek(0, os.SEEK_END)
            log.seek(max(0, log.tell() - size))
            return log.read().decode("utf-8", "replace")
    except OSError:
        return ""


def summary(name: str, run: str, version: str, cases: Sequence[Case]) -> dict[str, Any]:
    """Return the counts and cases of a test run, as they are written to summary.json."""
    counts = {
        outcome: sum(case.outcome == outcome for case in cases) for outcome in ("passed", "failed", "skipped")
    }
    return {
        "suite": name,
        "run": run,
        "version": version,
        **counts,
        "seconds": round(sum(case.seconds for case in cases), 3),
        "tests": [
            {
                "name": c.name,
                "outcome": c.outcome,
                "seconds": round(c.seconds, 3),
                "reason": c.reason,
                "log": c.log,
                **({"figures": dict(c.figures)} if c.figures else {}),
            }
            for c in cases
        ],
    }


def write_report(folder: str, report: dict[str, Any]) -> None:
    """Write summary.json and junit.xml (the format of Ant's JUnit task, as CI servers read it) into a folder."""
    os.makedirs(folder, mode=0o700, exist_ok=True)
    write_bytes(
        os.path.join(folder, "summary.json"), json.dumps(report, indent=2).encode() + b"\n", durable=False
    )
    write_bytes(os.path.join(folder, "junit.xml"), _junit(report), durable=False)


def _junit(report: dict[str, Any]) -> bytes:
    suite = {
        "name": report["suite"],
        "tests": len(report["tests"]),
        "failures": report["failed"],
        "skipped": report["skipped"],
        "errors": 0,
        "time": f"{report['seconds']:.3f}",
    }
    cases = "".join(_case(report["suite"], test) for test in report["tests"])
    text = f"<?xml version='1.0' encoding='utf-8'?>\n{_element('testsuite', suite, cases)}\n"
    return text.encode()


def _case(suite: str, test: Mapping[str, Any]) -> str:
    """Return the element of one test, with its figures and why it did not pass."""
    figures = (test.get("figures") or {}).items()
    properties = "".join(_element("property", {"name": name, "value": value}) for name, value in figures)
    within = _element("properties", {}, properties) if figures else ""
    if test["outcome"] == "failed":
        within += _element("failure", {"message": test["reason"]}, _xml(_end(test["log"], OUTPUT_BYTES)))
    elif test["outcome"] == "skipped":
        within += _element("skipped", {"message": test["reason"]})
    about = {"classname": suite, "name": test["name"], "time": f"{test['seconds']:.3f}"}
    return _element("testcase", about, within)


# As XML writes what would be markup, and in attributes what a reader would take for a blank.
_MARKUP = {ord(c): f"&#{ord(c)};" for c in '&<>"\t\n\r'}
_MARKUP_OF_TEXT = {ord(c): f"&#{ord(c)};" for c in "&<>\r"}


def _element(name: str, attributes: Mapping[str, Any], content: str = "") -> str:
    """Return an element; the XML libraries of Python take longer to import than a short test takes to run."""
    shown = "".join(f' {key}="{_xml(str(value), _MARKUP)}"' for key, value in attributes.items())
    return f"<{name}{shown}>{content}</{name}>" if content else f"<{name}{shown} />"


def _xml(text: str, markup: Mapping[int, str] = _MARKUP_OF_TEXT) -> str:
    """Return a text as XML has it, without the characters that XML 1.0 cannot hold."""
    return "".join(
        c
        for c in text
        if c in "\t\n\r" or " " <= c <= "\ud7ff" or "\ue000" <= c <= "\ufffd" or c >= "\U00010000"
    ).translate(markup)
