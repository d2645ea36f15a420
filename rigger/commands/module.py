"""rigger module"""

import os

import click

from rigger.cli.app import App, command, group
from rigger.conformance import rehearsal, rules
from rigger.conformance.rules import ADVICE, FAIL, PASS, Finding
from rigger.conformance.sandbox import RehearsalOptions
from rigger.errors import BadUsage, TestsFailed
from rigger.modules.model import Module


@group("module")
def module():
    pass


@module.add_command
@command("check", reports=True, streams=True)
@click.argument("path", metavar="PATH")
@click.option("--run", "runs", is_flag=True, help="Also run its scripts, in a sandbox.")
@click.option("--provider", metavar="NAME", help="With --run: the provider to try a platform on.")
@click.option(
    "--set", "assignments", metavar="NAME=VALUE", multiple=True, help="With --run: answer a question."
)
def check(app: App, path: str, runs: bool, provider: str | None, assignments: tuple[str, ...]):
    """Check the provider or platform in the folder PATH; without --run nothing of it is run."""
    if not runs and (provider or assignments):
        raise BadUsage("--provider and --set are about scripts that run.", "Add --run.")
    values = _values(assignments)
    subject = rules.load(rules.locate(path))
    findings = rules.examine(subject)
    app.printer.heading(f"{subject.name}: a {subject.role} of interface {subject.interface}")
    for finding in findings:
        _show(app, finding)
    kept = _rehearse(app, subject, provider, values, findings) if runs else ""
    _report(app, subject, findings, runs, kept)


def _values(assignments: tuple[str, ...]) -> dict[str, str]:
    values = {}
    for text in assignments:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise BadUsage(f"--set {text!r} is not of the form NAME=VALUE.")
        values[name] = value
    return values


def _rehearse(app: App, subject: Module, provider: str | None, values, findings: list[Finding]) -> str:
    """Run the scripts unless reading has shown that they cannot; return the folder of the logs if it is kept."""
    if _count(findings, FAIL):
        app.printer.warn("Not run: what is above has to be put right first.")
        return ""
    if provider and subject.role == "provider":
        raise BadUsage("--provider is for platforms.", f"{subject.name} is a provider itself.")

    def say(finding: Finding) -> None:
        findings.append(finding)
        _show(app, finding)

    shown = app.printer if app.verbose else None
    return rehearsal.rehearse(subject, RehearsalOptions(values, provider or "local", shown), say)


def _show(app: App, finding: Finding) -> None:
    colour = {PASS: "32", FAIL: "31", ADVICE: "33"}[finding.level]
    place = f"{finding.place}: " if finding.place else ""
    app.printer.line(f"  {app.printer.paint(f'{finding.level:<6}', colour)}  {place}{finding.text}")


def _report(app: App, subject: Module, findings: list[Finding], runs: bool, kept: str) -> None:
    failed = _count(findings, FAIL)
    if app.json:
        app.printer.report(
            {
                "module": subject.name,
                "role": subject.role,
                "interface": subject.interface,
                "folder": subject.folder,
                "ran": runs,
                "good": not failed,
                "logs": kept or None,
                "findings": [finding.as_dict() for finding in findings],
            }
        )
    if kept:
        app.printer.line(f"The logs are in {os.path.join(kept, 'home', '.rigger', 'environments')}")
    counts = f"{_count(findings, PASS)} passed, {failed} failed, {_count(findings, ADVICE)} to think about"
    if failed:
        raise TestsFailed(
            f"{subject.name} does not conform: {counts}.",
            "The README says what a module needs: Writing a provider, Writing a platform.",
        )
    app.printer.line(f"{subject.name} conforms: {counts}.")
    if not runs:
        app.printer.line("Nothing of it was run; --run tries its whole life in a sandbox.")


def _count(findings: list[Finding], level: str) -> int:
    return sum(finding.level == level for finding in findings)
