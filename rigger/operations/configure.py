"""Make or change an environment from answers, or from a bundle."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Mapping

import click

from rigger.bundles import load, opened, seal
from rigger.bundles.load import Loaded
from rigger.bundles.seal import needs_passphrase
from rigger.configuration import equivalent, identity, resolve
from rigger.configuration.identity import other_module, require_same_cluster, require_same_modules
from rigger.configuration.inputs import read_vars_file, values_of_environ, whole_path
from rigger.configuration.questionnaire import DEFAULT_PLATFORM, Questionnaire, questionnaire_of
from rigger.configuration.resolve import CORE, write_computed
from rigger.environments import checkout
from rigger.environments.checkout import is_used
from rigger.environments.drafts import Draft
from rigger.environments.environment import Environment
from rigger.environments.home import NAME
from rigger.errors import BadUsage, Interrupted, InvalidConfig, NotReady, RiggerError
from rigger.git import clone as git_clone
from rigger.git import inspect as git_inspect
from rigger.interface1.conversation import Conversations
from rigger.operations import consent
from rigger.operations.consent import require_repository
from rigger.operations.recover import missing_from_vars
from rigger.questions.interview import Interview, missing_values, saved_problem
from rigger.questions.model import Answer, Question
from rigger.questions.sources import DRAFT, Sources
from rigger.runs.programs import run_program
from rigger.sources import checkout as source_checkout
from rigger.sources import questions as source_questions
from rigger.sources.change import is_its_own, other_place
from rigger.sources.chooser import SourceChooser
from rigger.sources.questions import with_source, without_empty
from rigger.sources.spec import DECIDE, SOURCE, Checkout
from rigger.ssh import keys as ssh_keys
from rigger.ssh.keys import private_keys
from rigger.text import plain, shorten, visible
from rigger.ui.terminal import has_terminal
from rigger.ui.wizard import HIDDEN, WIDEST_NOTE, Wizard

KEPT_SOURCES = ("asked", "default", DRAFT)


def configure(
    app,
    flags,
    given,
    name,
    answers,
    path,
    bundle,
    asks: bool,
    defaults: bool,
    advanced: bool,
    trust: bool,
):
    """Settle every question, write the answers, and say what to type next."""
    loaded = bundle.vars() if bundle else read_vars_file(path) if path else {}
    catalog = Questionnaire(app.home.path, bundle.origin() if bundle else None)
    if bundle:
        target, named = bundle.target, True
        known = catalog.chosen(loaded)
        bundle.require_platform(*known)
        say_bundle(app, bundle)
        for module in bundle.unlike([*known]):
            app.printer.warn(
                f"{module} has other scripts here than in the bundle; those of this machine will run."
            )
    else:
        target, named = _target(app, name, given, path, flags.get("PLATFORM") or loaded.get("PLATFORM"))
        _require_same_cluster(app, target, catalog, loaded, path)
        if not named and target.exists():
            _require_no_other(target, Sources(flags=flags, environ=values_of_environ(), answers=given))
    draft = _draft(app, target, named) if asks and not defaults else None
    if draft and draft.name != target.name:
        target, named = app.home.at(draft.name), True
    new = not target.exists()
    # Of what is here, a bundle takes over nothing but the secrets that were left out of it.
    saved_here = {} if new else target.secrets() if bundle else {**target.vars(), **target.secrets()}
    back = {} if new or bundle else missing_from_vars(target, saved_here)
    saved_here |= back
    if back:
        app.printer.warn(told_of_record(target, back))
    sources = Sources(
        flags=flags,
        environ=values_of_environ(),
        answers=given,
        answers_name=answers or "",
        draft=draft.read() if draft else {},
        saved={**saved_here, **loaded},
        saved_name=path or "saved",
    )
    take_defaults = defaults or not asks or (bool(sources.saved) and not advanced)
    if not bundle:
        origin = _origin(app, target, sources, asks and not defaults, trust)
        sources = with_source(sources, origin.beforehand)
        catalog.origin, catalog.before = origin, questionnaire_of(target, saved_here)
    catalog.begin = None if bundle else lambda: _conversations(app, target, sources, asks)
    interview = Interview(
        _script_of_bundle(catalog, bundle, loaded) if bundle else _script(catalog, target, saved_here),
        sources,
        lambda folder, program, values: run_program(target, folder, program, values),
        make_key=lambda question: _found_or_made_key(app, question),
        advanced=advanced,
        take_defaults=take_defaults,
    )
    interview.on_passed_over = catalog.pass_over
    if asks:
        if not bundle:
            _check_names_of_any(catalog, interview.sources)
        try:
            review = not (defaults or bundle or app.yes)
            _converse(app, target, interview, catalog, review, defaults, own_modules(bundle))
        except Interrupted as problem:
            if bundle:
                problem.next_step = f'Nothing was changed. "rigger configure --file {path}" goes on from the answers given so far.'
            raise
    else:
        _require_all(app, interview, catalog, path or target.vars_file, own_modules(bundle))
    _check_names(catalog, interview)
    if bundle:
        _load_bundle(app, bundle, interview, catalog, saved_here)
        if asks:
            Draft(app.home.path, target.name).remove()
        say_loaded(app, bundle)
        return
    for module in catalog.chosen(interview.values()):
        for problem in module.script_problems():
            app.printer.warn(f"{module.name} cannot do all it should: {problem}.")
    final = target if named else _named_after_platform(app, target, interview)
    changed = _save(app, final, interview, catalog, loaded, new)
    origin.discard()
    if asks:
        Draft(app.home.path, target.name).remove()
    say_what_next(app, final, interview, changed)


def _found_or_made_key(app, question: Question) -> str:
    """Return the first key in ~/.ssh, which a person would be offered first, or a new one where there is none."""
    found = private_keys()
    if found:
        return found[0]
    path = ssh_keys.make(question.make)
    app.printer.line(f"Made an SSH key without a passphrase for {question.name}: {path}")
    return path


def _origin(app, target: Environment, sources: Sources, asks: bool, trust: bool) -> SourceChooser:
    """Return what knows the platform's repository while questions are asked."""

    def agree(url: str, commit: str, folder: str) -> None:
        app.printer.flush()  # git's progress is over
        require_repository(app, url, commit, folder, trust)

    return SourceChooser(target, sources, agree, app.printer.line, app.printer.progress, asks)


