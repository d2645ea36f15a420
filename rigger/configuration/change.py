"""A changed value, validated by its question and in the form in which it is stored."""

from collections.abc import Callable, Collection, Mapping

from rigger.configuration import identity
from rigger.configuration.addons import LIST
from rigger.configuration.identity import require_modules_named, require_same_modules
from rigger.configuration.questionnaire import questionnaire_of
from rigger.envfile.names import check_name, check_value
from rigger.environments import checkout
from rigger.environments.answers import answers_of
from rigger.environments.checkout import is_used
from rigger.environments.environment import Environment
from rigger.errors import BadUsage, InvalidConfig
from rigger.questions.interview import Interview
from rigger.questions.model import Question
from rigger.questions.sources import Sources
from rigger.redact.references import look_up
from rigger.text import ways

# Runs a check or a list of choices: environment, folder of the module, program, values -> exit code, output, errors.
RunProgram = Callable[[Environment, str, str, Mapping[str, str]], tuple[int, str, str]]


def validated(
    environment: Environment, given: dict[str, str], gone: Collection[str], run_program: RunProgram
) -> tuple[dict[str, str], frozenset[str]]:
    """Return the values in the form in which they are saved, and which names are secret; raises BadUsage and others."""
    saved = answers_of(environment)
    after = {name: value for name, value in {**saved, **given}.items() if name not in gone}
    if given.get(LIST, saved.get(LIST)) != saved.get(LIST) or LIST in gone and LIST in saved:
        raise BadUsage(
            f"{LIST} names the add-ons.", ways(("Add one, or take one away", "rigger module add NAME"))
        )
    require_modules_named(environment, after)
    questionnaire = questionnaire_of(environment, after)
    questionnaire.check_names(given, {**after}, "config set", also=saved)
    require_same_modules(environment, saved, after)
    _, platform = questionnaire.modules(after)
    for name in identity.identity({}, platform) | {f"{platform.prefix}_VERSION": ""}:
        if name in gone or name in given and given[name] != saved.get(name):
            raise BadUsage(f"{name} is computed by rigger.", "Set VERSION for another version.")
    interview = Interview(
        questionnaire.questions,
        Sources(flags=given, flags_name="config set", saved=after, hidden=frozenset(environment.secrets())),
        lambda folder, program, values: run_program(environment, folder, program, values),
        take_defaults=True,
        look_up=look_up,
    )
    missing = [q for q in interview.missing() if q.name not in interview.set_aside]
    if missing:
        names = ", ".join(question.name for question in missing)
        raise InvalidConfig(
            f"{names} would have no value.",
            'Give them in the same command: "rigger config set NAME=VALUE ...".',
        )
    questions: dict[str, Question] = {q.name: q for q in questionnaire.questions(after)}
    values = {name: _saved_form(interview, questions.get(name), name, value) for name, value in given.items()}
    final = {**after, **values}
    root = checkout.place(environment, final) if is_used(final) else ""
    values.update({n: v for n, v in identity.identity(final, platform, root).items() if saved.get(n) != v})
    hidden = {name for name, question in questions.items() if question.secret} | interview.secret_names()
    return values, frozenset(hidden | {*environment.secrets()})


def _saved_form(interview: Interview, question: Question | None, name: str, value: str) -> str:
    if question is None:
        for reason in (check_name(name), check_value(name, value)):
            if reason:
                raise BadUsage(f"{name} {reason}.")
        return value
    if name in interview.answers:
        return interview.answers[name].value
    return interview.check(question, value)
