"""Make an environment from a saved bundle, or bring one up to date with it."""

from __future__ import annotations

import contextlib
import os

from rigger.bundles import opened, seal
from rigger.bundles.differences import differences
from rigger.bundles.load import Loaded, loading
from rigger.configuration.addons import LIST
from rigger.configuration.identity import other_module
from rigger.configuration.inputs import whole_path
from rigger.configuration.questionnaire import Questionnaire
from rigger.environments import checkout
from rigger.environments.answers import answers_of
from rigger.environments.drafts import Draft
from rigger.environments.environment import Environment, split_secrets
from rigger.errors import BadUsage, Interrupted, RiggerError
from rigger.operations.agreement import agree_to_bundle
from rigger.operations.answers import (
    Answering,
    Ask,
    Given,
    answer_all,
    interview_of,
    sources_of,
    takes_defaults,
)
from rigger.operations.consent import Consent
from rigger.operations.target import draft_of, other_than
from rigger.operations.write import compute, say_left_out, values_to_store
from rigger.questions.model import Question
from rigger.runs.reporter import Reporter, Silent
from rigger.text import listed, plain
from rigger.values import field, frozen, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import Any

    from rigger.environments.home import Home


@frozen
class Opening:
    """How a bundle is opened, and which one is acceptable."""

    verify_key: str | None = None  # an SSH public key that must have signed it
    allow_older: bool = False  # also one that knows less than what is here
    passphrase_file: str | None = None
    identities: Sequence[str] = field(default_factory=tuple)  # age or SSH keys that decrypt its secrets


@frozen
class LoadedBundle:
    """An environment that was made from a bundle, or brought up to date with it."""

    environment: Environment
    path: str
    update: bool  # whether it was here already
    missing_clone: str = ""  # the repository whose clone did not come along
    backup: str = ""  # the file of the cluster's data that came along
    current_before: str = ""  # the environment that was current, where it was another one

    def as_dict(self) -> dict[str, Any]:
        return {
            "name": self.environment.name,
            "bundle": self.path,
            "update": self.update,
            "backup": self.backup,
            "current_before": self.current_before,
        }


def load(
    home: Home,
    given: Given,
    opening: Opening,
    reporter: Reporter | None = None,
    consent: Consent | None = None,
    ask: Ask | None = None,
) -> LoadedBundle:
    """Verify a bundle, have its open questions answered, and make it the current environment.

    Raises Refused for a bundle that is not acceptable, BadUsage where nobody agreed to its scripts, or where values are
    missing and there is no terminal to ask on; nothing was changed then.
    """
    reporter, consent = reporter or Silent(), consent or Consent()
    with _opened(home, given, opening, reporter, consent) as bundle:
        work = _begin(home, given, bundle, reporter, consent, ask)
        _say_left_behind(work, bundle)
        with _told_where_to_go_on(given.path):
            answer_all(work, review=False, saved_in=given.path)
        before = home.current_name()
        _put_in_place(work, bundle)
        say_left_out(bundle.target, reporter)
        if ask:
            Draft(home.path, bundle.target.name).remove()
        return _loaded(bundle, before)


@contextlib.contextmanager
def _opened(
    home: Home, given: Given, opening: Opening, reporter: Reporter, consent: Consent
) -> Iterator[Loaded]:
    """Give a bundle, verified, unpacked beside the environments, its scripts agreed to."""

    def agree(names: list[str], hashes: list[tuple[str, str]], others: list[tuple[str, str]]) -> None:
        agree_to_bundle(consent, reporter, names, hashes, others)

    with loading(
        given.path,
        home,
        given.name or os.environ.get("RIGGER_NAME") or given.answers.get("NAME"),
        key=opening.verify_key,
        allow_older=opening.allow_older,
        open_sealed=_opener(opening, consent),
        agree=agree,
        beforehand=sources_of(given, None, {}),
    ) as bundle:
        yield bundle


def _opener(opening: Opening, consent: Consent) -> Callable[[bytes], bytes]:
    """Return what opens the encrypted part of a bundle."""

    def open_sealed(data: bytes) -> bytes:
        if opening.identities:
            return seal.decrypt(data, identities=opening.identities)
        if not seal.needs_passphrase(data):
            raise BadUsage(
                "The bundle's secrets are encrypted for a key.", "Name its file with --identity FILE."
            )
        passphrase = consent.passphrase(opening.passphrase_file, "The passphrase of its secrets?")
        return seal.decrypt(data, passphrase=passphrase)

    return open_sealed


def _begin(
    home: Home, given: Given, bundle: Loaded, reporter: Reporter, consent: Consent, ask: Ask | None
) -> Answering:
    """Return the questions that the bundle leaves open, after saying what is in it."""
    target, loaded = bundle.target, bundle.answers()
    questionnaire = Questionnaire(home.path, bundle.source(), addons=loaded.get(LIST, ""))
    modules = questionnaire.modules(loaded)
    bundle.require_platform(*modules)
    _say_bundle(bundle, reporter)
    for module in bundle.unlike([*modules, *questionnaire.addons()]):
        reporter.warn(f"{module} has other scripts here than in the bundle; those of this machine will run.")
    draft = draft_of(home, target, True, consent) if ask and not given.defaults else None
    # Of what is here, a bundle takes over nothing but the secrets that were left out of it.
    secrets = _secret_answers(target)
    sources = sources_of(given, draft, {**secrets, **loaded}, {*secrets, *bundle.secrets})
    script = _script(questionnaire, bundle, loaded)
    take_defaults = takes_defaults(given, sources, asks=bool(ask))
    interview = interview_of(script, sources, target, questionnaire, given, reporter, take_defaults)
    told = own_modules(bundle)
    return Answering(home, target, questionnaire, interview, given, reporter, ask, told)


