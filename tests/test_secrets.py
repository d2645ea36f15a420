"""Secrets are hidden by type: the repr of no object of rigger's own shows one."""

import importlib
import pkgutil
import re

import pytest

import rigger
from rigger.bundles.format import Member
from rigger.bundles.load import Loaded
from rigger.bundles.opened import OpenedBundle
from rigger.configuration.config import Config
from rigger.conformance.sandbox import RehearsalOptions
from rigger.environments.drafts import Draft
from rigger.environments.environment import Environment
from rigger.environments.home import Home
from rigger.interface1.record import Record
from rigger.modules.model import Module
from rigger.operations.answers import Answering, Given
from rigger.operations.consent import Consent
from rigger.operations.result import Data
from rigger.plans.model import Plan, Step
from rigger.process.capture import Captured
from rigger.questions.interview import Interview
from rigger.questions.model import Answer, Question
from rigger.questions.sources import Meanwhile, Sources
from rigger.redact import Finder, Redactor
from rigger.runs.reporter import Silent
from rigger.runs.step_files import StepOutput
from rigger.ui.plain import Prompt
from rigger.values import fields_of

SECRET = "sentinel-8f3a"
VALUES = {"PASSWORD": SECRET}
PROGRAMS = ("rigger.libexec", "rigger.platforms", "rigger.providers", "rigger.scaffolds")  # not imported
# Fields by these names hold values that somebody gave or a script saved, or what a program said.
TELLING = {
    "answered", "answers", "data", "draft", "env", "environ", "errors", "flags", "given", "identity", "output",
    "passphrase", "preset", "report", "saved", "secret", "secrets", "values", "vars",
}  # fmt: skip
# The audit log, and what is read from it, has digests in the place of secrets.
SHOWN = {
    "rigger.modules.model.Module.vars",  # constants of a manifest
    "rigger.environments.call.Call.given",  # a digest
    "rigger.operations.approval.Inputs.given",  # a digest
    "rigger.terraform.workspace.Workspace.data",  # a folder
    "rigger.terraform.stack.Stack.data",  # a folder
}
SHOWN_ROOMS = ("rigger.audit.",)


def interview():
    question = Question("PASSWORD", "Which password?", type="secret")
    found = Interview(lambda values: [question], Sources(flags=VALUES))
    assert found.advance() is None and found.values() == VALUES
    return found


def meanwhile():
    known = Meanwhile()
    known.give(VALUES)
    known.take_back("PASSWORD", SECRET)
    return known


def objects():
    """Return one object of every kind that can hold a secret, each with one in it."""
    environment = Environment("demo", "/nowhere/environments/demo", "/nowhere")
    provider = Module("soil", "provider", "/nowhere")
    answer, step = Answer(SECRET, "asked"), Step(provider, "create", "first time", environ=VALUES)
    config = Config(provider, provider, (), {"PASSWORD": answer}, VALUES, VALUES)
    given = Given(flags=VALUES, answers=VALUES)
    redactor = Redactor([SECRET])
    redactor.text(SECRET)
    return [
        answer,
        Answering(Home("/nowhere"), environment, None, interview(), given, Silent(), None),
        Captured(0, SECRET.encode(), SECRET.encode()),
        config,
        Consent(),
        Data(VALUES),
        Draft("/nowhere", "demo"),
        environment,
        Finder([SECRET]),
        given,
        interview(),
        Loaded(OpenedBundle.__new__(OpenedBundle), environment, VALUES),
        meanwhile(),
        Member("vars", data=SECRET.encode()),
        Plan("provision", (step,), environ=VALUES),
        Prompt("Which password?", default=SECRET),
        Record((), VALUES, VALUES, VALUES),
        redactor,
        redactor.matcher(),
        redactor.stream(),
        RehearsalOptions(VALUES),
        Sources(VALUES, "", VALUES, VALUES, "", VALUES, VALUES, "", meanwhile()),
        StepOutput(VALUES, VALUES),
    ]


@pytest.mark.parametrize("thing", objects(), ids=lambda thing: type(thing).__name__)
def test_no_repr_shows_a_secret(thing):
    assert SECRET not in f"{thing!r} {thing} {[thing]}"


def values_of_rigger():
    for package in pkgutil.walk_packages(rigger.__path__, "rigger."):
        if package.name.startswith(PROGRAMS) or package.name.endswith("__main__"):
            continue
        for kind in vars(importlib.import_module(package.name)).values():
            if isinstance(kind, type) and fields_of(kind) and kind.__module__ == package.name:
                yield kind


def holds_values(annotation):
    """Return whether a field of this type may hold a value itself; tuples are of names, objects hide their own."""
    return re.search("Mapping|dict|bytes|Any", annotation) or annotation in ("str", "str | None")


def test_every_field_that_may_hold_a_secret_is_hidden():
    kinds = list(values_of_rigger())
    assert len(kinds) > 40
    shown = []
    for kind in kinds:
        if kind.__module__.startswith(SHOWN_ROOMS):
            continue
        for field in fields_of(kind):
            name = f"{kind.__module__}.{kind.__qualname__}.{field.name}"
            if field.name in TELLING and field.repr and holds_values(field.type) and name not in SHOWN:
                shown.append(f"{name}: {field.type}")
    assert not shown, "mark these field(repr=False), or say in SHOWN why they hold no secret"
