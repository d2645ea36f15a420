"""rigger config"""

import contextlib
import os
import shlex

import click

from rigger import config as configs
from rigger import envfile, origin, plan
from rigger.cli import App, command, group
from rigger.environment import COMPUTED, Environment
from rigger.errors import (
    BadUsage,
    DifferencesFound,
    Interrupted,
    InvalidConfig,
    NotReady,
    RiggerError,
    StepFailed,
)
from rigger.plan import HIDDEN, History
from rigger.preflight import run_program
from rigger.questions import Interview, Question, Sources


@group("config")
def config():
    """Get, set, unset, edit and compare single values."""


@config.add_command
@command("get", reports=True)
@click.argument("name", required=False)
@click.option("--show-secrets", is_flag=True, help="Print secrets as they are.")
def get(app: App, name: str | None, show_secrets: bool):
    """Print the value of NAME, or all values with where each comes from."""
    settled = configs.resolve(app.environment())
    if name is None:
        _print_all(app, settled, show_secrets)
        return
    if name not in settled.values:
        known = {*(question.name for question in settled.questions), *settled.values}
        raise BadUsage(f"{name} has no value.", f"Known: {', '.join(sorted(known))}.")
    if name in settled.secrets and not show_secrets:
        raise BadUsage(f"{name} is a secret.", "Add --show-secrets to print it.")
    if app.json:
        app.printer.report({name: settled.values[name]})
        return
    app.printer.data(envfile.encode(settled.values[name]) + b"\n")


def _print_all(app: App, settled: configs.Config, show_secrets: bool) -> None:
    rows = []
    for name in sorted(settled.values):
        hidden = name in settled.secrets and not show_secrets
        source = "default" if name in settled.answers and not settled.answers[name].explicit else "set"
        source = source if name in settled.answers else "from scripts"
        rows.append({"name": name, "value": HIDDEN if hidden else settled.values[name], "source": source})
    if app.json:
        app.printer.report(rows)
    else:
        app.printer.table(
            [(row["name"], row["source"], row["value"]) for row in rows], headers=("name", "source", "value")
        )


@config.add_command
@command("set")
@click.argument("assignments", nargs=-1, required=True, metavar="NAME=VALUE...")
def set(app: App, assignments: tuple[str, ...]):
    """Set values; the next provision runs the steps that they concern."""
    given = dict(assignment(text) for text in assignments)
    environment = app.environment()
    with environment.locked("rigger config set"):
        _change(app, environment, given, ())


@config.add_command
@command("unset")
@click.argument("names", nargs=-1, required=True)
def unset(app: App, names: tuple[str, ...]):
    """Take values back, so that their defaults hold."""
    environment = app.environment()
    with environment.locked("rigger config unset"):
        saved = {**environment.vars(), **environment.secrets()}
        for name in names:
            if name not in saved:
                raise BadUsage(
                    f"{name} is not set in {environment.name}.", f"Set: {', '.join(sorted(saved))}."
                )
            if name in configs.CORE:
                raise BadUsage(f"{name} cannot be unset.", f'Set another: "rigger config set {name}=...".')
        _change(app, environment, {}, names)


@config.add_command
@command("diff", reports=True)
@click.option("--exit-code", is_flag=True, help="Exit 8 when there is a difference.")
def diff(app: App, exit_code: bool):
    """Compare the configuration with what the cluster was last provisioned with."""
    environment = app.environment()
    settled = configs.resolve(environment)
    changes = _unprovisioned(environment, settled)
    if app.json:
        app.printer.report(
            {name: {"provisioned": old, "configured": new} for name, (old, new) in changes.items()}
        )
    elif not changes:
        app.printer.line("No difference.")
    else:
        rows = [
            (name, *("-" if value is None else value for value in change)) for name, change in changes.items()
        ]
        app.printer.table(rows, headers=("name", "provisioned", "configured"))
    if changes and exit_code:
        raise DifferencesFound(
            "The configuration is not what was provisioned.",
            '"rigger provision" brings the cluster up to date.',
        )