def _say_bundle(bundle: Loaded, reporter: Reporter) -> None:
    opened_bundle = bundle.opened
    signed = f", signed by {opened_bundle.manifest.signer}" if opened_bundle.manifest.signer else ""
    reporter.line(
        f"{opened_bundle.path}: {opened_bundle.name} of {opened_bundle.fields['created']}, verified{signed}."
    )
    for line in differences(bundle):
        reporter.line(f"  {plain(line)}")
    for name, folder in own_modules(bundle).items():
        reporter.line(f"{name} is {plain(folder)}: its scripts come in the bundle.")
    for name in bundle.dropped:
        reporter.warn(
            f"{plain(name)} was left out: Terraform would load it, and only rigger writes such files there."
        )
    for name in bundle.lost():
        reporter.warn(
            f"{plain(name)} was left out when it was saved, as it holds a secret: scripts will miss it."
        )


def _say_left_behind(work: Answering, bundle: Loaded) -> None:
    """Say which secrets have to be given anew, and how a bundle is made that has them."""
    missing = {question.name for question in work.interview.missing()} if not work.ask else set()
    if names := [name for name in bundle.left_behind() if name in missing]:
        work.reporter.warn(
            f"{listed(names)}: secret, and left out when the bundle was saved. Give them again, or load a bundle that "
            '"rigger save --with-secrets" wrote where they are.'
        )


def own_modules(bundle: Loaded) -> dict[str, str]:
    """Return PROVIDER and PLATFORM, as far as a bundle brings them along, and the folders that they will be."""
    named = [LIST if "/" in part else part.upper() for part in bundle.strangers()]
    values = bundle.vars() if named else {}
    return {n: opened.repoint(values[n], bundle.opened.folder, bundle.target.path) for n in named}


def _script(
    questionnaire: Questionnaire, bundle: Loaded, loaded: Mapping[str, str]
) -> Callable[[Mapping[str, str]], list[Question]]:
    """Return the questions of a bundle: its modules', and one for every secret that a script had saved."""

    def script(values: Mapping[str, str]) -> list[Question]:
        for name in ("PROVIDER", "PLATFORM"):
            if name in values and whole_path(name, values[name]) != loaded[name]:
                raise other_module(bundle.target, name, loaded[name])
        left = {*bundle.left_behind()}
        questions = [_asked_for(q) if q.name in left else q for q in questionnaire.questions(values)]
        known = {question.name for question in questions}
        return [*questions, *(q for q in _secrets_of_scripts(bundle) if q.name not in known)]

    return script


def _asked_for(question: Question) -> Question:
    """Return the question for an answer that was left out: its default is not what somebody had given."""
    return question if question.secret else replace(question, type="secret", default=None)


def _secrets_of_scripts(bundle: Loaded) -> list[Question]:
    ask, help = (
        "Which value has {}?",
        "A script had saved it as a secret; only --with-secrets keeps it in a bundle.",
    )
    return [
        Question(name, ask.format(name), help=help, type="secret", origin=bundle.opened.path)
        for name in bundle.left_behind()
    ]


@contextlib.contextmanager
def _told_where_to_go_on(path: str) -> Iterator[None]:
    try:
        yield
    except Interrupted as problem:
        problem.next_step = (
            f'Nothing was changed. "rigger configure --file {path}" resumes with the answers given so far.'
        )
        raise


def _put_in_place(work: Answering, bundle: Loaded) -> None:
    """Make the bundle an environment, with the values that were asked for."""
    before = _secret_answers(bundle.target)
    values = values_to_store(work, {}, {**before, **bundle.answers()}, bundle.target)
    hidden = {question.name for question in work.interview.applicable() if question.secret}
    hidden |= {*before, *bundle.secrets, *bundle.opened.fields["redacted"]}
    bundle.put_in_place(*split_secrets(values, hidden | work.secret_names()))
    with contextlib.suppress(RiggerError), bundle.target.locked("rigger configure"):
        compute(bundle.target)  # what is missing here is said by the next command
    work.home.use(bundle.target.name)


def _secret_answers(target: Environment) -> dict[str, str]:
    """Return the secrets that are here, as somebody gave them."""
    if not target.exists():
        return {}
    secrets = target.secrets()
    return {name: value for name, value in answers_of(target).items() if name in secrets}


def _loaded(bundle: Loaded, before: str | None) -> LoadedBundle:
    values = bundle.target.vars()
    url = values.get("REPOSITORY", "")
    missing = url if url and not os.path.isdir(checkout.place(bundle.target, values)) else ""
    backup = bundle.opened.fields.get("backup", "")
    return LoadedBundle(
        bundle.target,
        bundle.opened.path,
        bundle.update,
        missing,
        bundle.target.file(backup) if backup else "",
        other_than(bundle.target, before),
    )
