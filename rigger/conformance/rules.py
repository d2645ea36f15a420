"""Read a module and say where it does not keep the contract."""

from __future__ import annotations

import difflib
import os
import re
import stat
from collections.abc import Callable, Iterator

from rigger.conformance.finding import ADVICE, FAIL, NOT_RUN, PASS, Finding
from rigger.conformance.secrecy import sounds_secret
from rigger.conformance.subject import Subject
from rigger.conformance.syntax import shellcheck, syntax
from rigger.conformance.usage import applications, pairs, unknown_programs, unset, unused
from rigger.modules.contract import MANIFEST
from rigger.modules.interface1 import CONFIG
from rigger.modules.scripts import interpreter, script_problem
from rigger.modules.verbs import REQUIRED, a_role
from rigger.questions.model import BadAnswer, Question
from rigger.questions.validate import validate
from rigger.templates import syntax_problem
from rigger.text import did_you_mean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rigger.modules.model import Module

HEADER_LINES = 30
NEAR = 0.75  # how like a verb a name must be to be taken for a slip of the finger
# What authors of other tools would call a script, and what it is called here.
MEANT = {
    word: {"provider": provider, "platform": platform}
    for words, provider, platform in (
        ("delete remove teardown down uninstall cleanup clean-up terminate", "destroy", "undeploy"),
        ("start up apply provision run setup launch", "create", "deploy"),
        ("status verify health healthcheck health-check test validate", "check", "check"),
        ("update upgrade migrate", "create", "upgrade-STYLE, with STYLE under upgrades in rigger.yml"),
        ("ssh connect shell", "exec", "exec, and a provider's"),
        ("drain remove-node resize", "create", "scale"),
        ("save dump snapshot export", "check", "backup"),
        ("load import", "create", "restore"),
        ("stop pause halt", "suspend", "undeploy"),
    )
    for word in words.split()
}


def examine(module: Module) -> list[Finding]:
    """Read a module and return what is right and what is wrong with it; runs nothing of it."""
    subject = Subject(module)
    findings = [] if subject.old else [Finding(PASS, f"the manifest of {a_role(module.role)}", MANIFEST)]
    for sentence, look in LOOKS:
        found = list(look(subject))
        if not any(finding.level in (FAIL, NOT_RUN) for finding in found):
            findings.append(Finding(PASS, sentence))
        findings += found
    return findings


def _required(subject: Subject) -> Iterator[Finding]:
    for verb in REQUIRED.get(subject.module.role, ()):
        if subject.own_script(verb) is not None or not subject.old and subject.module.script(verb):
            continue
        if os.path.lexists(os.path.join(subject.folder, verb)):
            yield Finding(FAIL, "is no file that can be run", verb)
            continue
        slip = _slip(subject, verb)
        hint = f"; {slip} looks like it" if slip else ""
        if subject.old and verb in ("install", "check"):
            yield Finding(ADVICE, f"there is no {verb}{hint}", verb)
        else:
            yield Finding(FAIL, f"is missing: {a_role(subject.module.role)} needs it{hint}", verb)


def _slip(subject: Subject, verb: str) -> str:
    others = [name for name in subject.files if os.sep not in name and name not in subject.scripts]
    near = difflib.get_close_matches(verb, [_stem(name) for name in others], n=1, cutoff=NEAR)
    return next((name for name in others if _stem(name) in near), "")


def _stem(name: str) -> str:
    return name.removesuffix(".sh").lower().replace("_", "-")


def _runnable(subject: Subject) -> Iterator[Finding]:
    asks = [CONFIG] if subject.old and os.path.lexists(os.path.join(subject.folder, CONFIG)) else []
    for name in [*subject.scripts, *asks]:
        if subject.text(name).partition("\n")[0].endswith("\r"):
            continue  # said of the whole file
        if problem := subject.module.script_problem(os.path.join(subject.folder, name)):
            yield Finding(FAIL, problem, name, 1 if "#!" in problem else 0)
        elif missing := _missing_interpreter(subject.text(name)):
            yield Finding(FAIL, f"has a #! line that names {missing}, which is not on this machine", name, 1)
        twin = name.removesuffix(".sh") if name.endswith(".sh") else f"{name}.sh"
        if twin in subject.files:
            yield Finding(FAIL, f"stands beside {twin}: only one of them runs", name)


def _missing_interpreter(text: str) -> str:
    from shutil import which

    program = interpreter(text)
    return program if program and which(program) is None else ""


def _headers(subject: Subject) -> Iterator[Finding]:
    for name in subject.scripts:
        text = subject.text(name)
        if not text.startswith("#!"):
            continue
        head = "\n".join(text.splitlines()[:HEADER_LINES])
        if not re.search(r"^\W+Summary:\s*\S", head, re.M):
            level = ADVICE if subject.old else FAIL
            yield Finding(level, "has no header: a line '# Summary: what it does' under the #! line", name, 1)