def opener(passphrase_file: str | None, identities):
    """Return what opens the encrypted part of a bundle."""

    def open_sealed(data: bytes) -> bytes:
        if identities:
            return seal.decrypt(data, identities=identities)
        if not needs_passphrase(data):
            raise BadUsage(
                "The bundle's secrets are encrypted for a key.", "Name its file with --identity FILE."
            )
        return seal.decrypt(
            data, passphrase=consent.passphrase(passphrase_file, "The passphrase of its secrets?")
        )

    return open_sealed


def agreement(app, trust: bool):
    """Return what asks for consent to scripts that only the bundle has, after showing their hashes."""

    def agree(names: list[str], hashes: list[tuple[str, str]]) -> None:
        unknown = f"This machine does not know {' and '.join(names)}; these" if names else "These"
        app.printer.warn(f"{unknown} scripts came in the bundle:")
        app.printer.table(hashes)
        if trust:
            return
        if not has_terminal():
            raise BadUsage(
                "Nobody can be asked whether they may run.", "Look at them, then add --trust to agree."
            )
        if not Wizard().confirm("May they run on this machine, as you?", default=False):
            raise Interrupted("Nothing was changed.")

    return agree


def own_modules(bundle: Loaded | None) -> dict[str, str]:
    """Return PROVIDER and PLATFORM, as far as a bundle brings them along, and the folders that they will be."""
    return {
        role.upper(): opened.repoint(bundle.module(role), bundle.found.folder, bundle.target.path)
        for role in (bundle.strangers() if bundle else ())
    }


def _script_of_bundle(catalog: Questionnaire, bundle: Loaded, loaded: Mapping[str, str]):
    """Return the questions of a bundle: its modules', and one for every secret that a script had saved."""

    def script(values: Mapping[str, str]):
        for name in ("PROVIDER", "PLATFORM"):
            if name in values and whole_path(name, values[name]) != loaded[name]:
                raise other_module(bundle.target, name, loaded[name])
        questions = catalog.questions(values)
        known = {question.name for question in questions}
        return [*questions, *(q for q in _secrets_of_scripts(bundle) if q.name not in known)]

    return script


def _secrets_of_scripts(bundle: Loaded) -> list[Question]:
    ask, help = "Which value has {}?", "A script had saved it as a secret; it was left out of the bundle."
    return [
        Question(name, ask.format(name), help=help, type="secret", origin=bundle.found.path)
        for name in bundle.left_behind()
    ]


