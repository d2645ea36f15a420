"""Write what was answered: a new environment in one piece, or the changes of one that exists."""

from __future__ import annotations

import contextlib
import os

from rigger.configuration import identity
from rigger.configuration.identity import require_same_cluster, require_same_modules
from rigger.configuration.inputs import whole_path
from rigger.configuration.resolve import resolve, write_computed
from rigger.configuration.version import version_change
from rigger.environments import checkout
from rigger.environments.answers import answers_of, save_answers
from rigger.environments.checkout import is_used
from rigger.environments.environment import Environment, split_secrets
from rigger.environments.recorded import configured
from rigger.errors import BadUsage, InvalidConfig, NotReady
from rigger.files import sync_folder
from rigger.git import clone as git_clone
from rigger.git import inspect as git_inspect
from rigger.git.place import is_repository
from rigger.operations.recover import missing_from_vars
from rigger.runs import own_folder
from rigger.sources import checkout as source_checkout
from rigger.sources.chooser import SourceChooser
from rigger.sources.questions import without_empty
from rigger.sources.spec import SOURCE, Checkout
from rigger.sources.whole import left_out

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rigger.audit.events import Event
    from rigger.operations.answers import Answering
    from rigger.runs.reporter import Reporter


def write(work: Answering, target: Environment, loaded: Mapping[str, str], new: bool) -> bool:
    """Write what was answered and return whether anything changed; a new environment appears in one piece.

    `loaded` is what a vars file says beside the answers.
    """
    changed = True
    with contextlib.ExitStack() as locked:
        if new:
            target = locked.enter_context(_created(work, target, loaded))
        else:
            locked.enter_context(target.locked("rigger configure"))
            changed = _change(work, target, loaded)
            _bring_checkout(target, _new_clone(work), work.reporter)
        if work.questionnaire.conversations:
            work.questionnaire.conversations.record(target, work.modules()[0], work.unasked())
        compute(target)
        say_left_out(target, work.reporter)
    work.home.use(target.name)
    return changed


def compute(target: Environment) -> None:
    """Write the vars that the chosen modules compute, where they compute any; the lock is held."""
    config = resolve(target)
    if any(module.vars for module in config.modules):
        write_computed(target, config)


@contextlib.contextmanager
def _created(work: Answering, target: Environment, loaded: Mapping[str, str]) -> Iterator[Environment]:
    """Make an environment with its first records, and give it, its lock held."""
    values = values_to_store(work, {}, loaded, target)
    clone = _new_clone(work)
    record = configured(target, "rigger configure", {}, values)
    records: list[Event] = [record] if record else []
    if clone:
        records.append(source_checkout.checked_out(target, clone, values.get("REF", "")))
    parts = split_secrets(values, work.secret_names())
    with contextlib.ExitStack() as locked:
        try:
            new = work.home.creating(target.name, *parts, clone.folder if clone else "", records)
            environment = locked.enter_context(new)
        except InvalidConfig:
            if not target.exists():
                raise
            raise BadUsage(
                f"Another rigger configure has made the environment {target.name} meanwhile.",
                'Type "rigger configure" to change that one, or give this one a name with --name NAME.',
            ) from None
        yield environment


def _change(work: Answering, target: Environment, loaded: Mapping[str, str]) -> bool:
    """Change an environment; what other commands saved while the questions were asked stays."""
    old = answers_of(target)
    before = {**old, **missing_from_vars(target, target.values())}
    new = values_to_store(work, before, loaded, target)
    require_same_modules(target, before, new)
    require_same_cluster(target, new, *work.modules())
    record = configured(target, "rigger configure", old, new)
    if record:
        own_folder.take_over(target)  # another checkout, or folder of the user's own, may take its place
        target.audit.append(record)
        save_answers(target, new, work.secret_names())
    return record is not None


def _new_clone(work: Answering) -> Checkout | None:
    """Return what was cloned for the environment, None where nothing had to be."""
    source = work.questionnaire.source
    checkout = source.checkout(work.values()) if isinstance(source, SourceChooser) else None
    return checkout if checkout and checkout.is_new else None


def _bring_checkout(target: Environment, clone: Checkout | None, reporter: Reporter) -> None:
    """Bring an environment's checkout to what was chosen, unless somebody's work in it would be lost."""
    if clone is None or clone.target is None or version_change(target, target.vars()):
        return  # scripts of another version than the one that runs come with an upgrade
    own_folder.take_over(target)
    folder = target.file("checkout")
    before = git_inspect.commit(folder) if os.path.isdir(folder) else ""
    try:
        if os.path.isdir(folder):
            git_clone.update(folder, clone.url, clone.target, reporter.progress)
        else:
            os.rename(clone.folder, folder)
            sync_folder(target.path)
    except NotReady as problem:
        reporter.warn(f"{folder} is not changed: {problem.message}")
        reporter.line('"rigger checkout" brings it to what is configured.')
        return
    reporter.line(f"{folder} is at {clone.target.name} ({clone.target.commit[:12]}).")
    source_checkout.record(target, clone, target.vars().get("REF", ""), before)


def say_left_out(target: Environment, reporter: Reporter) -> None:
    """Warn of submodules that the platform's checkout lacks, a clone or a folder of the user's own."""
    values = target.vars()
    folder = checkout.place(target, values)
    if is_used(values) and is_repository(folder):
        if missing := left_out(folder, checkout.is_cloned(target, values)):
            reporter.warn(missing)


def values_to_store(
    work: Answering, old: Mapping[str, str], loaded: Mapping[str, str], target: Environment
) -> dict[str, str]:
    """Return all values to be stored: what was answered, and whatever else still means something."""
    interview, questionnaire = work.interview, work.questionnaire
    applicable = {question.name for question in interview.applicable()}
    values = {**_still_holding(work, {**old, **loaded}), **_explicit(work, applicable)}
    values.pop(SOURCE, None)
    if isinstance(questionnaire.source, SourceChooser):
        values = without_empty(values, questionnaire.source.stored(interview.values()))
    for name in questionnaire.left_behind(old, values):
        if name not in loaded:
            values.pop(name, None)
    provider, platform = work.modules()
    root = checkout.place(target, values) if is_used(values) else ""
    if questionnaire.conversations:
        questionnaire.conversations.add_to(values, provider, platform, applicable, root)
    values.update(identity.identity(values, platform, root))
    return values


def _explicit(work: Answering, applicable: set[str]) -> dict[str, str]:
    """Return what somebody answered, in the form in which it is stored: a default is worked out when it is used."""
    answers = work.interview.answers
    return {n: whole_path(n, a.value) for n, a in answers.items() if a.explicit and n in applicable}


def _still_holding(work: Answering, before: Mapping[str, str]) -> dict[str, str]:
    """Return the values of before that nobody has taken back; a default that nobody looked at takes nothing back."""
    interview = work.interview
    taken_back = {n for n, a in interview.answers.items() if not a.explicit} | interview.unanswered
    taken_back &= {*interview.sources.saved}
    return {n: v for n, v in before.items() if n not in taken_back | work.dropped}