def _unprovisioned(environment: Environment, settled: configs.Config) -> dict[str, tuple]:
    history = History.of(environment.audit.records())
    changes = plan.unprovisioned(settled, history, environment.key())
    return {name: (_shown(old), _shown(new)) for name, (old, new) in changes.items()}


def _shown(value: str | None) -> str | None:
    """Return a recorded value; of a secret, not even the digest by which a change is noticed."""
    return HIDDEN if value is not None and value.startswith(HIDDEN) else value


class _Draft(Environment):
    """An environment as the text in the editor describes it."""

    @property
    def vars_file(self) -> str:
        return self.file("vars.edit")


@config.add_command
@command("edit", asks=True)
def edit(app: App):
    """Edit the vars file in $EDITOR; what is invalid is not saved."""
    environment = app.environment()
    editor = _editor()
    with environment.locked("rigger config edit"):
        draft = _Draft(environment.name, environment.path, environment.home)
        problem = _problem(environment)
        before = envfile.readable(_text(environment, problem)) if problem else environment.vars()
        before = {name: value for name, value in before.items() if name not in COMPUTED}
        written = _begin(app, environment, draft, before, problem)
        edited = _edited(app, editor, environment, draft, before, problem, written)
        if edited is not None and problem:
            _mend(app, environment, draft, before, edited)
        elif edited is not None:
            given = {name: value for name, value in edited.items() if before.get(name) != value}
            _change(app, environment, given, [name for name in before if name not in edited])
        with contextlib.suppress(FileNotFoundError):
            os.unlink(draft.vars_file)


def _editor() -> tuple[str, list[str]]:
    """Return where the editor is named, and its words; raises BadUsage where it could not be used."""
    from rigger import wizard

    for name in ("VISUAL", "EDITOR"):
        if text := os.environ.get(name, "").strip():
            try:
                return name, shlex.split(text)
            except ValueError as problem:
                raise BadUsage(f"{name} is not a command: {problem}.", f"Set {name} to an editor.") from None
    if not wizard.has_terminal():
        raise BadUsage(
            "There is no terminal to edit on, and neither VISUAL nor EDITOR names an editor that needs none.",
            'Type "rigger config set NAME=VALUE", or set EDITOR.',
        )
    return "EDITOR", ["vi"]


def _problem(environment: Environment) -> InvalidConfig | None:
    """Return why nobody can work with the vars file, None where that can be."""
    try:
        configs.require_modules_named(environment, envfile.read(environment.vars_file))
    except InvalidConfig as problem:
        return problem
    return None