def _load_bundle(app, bundle: Loaded, interview: Interview, catalog: Questionnaire, before) -> None:
    """Make the bundle an environment, with the values that were asked for."""
    values = _values(interview, catalog, {}, {**before, **bundle.vars()}, bundle.target)
    hidden = {question.name for question in interview.applicable() if question.secret}
    hidden |= {*before, *bundle.secrets, *bundle.found.fields["redacted"]}
    bundle.settle(*_apart(values, hidden | _secret_names(interview, catalog)))
    with contextlib.suppress(RiggerError):  # what is missing here is said by the next command
        _compute(bundle.target)
    app.home.use(bundle.target.name)


def _target(app, name: str | None, given, path: str | None, platform: str | None) -> tuple[Environment, bool]:
    """Return the environment to make or change (the one named, the file's, the current or a first one), and
    whether its name was given."""
    name = name or app.name or os.environ.get("RIGGER_NAME") or given.get("NAME")
    if name:
        return app.home.at(name), True
    if path and (name := _name_of_file(path)):
        return app.home.at(name), True
    if not path and (name := app.home.current_name()):
        return app.home.at(name), False
    platform = platform or os.environ.get("RIGGER_PLATFORM") or given.get("PLATFORM")
    return _first(app, platform or DEFAULT_PLATFORM), False


def _name_of_file(path: str) -> str:
    """Return the name that a vars file suggests: prod.vars and environments/prod/vars are of `prod`."""
    folder, base = os.path.split(os.path.realpath(path))
    for text in (base.split(".")[0], os.path.basename(folder)):
        name = re.sub(r"[^A-Za-z0-9_.-]+", "-", text).strip("-._")
        if re.fullmatch(NAME, name) and name != "vars":
            return name
    return ""


def _first(app, platform: str) -> Environment:
    """Return the environment that nobody has named: it is called like its platform."""
    name = re.sub(r"[^A-Za-z0-9_.-]+", "-", os.path.basename(platform.rstrip(os.sep))).strip("-._")
    return app.home.at(name if re.fullmatch(NAME, name) else "cluster")


def _named_after_platform(app, target: Environment, interview: Interview) -> Environment:
    """Return the environment to write to when nobody has named it: its platform may be chosen only now."""
    first = _first(app, interview.values()["PLATFORM"])
    return target if target.exists() or first.exists() else first


def _require_same_cluster(app, target: Environment, catalog: Questionnaire, loaded, path: str | None) -> None:
    """Raise BadUsage when a file would put one cluster's identity on another, or the same one on two."""
    try:
        _, platform = catalog.chosen({"PLATFORM": loaded.get("PLATFORM", "")})
    except RiggerError:  # the interview explains what is wrong with it
        return
    name = f"{platform.prefix}_ID" if platform else ""
    if not loaded.get(name):
        return
    if target.exists() and target.vars().get(name, loaded[name]) != loaded[name]:
        raise BadUsage(
            f"The environment {target.name} is not the one in {path}: its {name} is another.",
            "Give this one a name of its own with --name NAME.",
        )
    for other in app.home.names():
        if other != target.name and app.home.at(other).vars().get(name) == loaded[name]:
            raise BadUsage(
                f"{path} describes the environment {other}: its {name} is the same.",
                f'Type "rigger use {other}", or take {name} out of a copy to make another like it.',
            )


def _require_no_other(target: Environment, given: Sources) -> None:
    """Raise BadUsage where what was given is about another cluster than the environment that nobody has named.

    Whoever pastes a command for a new cluster means a new environment, and not the one that happens to be current.
    """
    saved = target.vars()
    for name in ("PROVIDER", "PLATFORM"):
        value = source_questions.given(given, name)
        if value and saved.get(name, value) != whole_path(name, value) and target.may_have_cluster():
            raise other_module(target, name, saved[name])
    for name in ("REPOSITORY", "CHECKOUT"):
        value = source_questions.given(given, name)
        if value and not is_its_own(target, saved, place := whole_path(name, value)):
            raise other_place(target, saved, place)