def _verbs(subject: Subject) -> Iterator[Finding]:
    named = {program for _, _, program in subject.programs}
    for name in subject.files:
        if os.sep in name or name in subject.scripts or name in named or name == MANIFEST:
            continue
        if name.removesuffix(".sh") in {script.removesuffix(".sh") for script in subject.scripts}:
            continue  # a twin, of which was said enough
        if os.path.splitext(name)[1] not in ("", ".sh") or subject.old and name == "config.sh":
            continue
        known = sorted({*subject.verbs, *([] if subject.old else ["upgrade-"])})
        near = difflib.get_close_matches(_stem(name), known, n=1, cutoff=NEAR)
        if name.startswith("upgrade-"):
            continue  # judged with the upgrades
        if _mentioned(subject, name) or not _could_run(subject, name):
            continue  # a helper of the others, or a text
        if near:
            yield Finding(FAIL, f"looks like {near[0]}, but rigger will never run it", name)
        elif meant := MEANT.get(_stem(name)):
            text = f"rigger runs nothing called so: what does that is called {meant[subject.module.role]}"
            yield Finding(ADVICE, text, name)


def _could_run(subject: Subject, name: str) -> bool:
    """Return whether a file was written to be run."""
    path = os.path.join(subject.folder, name)
    return os.access(path, os.X_OK) or subject.text(name).startswith("#!")


def _mentioned(subject: Subject, name: str) -> bool:
    word = re.compile(rf"(?<![\w-]){re.escape(name)}(?![\w-])")
    return any(word.search(subject.text(other)) for other in subject.files if other != name)


def _tests(subject: Subject) -> Iterator[Finding]:
    for test in subject.tests:
        if subject.module.script(f"tests/{test}") is None:
            yield Finding(
                FAIL, f"tests/{test} is missing", MANIFEST, subject.line_of(rf"\b{re.escape(test)}\b")
            )
    for name in subject.files:
        folder, base = os.path.split(name)
        if (
            subject.module.role != "platform"
            or folder != "tests"
            or base.removesuffix(".sh") in subject.tests
        ):
            continue
        if os.access(os.path.join(subject.folder, name), os.X_OK):
            yield Finding(ADVICE, "belongs to no suite and no component", name)
    if subject.module.role == "platform" and not subject.tests:
        yield Finding(ADVICE, "it has no tests: a suite smoke would say if it works", MANIFEST)


def _upgrades(subject: Subject) -> Iterator[Finding]:
    for style in subject.module.upgrades:
        if subject.module.script(f"upgrade-{style}") is None:
            line = subject.line_of(rf"^\s+{re.escape(style)}:")
            yield Finding(FAIL, f"the script upgrade-{style} is missing", MANIFEST, line)
    for name in subject.files:
        style = name.removesuffix(".sh").removeprefix("upgrade-")
        if name.startswith("upgrade-") and os.sep not in name and style not in subject.module.upgrades:
            known = [f"upgrade-{style}" for style in subject.module.upgrades]
            hint = did_you_mean(name, known)
            yield Finding(FAIL, f"the manifest has no style {style} under upgrades{hint}", name)


def _programs(subject: Subject) -> Iterator[Finding]:
    for question, field, program in subject.programs:
        path = os.path.join(subject.folder, program)
        problem = script_problem(path) if os.path.isfile(path) else "is missing"
        if problem:
            line = subject.line_of(rf"\b{re.escape(program)}\b")
            yield Finding(FAIL, f"{field} of {question}: {program} {problem}", MANIFEST, line)


def _answers(subject: Subject) -> Iterator[Finding]:
    asked = {question.name: question for question in subject.module.questions}
    for question in asked.values():
        for field, source in (("default", question.default or ""), ("when", question.when)):
            if problem := syntax_problem(source):
                yield Finding(
                    FAIL, f"{field} of {question.name}: {problem}", MANIFEST, subject.asked_at(question)
                )
        if question.secret and question.default:
            yield Finding(
                ADVICE, f"{question.name} is a secret with a default", MANIFEST, subject.asked_at(question)
            )
        if question.type == "text" and sounds_secret(question.name):
            text = f"{question.name} sounds like a secret: 'type: secret' would hide and mask it"
            yield Finding(ADVICE, text, MANIFEST, subject.asked_at(question))
    given = [(name, question.default, "default") for name, question in asked.items()]
    for kind, values in subject.module.types.items():
        given += [(name, value, f"type {kind}") for name, value in values.items()]
        for name in set(values) - set(asked):
            if hint := did_you_mean(name, asked):
                text = f"type {kind}: there is no question {name}{hint}"
                yield Finding(FAIL, text, MANIFEST, subject.line_of(rf"\b{re.escape(name)}:"))
    for name, value, where in given:
        if name in asked and value and "{{" not in value and "{%" not in value:
            yield from _unfit(subject, asked[name], value, where)


