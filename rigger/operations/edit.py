"""Edit an environment's values in an editor, as often as it takes until they are valid."""

from __future__ import annotations

import os
import shlex

from rigger.configuration import change, identity
from rigger.configuration.identity import require_modules_named, require_recorded
from rigger.configuration.resolve import resolve
from rigger.envfile import file as envfile
from rigger.envfile.names import MANAGED
from rigger.environments import checkout
from rigger.environments.checkout import is_used
from rigger.environments.environment import Environment, split_secrets
from rigger.environments.recorded import configured
from rigger.environments.store import FolderStore
from rigger.errors import Declined, InvalidConfig, NotReady, RiggerError, StepFailed
from rigger.files import unlink_if_there, write_bytes
from rigger.operations.consent import Consent
from rigger.operations.editor import Editor, find_editor
from rigger.operations.values import ChangedValues, change_values, rewrite_computed
from rigger.runs.programs import run_program
from rigger.runs.reporter import Reporter, Silent
from rigger.values import frozen, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


class EditedEnvironment(Environment):
    """An environment as the text in the editor describes it."""

    def __init__(self, of: Environment):
        store = FolderStore(of.path, vars_file="vars.edit")
        super().__init__(of.name, of.path, of.home, store)
        self.vars_file = store.vars_file


@frozen
class _Editing:
    """A text that is being edited, and whom to tell and to ask."""

    environment: Environment
    draft: EditedEnvironment
    editor: Editor
    reporter: Reporter
    consent: Consent
    before: Mapping[str, str]  # the values of now, as far as they can be read
    problem: InvalidConfig | None  # why nobody can work with the vars file
    written: bytes | None = None  # what the editor opens; None: the text of last time

    def is_wanted(self, question: str) -> bool:
        """Return whether a person wants something; where nobody has to be asked or can be, it is."""
        consent = self.consent
        return consent.yes or not consent.can_ask or consent.ask().confirm(question, default=True)


def edit(
    environment: Environment,
    reporter: Reporter | None = None,
    consent: Consent | None = None,
    editor: Editor | None = None,
) -> ChangedValues:
    """Have the vars file edited, and save it once it is valid and agreed to; by default in $VISUAL or $EDITOR.

    Raises InvalidConfig for a text that is not valid, Declined where somebody gave up, NotReady where the editor
    cannot be started; nothing was changed then, and the text is kept for the next time.
    """
    reporter, consent = reporter or Silent(), consent or Consent()
    editor = editor or find_editor(has_terminal=consent.can_ask)
    with environment.locked("rigger config edit"):
        work = _begin(environment, editor, reporter, consent)
        after = _edited(work)
        result = ChangedValues(environment) if after is None else _save(work, after)
        unlink_if_there(work.draft.vars_file)
    return result


# ---- before the editor opens -----------------------------------------------------------------------------


def _begin(environment: Environment, editor: Editor, reporter: Reporter, consent: Consent) -> _Editing:
    """Return a text to be edited, written to its file, after saying what is wrong with it."""
    draft = EditedEnvironment(environment)
    problem = _problem_in(environment)
    before = envfile.readable(_damaged_text(environment, problem)) if problem else environment.vars()
    work = _Editing(environment, draft, editor, reporter, consent, _without_computed(before), problem)
    if problem:
        reporter.warn(f"{_in_full(problem)} {_ways_back(environment)}".rstrip())
        # A person must have read that before the editor covers it.
        if not work.is_wanted("Open it in the editor anyway?"):
            raise Declined("Nothing was changed.")
    if os.path.exists(draft.vars_file):
        reporter.line("Going on with your text of last time, which was not saved.")
        return work
    text = _damaged_text(environment, problem) if problem else envfile.render(dict(work.before))
    write_bytes(draft.vars_file, text)
    return replace(work, written=text)


def _problem_in(environment: Environment) -> InvalidConfig | None:
    """Return why nobody can work with the vars file, None where that can be."""
    try:
        require_modules_named(environment, envfile.read(environment.vars_file))
    except InvalidConfig as problem:
        return problem
    return None