def _draft(app, target: Environment, named: bool) -> Draft | None:
    """Return the draft of an interrupted conversation, if the person wants to go on from it."""
    draft = Draft(app.home.path, target.name)
    if not draft.read() and not named:
        draft = Draft.newest(app.home.path) or draft
    if not draft.read() or not re.fullmatch(NAME, draft.name):
        return None
    about = "" if draft.name == target.name else f" for environment {draft.name}"
    if Wizard().confirm(f"Go on from the answers given{about} {draft.age()}?", default=True):
        return draft
    draft.remove()
    return None


def _script(catalog: Questionnaire, target: Environment, saved: Mapping[str, str]):
    """Return the questions that follow from values; a cluster keeps its provider and its platform."""
    fixed = (
        {n: saved[n] for n in ("PROVIDER", "PLATFORM") if n in saved}
        if saved and target.may_have_cluster()
        else {}
    )

    def script(values: Mapping[str, str]):
        for name, value in fixed.items():
            if name in values and whole_path(name, values[name]) != value:
                raise other_module(target, name, value)
        return catalog.questions(values, live=True)

    return script


def _conversations(app, target: Environment, sources: Sources, asks: bool):
    """Return what lets a provider's config.sh (interface 1) ask its questions."""
    current = app.home.current_name()
    sourced = dict(app.home.at(current).vars()) if current else {}
    printer, terminal = app.printer, 0 if asks else None
    talks = Conversations(target, sources, printer.line, printer.pass_on, terminal, sourced)
    click.get_current_context().call_on_close(talks.close)
    return talks


def _converse(
    app,
    target: Environment,
    interview: Interview,
    catalog: Questionnaire,
    review: bool,
    defaults: bool,
    told: Mapping[str, str],
) -> None:
    """Ask what is missing; what follows from a change in the review is asked too, whatever its default.

    Where the platform's repository cannot be had, it is asked again where the platform comes from.
    """
    app.home.make()
    draft = Draft(app.home.path, target.name)

    def keep() -> None:
        questions = {question.name: question for question in interview.applicable()}
        said = {n: whole_path(n, a.value) for n, a in interview.answers.items() if _is_kept(a.source)}
        flags = {n: whole_path(n, v) for n, v in interview.sources.flags.items() if n in CORE}
        answers = {**flags, **{name: value for name, value in said.items() if name in questions}}
        answers |= {name: "" for name in interview.unanswered if name in questions}
        draft.write(answers, {name for name, question in questions.items() if question.secret})

    if target.exists():
        app.printer.line(f'Changing environment {target.name}; "rigger configure --name NAME" makes another.')
    talk, done = Wizard(catalog.describe, told), False
    while not done:
        try:
            talk.fill(interview, keep)
            if review:
                interview.take_defaults = False
                talk.review(interview, keep)
            done = True
        except NotReady as problem:
            if defaults or SOURCE not in interview.answers:
                raise
            app.printer.flush()
            app.printer.warn(problem.message)
            for name in (SOURCE, "REPOSITORY"):  # another one may do
                interview.forget(name)


def _is_kept(source: str) -> bool:
    """Return whether an answer from there is for the next time, too: nobody may type the same flags again."""
    return source in KEPT_SOURCES or source.startswith("--")


def _require_all(
    app, interview: Interview, catalog: Questionnaire, saved_in: str, told_already: Mapping[str, str]
) -> None:
    """Raise BadUsage with all values that are missing, InvalidConfig for a saved one that no longer holds."""
    missing = interview.missing()
    _check_names(catalog, interview)
    for question in missing:
        if question.name in interview.set_aside and question.name in interview.sources.saved:
            raise saved_problem(question, interview.set_aside[question.name], saved_in)
    if missing:
        raise missing_values(missing, "rigger configure", interview.set_aside)
    for question in interview.applicable():
        answer = interview.answers.get(question.name)
        told = answer is not None and answer.source not in ("default", "saved")
        if told and question.name != SOURCE and question.name not in told_already:
            app.printer.line(told_value(question, answer))


def _check_names(catalog: Questionnaire, interview: Interview) -> None:
    values, sources = interview.values(), interview.sources
    asked = [question.name for question in interview.applicable()]
    if SOURCE in interview.answers:  # what was given of one source means nothing to another
        asked += DECIDE
    catalog.check_names(sources.flags, values, "--set", also=asked)
    catalog.check_names(sources.answers, values, sources.answers_name, also=("NAME", *asked))