def _text(environment: Environment, problem: InvalidConfig) -> bytes:
    """Return a damaged vars file as it is; raises the problem where not even that can be read."""
    try:
        with open(environment.vars_file, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return b""
    except OSError:
        raise problem from None


def _begin(app: App, environment: Environment, draft: _Draft, before, problem) -> bytes | None:
    """Write what the editor opens, and say what is wrong with it; None where it is the text of last time."""
    from rigger import wizard

    if problem:
        app.printer.warn(f"{_in_full(problem)} {_ways_back(environment)}".rstrip())
        # A person must have read that before the editor covers it.
        ask = wizard.has_terminal() and not app.yes
        if ask and not wizard.Wizard().confirm("Open it in the editor as it is?", default=True):
            raise Interrupted("Nothing was changed.")
    if os.path.exists(draft.vars_file):
        app.printer.line("Going on with your text of last time, which was not saved.")
        return None
    text = _text(environment, problem) if problem else envfile.render(before)
    envfile.write_bytes(draft.vars_file, text)
    return text


def _in_full(problem: RiggerError) -> str:
    """Return a problem and its next step, as sentences in one line."""
    return f"{problem.message.rstrip('.')}. {problem.next_step}".rstrip()


def _ways_back(environment: Environment) -> str:
    """Return, in sentences, what gives back a vars file that nobody can work with."""
    ways = []
    try:
        envfile.read(environment.vars_file)
    except InvalidConfig:
        away = shlex.join(["mv", environment.vars_file, f"{environment.vars_file}.damaged"])
        again = f'"rigger configure --name {environment.name}"'
        ways.append(
            f"If little is left of it, move it away ({away}): {again} takes what the audit log knows, "
            "and asks for the rest."
        )
    for newest in environment.bundles()[:1]:
        unpack = shlex.join(["tar", "--zstd", "-xOf", newest, "vars"])
        ways.append(f"A bundle has the vars of an earlier time: {unpack}")
    return " ".join(ways)


def _edited(
    app: App,
    editor: tuple[str, list[str]],
    environment: Environment,
    draft: _Draft,
    before: dict[str, str],
    problem: InvalidConfig | None,
    written: bytes | None,
) -> dict[str, str] | None:
    """Return what a person made of the draft once it is valid and agreed to, None when nothing changed."""
    from rigger import wizard

    while True:
        code = _run_editor(editor, draft, written)
        if code:
            raise Interrupted(
                f"{shlex.join(editor[1])} exited {code}; nothing was changed.", _kept(draft, written)
            )
        try:
            values = envfile.read(draft.vars_file)
            edited = {name: value for name, value in values.items() if name not in COMPUTED}
            if edited == before and not problem:
                app.printer.line("Nothing was changed.")
                return None
            _validate_mended(draft) if problem else _validate(environment, edited, before)
        except RiggerError as fault:
            app.printer.warn(_in_full(fault))
            if not wizard.has_terminal():
                step = _kept(draft, written) or _ways_back(environment) or fault.next_step
                raise InvalidConfig("What was edited is not valid; nothing was changed.", step) from None
            if not wizard.Wizard().confirm("Go back to the editor?", default=True):
                raise InvalidConfig("Nothing was changed.", _kept(draft, written)) from None
            continue
        _show_difference(app, before, edited)
        if app.yes or not wizard.has_terminal() or wizard.Wizard().confirm("Save this?", default=True):
            return edited
        app.printer.line("Nothing was changed.")
        return None


def _run_editor(editor: tuple[str, list[str]], draft: _Draft, written: bytes | None) -> int:
    """Let a person edit the draft; returns the editor's exit code, raises NotReady where it cannot be started."""
    from rigger import process

    name, words = editor
    try:
        return process.interactive([*words, draft.vars_file])
    except StepFailed as problem:
        kept = _kept(draft, written)
        raise NotReady(
            f"The editor ({name}) cannot be started, nothing was changed: {problem.message}",
            f"Set {name} to an editor that you have. {kept}".rstrip(),
        ) from None


def _kept(draft: _Draft, written: bytes | None) -> str:
    """Say where a person's text is; a draft that nobody has touched is removed."""
    try:
        with open(draft.vars_file, "rb") as file:
            touched = file.read() != written
    except FileNotFoundError:  # an editor may do that
        return ""
    if not touched:
        os.unlink(draft.vars_file)
    return f"Your text is in {draft.vars_file}." if touched else ""


def _validate_mended(draft: _Draft) -> None:
    """Raise for a text that nobody could work with either, or that is not about the cluster that exists."""
    configs.require_recorded(draft, configs.resolve(draft))


def _mend(
    app: App, environment: Environment, draft: _Draft, before: dict[str, str], edited: dict[str, str]
) -> None:
    """Save what takes the place of a damaged vars file; record the names of what differs from what was readable."""
    settled = configs.resolve(draft)
    root = origin.place(environment, edited) if origin.is_used(edited) else ""
    after = {**edited, **configs.identity(edited, settled.platform, root)}
    vars = {name: value for name, value in after.items() if name not in settled.secrets}
    secrets = {name: value for name, value in after.items() if name in settled.secrets}
    changed = sorted(name for name in {*before, *after} if before.get(name) != after.get(name))
    environment.audit.append("configured", by="rigger config", changed=changed)
    environment.save(vars, {**secrets, **environment.secrets()}, draft.own_folders())
    with contextlib.suppress(RiggerError):  # the next command says what is missing now
        configs.write_computed(environment, configs.resolve(environment))
    app.printer.line(f"Saved: {environment.vars_file} can be read again. Next: rigger status")


def _validate(environment: Environment, edited: dict[str, str], before: dict[str, str]) -> None:
    given = {name: value for name, value in edited.items() if before.get(name) != value}
    _checked(environment, given, [name for name in before if name not in edited])


def _show_difference(app: App, before: dict[str, str], after: dict[str, str]) -> None:
    for name in sorted({*before, *after}):
        if before.get(name) == after.get(name):
            continue
        if name in before:
            app.printer.line(app.printer.paint(f"- {name}={before[name]}", "31"))
        if name in after:
            app.printer.line(app.printer.paint(f"+ {name}={after[name]}", "32"))


def assignment(text: str) -> tuple[str, str]:
    """Return the name and value of NAME=VALUE as it was typed; raises BadUsage."""
    text = envfile.decode(os.fsencode(text))
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise BadUsage(f"{text!r} is not of the form NAME=VALUE.")
    return name, value


def _change(app: App, environment: Environment, given: dict[str, str], gone) -> None:
    """Validate, then save values and take others back; record the names of what changed."""
    given, replaced = origin.settle({**environment.vars()}, given)
    gone = [*gone, *replaced]
    values, secret_names = _checked(environment, given, gone)
    vars, secrets = environment.vars(), environment.secrets()
    old = {**vars, **secrets}
    changed = sorted([n for n, v in values.items() if old.get(n) != v] + [n for n in gone if n in old])
    for name in gone:
        vars.pop(name, None)
        secrets.pop(name, None)
    for name, value in values.items():
        (secrets if name in secret_names else vars)[name] = value
    if changed:
        environment.audit.append("configured", by="rigger config", changed=changed)
        environment.save(vars, secrets)
        with contextlib.suppress(RiggerError):  # the next command says what is missing now
            configs.write_computed(environment, configs.resolve(environment))
    elsewhere = origin.is_cloned(environment, vars) and not {*origin.DECIDE}.isdisjoint(changed)
    first = "rigger checkout, " if elsewhere else ""
    if configs.asked_by_config_sh(environment, vars).intersection(changed):
        first += "rigger configure, "  # its config.sh may work other values out of this one
    then = f"{first}rigger provision"
    app.printer.line(f"Changed: {', '.join(changed)}. Next: {then}" if changed else "Nothing was changed.")


def _checked(environment: Environment, given: dict[str, str], gone) -> tuple[dict[str, str], frozenset[str]]:
    """Return the values in the form in which they are saved, and which names are secret; raises BadUsage and others."""
    saved = {**environment.vars(), **environment.secrets()}
    after = {name: value for name, value in {**saved, **given}.items() if name not in gone}
    configs.require_modules_named(environment, after)
    catalog = configs.catalog_of(environment, after)
    catalog.check_names(given, {**after}, "config set", also=saved)
    configs.require_same_modules(environment, saved, after)
    _, platform = catalog.chosen(after)
    for name in configs.identity({}, platform) | {f"{platform.prefix}_VERSION": ""}:
        if name in gone or name in given and given[name] != saved.get(name):
            raise BadUsage(f"{name} is worked out by rigger.", "Set VERSION for another version.")
    interview = Interview(
        catalog.questions,
        Sources(flags=given, flags_name="config set", saved=after),
        lambda folder, program, values: run_program(environment, folder, program, values),
        take_defaults=True,
    )
    missing = [q for q in interview.missing() if q.name not in interview.set_aside]
    if missing:
        names = ", ".join(question.name for question in missing)
        raise InvalidConfig(
            f"{names} would have no value.", "Give them in the same command: rigger config set NAME=VALUE ..."
        )
    questions: dict[str, Question] = {q.name: q for q in catalog.questions(after)}
    values = {name: _saved_form(interview, questions.get(name), name, value) for name, value in given.items()}
    final = {**after, **values}
    root = origin.place(environment, final) if origin.is_used(final) else ""
    values.update({n: v for n, v in configs.identity(final, platform, root).items() if saved.get(n) != v})
    hidden = {name for name, question in questions.items() if question.secret}
    return values, frozenset(hidden | {*environment.secrets()})


def _saved_form(interview: Interview, question: Question | None, name: str, value: str) -> str:
    if question is None:
        for reason in (envfile.check_name(name), envfile.check_value(name, value)):
            if reason:
                raise BadUsage(f"{name} {reason}.")
        return value
    if name in interview.answers:
        return interview.answers[name].value
    return interview.check(question, value)
