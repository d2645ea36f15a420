"""Edit an environment's values in an editor, as often as it takes until they are valid."""

import contextlib
import os
import shlex

from rigger.configuration import change, identity, resolve
from rigger.configuration.identity import require_modules_named, require_recorded
from rigger.configuration.questionnaire import asked_by_config_sh
from rigger.configuration.resolve import write_computed
from rigger.envfile import file as envfile
from rigger.environments import checkout
from rigger.environments.checkout import is_cloned, is_used
from rigger.environments.environment import COMPUTED, Environment
from rigger.errors import BadUsage, Interrupted, InvalidConfig, NotReady, RiggerError, StepFailed
from rigger.files import write_bytes
from rigger.process import terminal
from rigger.runs.programs import run_program
from rigger.sources.change import derive_changes
from rigger.sources.spec import DECIDE
from rigger.ui.terminal import has_terminal
from rigger.ui.wizard import Wizard


class Draft(Environment):
    """An environment as the text in the editor describes it."""

    @property
    def vars_file(self) -> str:
        return self.file("vars.edit")


def editor_command() -> tuple[str, list[str]]:
    """Return where the editor is named, and its words; raises BadUsage where it could not be used."""
    for name in ("VISUAL", "EDITOR"):
        if text := os.environ.get(name, "").strip():
            try:
                return name, shlex.split(text)
            except ValueError as problem:
                raise BadUsage(f"{name} is not a command: {problem}.", f"Set {name} to an editor.") from None
    if not has_terminal():
        raise BadUsage(
            "There is no terminal to edit on, and neither VISUAL nor EDITOR names an editor that needs none.",
            'Type "rigger config set NAME=VALUE", or set EDITOR.',
        )
    return "EDITOR", ["vi"]


def problem_in(environment: Environment) -> InvalidConfig | None:
    """Return why nobody can work with the vars file, None where that can be."""
    try:
        require_modules_named(environment, envfile.read(environment.vars_file))
    except InvalidConfig as problem:
        return problem
    return None


def text_to_edit(environment: Environment, problem: InvalidConfig) -> bytes:
    """Return a damaged vars file as it is; raises the problem where not even that can be read."""
    try:
        with open(environment.vars_file, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return b""
    except OSError:
        raise problem from None


def begin(app, environment: Environment, draft: Draft, before, problem) -> bytes | None:
    """Write what the editor opens, and say what is wrong with it; None where it is the text of last time."""
    if problem:
        app.printer.warn(f"{_in_full(problem)} {_ways_back(environment)}".rstrip())
        # A person must have read that before the editor covers it.
        ask = has_terminal() and not app.yes
        if ask and not Wizard().confirm("Open it in the editor as it is?", default=True):
            raise Interrupted("Nothing was changed.")
    if os.path.exists(draft.vars_file):
        app.printer.line("Going on with your text of last time, which was not saved.")
        return None
    text = text_to_edit(environment, problem) if problem else envfile.render(before)
    write_bytes(draft.vars_file, text)
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
    for newest in environment.backups.bundles()[:1]:
        unpack = shlex.join(["tar", "--zstd", "-xOf", newest, "vars"])
        ways.append(f"A bundle has the vars of an earlier time: {unpack}")
    return " ".join(ways)


def edit(
    app,
    editor: tuple[str, list[str]],
    environment: Environment,
    draft: Draft,
    before: dict[str, str],
    problem: InvalidConfig | None,
    written: bytes | None,
) -> dict[str, str] | None:
    """Return what a person made of the draft once it is valid and agreed to, None when nothing changed."""
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
            if not has_terminal():
                step = _kept(draft, written) or _ways_back(environment) or fault.next_step
                raise InvalidConfig("What was edited is not valid; nothing was changed.", step) from None
            if not Wizard().confirm("Go back to the editor?", default=True):
                raise InvalidConfig("Nothing was changed.", _kept(draft, written)) from None
            continue
        _show_difference(app, before, edited)
        if app.yes or not has_terminal() or Wizard().confirm("Save this?", default=True):
            return edited
        app.printer.line("Nothing was changed.")
        return None


def _run_editor(editor: tuple[str, list[str]], draft: Draft, written: bytes | None) -> int:
    """Let a person edit the draft; returns the editor's exit code, raises NotReady where it cannot be started."""
    name, words = editor
    try:
        return terminal.interactive([*words, draft.vars_file])
    except StepFailed as problem:
        kept = _kept(draft, written)
        raise NotReady(
            f"The editor ({name}) cannot be started, nothing was changed: {problem.message}",
            f"Set {name} to an editor that you have. {kept}".rstrip(),
        ) from None


def _kept(draft: Draft, written: bytes | None) -> str:
    """Say where a person's text is; a draft that nobody has touched is removed."""
    try:
        with open(draft.vars_file, "rb") as file:
            touched = file.read() != written
    except FileNotFoundError:  # an editor may do that
        return ""
    if not touched:
        os.unlink(draft.vars_file)
    return f"Your text is in {draft.vars_file}." if touched else ""


def _validate_mended(draft: Draft) -> None:
    """Raise for a text that nobody could work with either, or that is not about the cluster that exists."""
    require_recorded(draft, resolve.resolve(draft))


def mend(app, environment: Environment, draft: Draft, before: dict[str, str], edited: dict[str, str]) -> None:
    """Save what takes the place of a damaged vars file; record the names of what differs from what was readable."""
    settled = resolve.resolve(draft)
    root = checkout.place(environment, edited) if is_used(edited) else ""
    after = {**edited, **identity.identity(edited, settled.platform, root)}
    vars = {name: value for name, value in after.items() if name not in settled.secrets}
    secrets = {name: value for name, value in after.items() if name in settled.secrets}
    changed = sorted(name for name in {*before, *after} if before.get(name) != after.get(name))
    environment.audit.append("configured", by="rigger config", changed=changed)
    environment.save(vars, {**secrets, **environment.secrets()}, draft.shell.own_folders())
    with contextlib.suppress(RiggerError):  # the next command says what is missing now
        write_computed(environment, resolve.resolve(environment))
    app.printer.line(f"Saved: {environment.vars_file} can be read again. Next: rigger status")


def _validate(environment: Environment, edited: dict[str, str], before: dict[str, str]) -> None:
    given = {name: value for name, value in edited.items() if before.get(name) != value}
    change.validated(environment, given, [name for name in before if name not in edited], run_program)


def _show_difference(app, before: dict[str, str], after: dict[str, str]) -> None:
    for name in sorted({*before, *after}):
        if before.get(name) == after.get(name):
            continue
        if name in before:
            app.printer.line(app.printer.paint(f"- {name}={before[name]}", "31"))
        if name in after:
            app.printer.line(app.printer.paint(f"+ {name}={after[name]}", "32"))


def write_changes(app, environment: Environment, given: dict[str, str], gone) -> None:
    """Validate, then save values and take others back; record the names of what changed."""
    given, replaced = derive_changes({**environment.vars()}, given, environment.cache_dir)
    gone = [*gone, *replaced]
    values, secret_names = change.validated(environment, given, gone, run_program)
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
            write_computed(environment, resolve.resolve(environment))
    elsewhere = is_cloned(environment, vars) and not {*DECIDE}.isdisjoint(changed)
    first = "rigger checkout, " if elsewhere else ""
    if asked_by_config_sh(environment, vars).intersection(changed):
        first += "rigger configure, "  # its config.sh may work other values out of this one
    then = f"{first}rigger provision"
    app.printer.line(f"Changed: {', '.join(changed)}. Next: {then}" if changed else "Nothing was changed.")