def _check_names_of_any(catalog: Questionnaire, sources: Sources) -> None:
    """Raise BadUsage for a name that no module knows, before anybody has answered questions in vain."""
    chosen = {name: value for name in ("PLATFORM", "PROVIDER") if (value := _given(sources, name))}
    for names, where in ((sources.flags, "--set"), (sources.answers, sources.answers_name)):
        unsure = [name for name in names if name not in CORE and name != "NAME"]
        if unsure:
            catalog.check_names(dict.fromkeys(unsure, ""), chosen, where, also=catalog.names_of_any())


def _given(sources: Sources, name: str) -> str:
    found = sources.find(Question(name, ""))
    return found.value if found else ""


def _save(app, target: Environment, interview: Interview, catalog: Questionnaire, loaded, new: bool) -> bool:
    """Write what was answered and return whether anything changed; a new environment appears in one piece."""
    if new:
        changed = _create(app, target, interview, catalog, loaded)
    else:
        with target.locked("rigger configure"):
            changed = _change(target, interview, catalog, loaded)
            _bring_checkout(app, target, _new_clone(interview, catalog))
    if catalog.conversations:
        catalog.conversations.record(target, catalog.chosen(interview.values())[0])
    _compute(target)
    app.home.use(target.name)
    return changed


def _compute(target: Environment) -> None:
    """Write the vars that the chosen modules compute, where they compute any."""
    settled = resolve.resolve(target)
    if settled.provider.vars or settled.platform.vars:
        with target.locked("rigger configure"):
            write_computed(target, settled)


def _create(
    app, target: Environment, interview: Interview, catalog: Questionnaire, loaded: Mapping[str, str]
) -> bool:
    values = _values(interview, catalog, {}, loaded, target)
    clone = _new_clone(interview, catalog)
    try:
        parts = _apart(values, _secret_names(interview, catalog))
        app.home.create(target.name, *parts, checkout=clone.folder if clone else "")
    except InvalidConfig:
        if not target.exists():
            raise
        raise BadUsage(
            f"Another rigger configure has made the environment {target.name} meanwhile.",
            'Type "rigger configure" to change that one, or give this one a name with --name NAME.',
        ) from None
    target.audit.append("configured", by="rigger configure", changed=sorted(values))
    if clone:
        source_checkout.record(target, clone, values.get("REF", ""))
    return True


def _new_clone(interview: Interview, catalog: Questionnaire) -> Checkout | None:
    """Return what was cloned for the environment, None where nothing had to be."""
    found = catalog.origin.found(interview.values()) if isinstance(catalog.origin, SourceChooser) else None
    return found if found and found.is_new else None


def _bring_checkout(app, target: Environment, clone: Checkout | None) -> None:
    """Bring an environment's checkout to what was chosen, unless somebody's work in it would be lost."""
    if clone is None:
        return
    folder = target.file("checkout")
    before = git_inspect.commit(folder) if os.path.isdir(folder) else ""
    try:
        if os.path.isdir(folder):
            git_clone.update(folder, clone.url, clone.target, app.printer.progress)
        else:
            os.rename(clone.folder, folder)
    except NotReady as problem:
        app.printer.warn(f"{folder} stays as it is: {problem.message}")
        app.printer.line('"rigger checkout" brings it to what is configured.')
        return
    app.printer.line(f"{folder} is at {clone.target.name} ({clone.target.commit[:12]}).")
    source_checkout.record(target, clone, target.vars().get("REF", ""), before)


def _change(
    target: Environment, interview: Interview, catalog: Questionnaire, loaded: Mapping[str, str]
) -> bool:
    """Change an environment; what other commands saved while the questions were asked stays."""
    secrets = target.secrets()
    old = {**target.vars(), **secrets}
    before = {**old, **missing_from_vars(target, old)}
    new = _values(interview, catalog, before, loaded, target)
    changed = sorted(name for name in {*old, *new} if old.get(name) != new.get(name))
    require_same_modules(target, before, new)
    require_same_cluster(target, new, *catalog.chosen(interview.values()))
    if changed:
        target.audit.append("configured", by="rigger configure", changed=changed)
        target.save(*_apart(new, _secret_names(interview, catalog) | {*secrets}))
    return bool(changed)