def _damaged_text(environment: Environment, problem: InvalidConfig) -> bytes:
    """Return a damaged vars file as it is; raises the problem where not even that can be read."""
    try:
        with open(environment.vars_file, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return b""
    except OSError:
        raise problem from None


def _without_computed(values: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in values.items() if name not in MANAGED}


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


# ---- while it is open ------------------------------------------------------------------------------------


def _edited(work: _Editing) -> dict[str, str] | None:
    """Return what a person made of the text once it is valid and agreed to, None when nothing is to be changed."""
    while True:
        _run_editor(work)
        try:
            after = _without_computed(envfile.read(work.draft.vars_file))
            if after == work.before and not work.problem:
                return None
            _validate(work, after)
        except RiggerError as fault:
            _require_another_try(work, fault)
            continue
        work.reporter.difference(work.before, after)
        return after if work.is_wanted("Save this?") else None


def _run_editor(work: _Editing) -> None:
    """Let a person edit the text; raises NotReady where that cannot be, Declined where the editor says that it failed."""
    editor = work.editor
    try:
        code = editor.open(work.draft.vars_file)
    except StepFailed as problem:
        raise NotReady(
            f"The editor ({editor.name}) cannot be started, nothing was changed: {problem.message}",
            f"Set {editor.name} to an editor that you have. {_kept(work)}".rstrip(),
        ) from None
    if code:
        raise Declined(f"{editor} exited {code}; nothing was changed.", _kept(work))


def _kept(work: _Editing) -> str:
    """Say where a person's text is; one that nobody has touched is removed."""
    path = work.draft.vars_file
    try:
        with open(path, "rb") as file:
            touched = file.read() != work.written
    except FileNotFoundError:  # an editor may do that
        return ""
    if not touched:
        os.unlink(path)
    return f"Your text is in {path}." if touched else ""


def _validate(work: _Editing, after: Mapping[str, str]) -> None:
    """Raise for a text that nobody could work with, or that is not about the cluster that exists."""
    if work.problem:
        require_recorded(work.draft, resolve(work.draft))
    else:
        change.validated(work.environment, *_changes(work, after), run_program)


def _changes(work: _Editing, after: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """Return the values that are new or others, and the names of those that are gone."""
    before = work.before
    given = {name: value for name, value in after.items() if before.get(name) != value}
    return given, [name for name in before if name not in after]


def _require_another_try(work: _Editing, fault: RiggerError) -> None:
    """Say what is wrong with a text; raises InvalidConfig unless somebody goes back to the editor."""
    work.reporter.warn(_in_full(fault))
    if not work.consent.can_ask:
        step = _kept(work) or _ways_back(work.environment) or fault.next_step
        raise InvalidConfig("What was edited is not valid; nothing was changed.", step) from None
    if not work.consent.ask().confirm("Go back to the editor?", default=True):
        raise InvalidConfig("Nothing was changed.", _kept(work)) from None


# ---- after it was agreed to ------------------------------------------------------------------------------


def _save(work: _Editing, after: Mapping[str, str]) -> ChangedValues:
    if work.problem:
        return _mend(work, after)
    return change_values(work.environment, *_changes(work, after))


def _mend(work: _Editing, after: Mapping[str, str]) -> ChangedValues:
    """Save what takes the place of a damaged vars file; record the names of what differs from what was readable."""
    environment, before = work.environment, work.before
    config = resolve(work.draft)
    root = checkout.place(environment, after) if is_used(after) else ""
    after = {**after, **identity.identity(after, config.platform, root)}
    record = configured(environment, "rigger config", before, after)
    if record:
        environment.audit.append(record)
    changed = tuple(record.changed) if record else ()
    vars, secrets = split_secrets(after, config.secrets)
    environment.save(vars, {**secrets, **environment.secrets()}, work.draft.shell.own_folders())
    rewrite_computed(environment)
    return ChangedValues(environment, changed, ("rigger status",), mended=True)