def _unfit(subject: Subject, question: Question, value: str, where: str) -> Iterator[Finding]:
    if question.type == "ssh-key":
        return  # whether there is such a file is this machine's business
    try:
        validate(question, value)
    except BadAnswer as problem:
        line = subject.asked_at(question)
        yield Finding(FAIL, f"{where}: {problem.message.removesuffix('.')}", MANIFEST, line)


def _promises(subject: Subject) -> Iterator[Finding]:
    module = subject.module
    known = {*subject.verbs, "test", *(f"tests/{test}" for test in subject.tests)}
    for name in module.timeouts:
        if name not in known:
            line = subject.line_of(rf"\b{re.escape(name)}:")
            yield Finding(
                FAIL, f"timeouts: there is no script {name}{did_you_mean(name, known)}", MANIFEST, line
            )
    others = [subject.text(name) for name in subject.files if name != MANIFEST]
    for name in module.outputs:
        spoken = {name, name.lower()} if module.has_terraform else {name}
        mapped = name in module.terraform.outputs.values()
        if not mapped and not any(word in text for word in spoken for text in others):
            yield Finding(ADVICE, f"outputs: nothing here speaks of {name}", MANIFEST, subject.line_of(name))
    if not module.description and not subject.old:
        yield Finding(ADVICE, "there is no description: lists show it", MANIFEST, 1)
    folder_name = os.path.basename(subject.folder)
    own = {"rigger", ".rigger"}
    if (
        folder_name != module.name
        and folder_name not in own
        and not os.path.exists(os.path.join(subject.folder, ".git"))
    ):
        text = f"it calls itself {module.name}, but is found by the name of its folder, {folder_name}"
        yield Finding(ADVICE, text, MANIFEST, subject.line_of(r"^name:"))


def _files(subject: Subject) -> Iterator[Finding]:
    for name in ["", *subject.files]:
        mode = os.lstat(os.path.join(subject.folder, name)).st_mode
        if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
            yield Finding(FAIL, "everybody on this machine can write to it: chmod o-w", name or ".")
    shells = {name for name, _ in subject.shell_scripts}
    for name in subject.files:
        text = subject.text(name)
        if (name in shells or text.startswith("#!")) and "\r\n" in text:
            line = text[: text.index("\r\n")].count("\n") + 1
            yield Finding(FAIL, "has the line ends of Windows (CR LF)", name, line)
    with os.scandir(subject.folder) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            if entry.is_symlink():
                yield Finding(ADVICE, "is a link: bundles leave links out", entry.name)


def _secrets(subject: Subject) -> Iterator[Finding]:
    names = [question.name for question in subject.module.questions if question.secret]
    if not names:
        return
    value = r"\$\{?(?:" + "|".join(map(re.escape, names)) + r")\b"
    plain = "|".join(map(re.escape, names))
    told = re.compile(rf"^\s*(?:echo|printf|rigger-log)\b[^|>]*{value}[^|>]*$")
    traced = re.compile(r"^\s*set\s+-(?:[a-wyz]*x|o\s+xtrace)|^#!.*\s-[a-z]*x")
    saved = re.compile(rf"\brigger-save-vars\b.*\b(?:{plain})\b|{value}.*>>\s*\"?\$\{{?RIGGER_OUTPUT\b")
    for name, _ in subject.shell_scripts:
        for number, line in enumerate(subject.text(name).splitlines(), 1):
            if told.search(line):
                yield Finding(ADVICE, "prints a secret", name, number)
            elif traced.search(line):
                yield Finding(ADVICE, "prints every command, and so the secrets in them", name, number)
            elif saved.search(line):
                yield Finding(ADVICE, "a secret is saved with rigger-save-secrets", name, number)


Look = Callable[[Subject], Iterator[Finding]]
LOOKS: tuple[tuple[str, Look], ...] = (
    ("every script that it needs is there", _required),
    ("its scripts can be run", _runnable),
    ("its scripts have a header", _headers),
    ("no script is called what rigger never runs", _verbs),
    ("its tests are there", _tests),
    ("what belongs together is there together", pairs),
    ("its ways to upgrade have their scripts", _upgrades),
    ("the programs of its questions are there", _programs),
    ("its questions accept their own defaults", _answers),
    ("what it promises can be kept", _promises),
    ("its tests of applications are complete", applications),
    ("what it asks for and needs is used", unused),
    ("the variables that its scripts read are set by somebody", unset),
    ("the programs of rigger that its scripts run exist", unknown_programs),
    ("the shells understand its scripts", syntax),
    ("its files are as others may have them", _files),
    ("its secrets stay unseen, as far as reading shows", _secrets),
    ("ShellCheck was asked", shellcheck),
)