def _values(
    interview: Interview,
    catalog: Questionnaire,
    old: Mapping[str, str],
    loaded: Mapping[str, str],
    target: Environment,
) -> dict[str, str]:
    """Return all values to be stored: what was answered, and whatever else still means something."""
    applicable = {question.name for question in interview.applicable()}
    explicit = {
        n: whole_path(n, a.value) for n, a in interview.answers.items() if a.explicit and n in applicable
    }
    taken_back = {n for n, a in interview.answers.items() if not a.explicit} | interview.unanswered
    taken_back &= {*interview.sources.saved}  # a default that nobody looked at takes nothing back
    kept = {n: v for n, v in {**old, **loaded}.items() if n not in taken_back}
    values = {**kept, **explicit}
    values.pop(SOURCE, None)
    if isinstance(catalog.origin, SourceChooser):
        values = without_empty(values, catalog.origin.stored(interview.values()))
    for name in catalog.left_behind(old, values):
        if name not in loaded:
            values.pop(name, None)
    provider, platform = catalog.chosen(interview.values())
    root = checkout.place(target, values) if is_used(values) else ""
    if catalog.conversations:
        catalog.conversations.add_to(values, provider, platform, applicable, root)
    values.update(identity.identity(values, platform, root))
    return values


def _secret_names(interview: Interview, catalog: Questionnaire) -> set[str]:
    names = {question.name for question in catalog.questions(interview.values()) if question.secret}
    if catalog.conversations:
        names |= catalog.conversations.secret_names(catalog.chosen(interview.values())[0])
    return names


def _apart(values: Mapping[str, str], hidden: set[str]) -> tuple[dict[str, str], dict[str, str]]:
    """Return the plain values and the secrets."""
    return (
        {name: value for name, value in values.items() if name not in hidden},
        {name: value for name, value in values.items() if name in hidden},
    )


def told_of_record(target: Environment, back: Mapping[str, str]) -> str:
    """Return a sentence about values that the vars file has lost and that are taken from the record."""
    named = ", ".join(f"{name}={shorten(visible(value), WIDEST_NOTE)}" for name, value in back.items())
    said = f"{target.vars_file} has lost what {target.name} was made with; its record says: {named}."
    again = 'What the scripts had set comes again with "rigger provision --again".'
    return f"{said} {again}" if "PLATFORM" in back else said


def say_bundle(app, bundle: Loaded) -> None:
    found = bundle.found
    signed = f", signed by {found.manifest.signer}" if found.manifest.signer else ""
    app.printer.line(f"{found.path}: {found.name} of {found.fields['created']}, verified{signed}.")
    for line in load.differences(bundle):
        app.printer.line(f"  {plain(line)}")
    for name, folder in own_modules(bundle).items():
        app.printer.line(f"{name} is {plain(folder)}: its scripts come in the bundle.")
    for name in bundle.lost():
        app.printer.warn(
            f"{plain(name)} was left out when it was saved, as it holds a secret: scripts will miss it."
        )


def say_loaded(app, bundle: Loaded) -> None:
    done = "is up to date with" if bundle.update else "was made from"
    app.printer.line()
    app.printer.line(f"Environment {bundle.target.name} {done} {bundle.found.path}, and is the current one.")
    values = bundle.target.vars()
    if values.get("REPOSITORY") and not os.path.isdir(checkout.place(bundle.target, values)):
        app.printer.line(f"The clone of {values['REPOSITORY']} did not come along. Next: rigger checkout")
        return
    app.printer.line("Next: rigger status, rigger check, rigger upgrade")


def told_value(question: Question, answer: Answer) -> str:
    value = HIDDEN if question.secret else shorten(visible(answer.value), WIDEST_NOTE) or "(empty)"
    source = "--set" if answer.source.startswith("--set ") else answer.source
    return f"{question.name} is {value} (from {visible(source)})"


def say_what_next(app, target: Environment, interview: Interview, changed: bool) -> None:
    done = "is configured" if changed else "stays as it was"
    home = os.path.expanduser("~") + os.sep
    vars_file = (
        f"~/{target.vars_file.removeprefix(home)}" if target.vars_file.startswith(home) else target.vars_file
    )
    secrets = [f"RIGGER_{q.name}" for q in interview.applicable() if q.secret and q.name in interview.answers]
    app.printer.line()
    app.printer.line(f"Environment {target.name} {done}; its values are in {vars_file}")
    needs = f" (it needs {', '.join(secrets)} in the environment)" if secrets else ""
    app.printer.line(f"The same without questions{needs}:")
    app.printer.line(f"  {equivalent.equivalent(target.name, interview)}")
    app.printer.line("Next: rigger provision")
