"""The questions that a provider's config.sh asks while bash sources it (interface 1), and what it gives back."""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Callable, Mapping, Sequence

from rigger import text as texts
from rigger.envfile.names import check_name, check_value
from rigger.envfile.output import parse_output
from rigger.environments.environment import Environment
from rigger.errors import StepFailed
from rigger.files import write_bytes
from rigger.interface1 import record
from rigger.interface1.record import RECORD, Record, digest_of
from rigger.modules.contract import CONTRACT_VARIABLES, CORE
from rigger.modules.interface1 import CONFIG, INTERFACE, LIBEXEC
from rigger.modules.model import Module
from rigger.process.dialogue import Dialogue
from rigger.questions.model import BadAnswer, Choice, Question
from rigger.questions.sources import Sources
from rigger.redact import Redactor, maskable

KEY_KIND = "rsa"  # of a key that is made: platforms of that time took no other
BASH_ITS_OWN = frozenset({"PWD", "OLDPWD", "SHLVL", "_"})

# Interface 1 asks for most credentials in the open; these words in a name tell them.
SECRET = re.compile(
    r"(^|_)(PASSWORD|PASSWD|PASSPHRASE|SECRET|TOKEN|CREDENTIALS?)(_|$)|ACCESS_KEY|API_?KEY|^TF_VAR_\w*(token|secret)",
    re.ASCII,
)


def script(folder: str) -> str | None:
    """Return the path of a provider's config.sh, None where it asks nothing."""
    path = os.path.join(folder, CONFIG)
    return path if os.path.isfile(path) else None


def words(folder: str) -> set[str]:
    """Return every word of config.sh that may be a variable's name."""
    return set(re.findall(r"[A-Za-z_][A-Za-z0-9_]*", _text(folder)))


def _text(folder: str) -> str:
    path = script(folder)
    if path is None:
        return ""
    with open(path, "rb") as file:
        return texts.decode(file.read())


class Conversation:
    """A run of config.sh that waits, whenever it asks something, until the answer is among the values.

    What was answered cannot be taken back in a shell: where an answer changes, config.sh runs again from its start,
    and gets the answers so far without anybody being asked.
    """

    def __init__(
        self,
        module: Module,
        sources: Sources,
        environ: Mapping[str, str],
        *,
        before: Record | None = None,
        digest: Callable[[str], str] = str,
        say: Callable[[str], None] = lambda sentence: None,
        output: Callable[[bytes], None] = lambda block: None,
        terminal: int | None = None,
    ):
        self.module = module
        self.sources = sources
        self.environ = environ
        self.before = before or Record()
        self.digest = digest
        self.say = say
        self.output = output
        self.terminal = terminal
        self.origin = f"contrib/{module.name}/{CONFIG}"
        self.begun = self.finished = False
        self.asked: list[Question] = []
        self.given: dict[str, str] = {}  # the values that it gave back, answers aside
        self.whole: dict[str, str] = {}  # the same, with what is known from the last time
        self.withdrawn: set[str] = set()  # what it gave the last time and does not give any more
        self.secret_names: set[str] = set()
        self._basis: dict[str, str] = {}
        self._answers: dict[str, str] = {}
        self._preset: dict[str, str] = {}
        self._start: dict[str, str] = {}
        self._pending: Question | None = None
        self._passed_over: set[str] = set()
        self._dialogue: Dialogue | None = None
        self._folder: tempfile.TemporaryDirectory | None = None

    def questions(self, values: Mapping[str, str], basis: Mapping[str, str]) -> list[Question]:
        """Return what config.sh has asked so far, and what it asks next, if the values answer all before.

        `basis` are the variables that stand in its environment from the start. Raises StepFailed when it fails, and
        BadAnswer when it does not take an answer.
        """
        if not self.begun or self._outdated(values, basis):
            self._begin(basis)
        try:
            while self._pending is not None and self._answered(values):
                self._receive()
        except BaseException:
            self.close()
            raise
        return [*self.asked]

    def pass_over(self, name: str) -> None:
        """Go on without an answer, to find out what else will be asked; whatever comes of that does not count."""
        self._passed_over.add(name)

    def close(self) -> None:
        """End config.sh, if it still runs; it would have to begin anew."""
        if self._dialogue is not None:
            self._dialogue.close()
            self._dialogue = None
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None
        self.begun = False

    def _outdated(self, values: Mapping[str, str], basis: Mapping[str, str]) -> bool:
        changed = any(values.get(name, value) != value for name, value in self._answers.items())
        return changed or basis != self._basis

    def _begin(self, basis: Mapping[str, str]) -> None:
        self.close()
        self.asked, self.given, self.whole, self.withdrawn, self.secret_names = [], {}, {}, set(), set()
        self._answers, self._pending, self.finished = {}, None, False
        self._basis = dict(basis)
        self.sources.given.clear()
        path = script(self.module.folder)
        self.begun = True
        if path is None:
            self.finished = True
            return
        self._preset = self._given_beforehand()
        self._take_back_what_it_made_of_answers()
        self._folder = tempfile.TemporaryDirectory(prefix="rigger-")
        self._start = self._environment()
        try:
            self._dialogue = Dialogue(
                [os.path.join(LIBEXEC, "converse"), path],
                cwd=self.module.folder,
                env=self._start,
                output=self._show,
                stdin=self.terminal,
            )
            self._receive()
        except BaseException:
            self.close()
            raise

    def _given_beforehand(self) -> dict[str, str]:
        """Return what flags, the process environment and the answers file say of variables that config.sh names.

        What they said the last time holds until they say something else.
        """
        found = dict(self.before.preset)
        given = Sources(self.sources.flags, self.sources.environ, self.sources.answers)
        for name in words(self.module.folder):
            if check_name(name) or name in CORE or f"RIGGER_{name}" in CONTRACT_VARIABLES:
                continue
            if answer := given.find(Question(name, "")):
                found[name] = answer.value
        return found

    def _take_back_what_it_made_of_answers(self) -> None:
        """Have it begin with the answers themselves again, unless somebody has changed what it made of them."""
        for name, answer in self.before.answered.items():
            if self._is_known(name, self.sources.saved.get(name, "")):
                self.sources.saved[name] = answer

    def _environment(self) -> dict[str, str]:
        libexec = os.path.dirname(LIBEXEC)
        return {
            **self.environ,
            **self._basis,
            **self._preset,
            "RIGGER_INTERFACE": str(INTERFACE),
            "RIGGER_MODULE_DIR": self.module.folder,
            "RIGGER_OUTPUT": os.path.join(self._folder.name, "vars"),
            "RIGGER_SECRETS_OUTPUT": os.path.join(self._folder.name, "secrets"),
            "PATH": os.pathsep.join([libexec, self.environ.get("PATH", os.defpath)]),
        }

    def _show(self, block: bytes) -> None:
        if not self._passed_over:  # it works with nothing in the place of answers
            secrets = {
                q.name: self._answers[q.name] for q in self.asked if q.secret and q.name in self._answers
            }
            self.output(Redactor(maskable(secrets)).bytes(block))

    # What it asks

    def _receive(self) -> None:
        """Go on to the next question, or to the end."""
        self._pending = None
        while self._pending is None and not self.finished:
            message = self._dialogue.receive()
            if message is None:
                self._ended()
            elif message[0] == b"question":
                self._take_question([texts.decode(part) for part in message[1:]])
            else:
                self._finish([texts.decode(part) for part in message[1:]])

    def _take_question(self, fields: Sequence[str]) -> None:
        kind, name, _, present, text, default, *options = fields
        if present and (name in self._answers or present != self._start.get(name)):
            if name not in self._answers:
                self.say(f"{name} is set already ({self.origin})")
            self._dialogue.reply(b"keep", b"")
        elif name in self._answers:
            self._refused(name)
        elif reason := _unfit(name):
            raise StepFailed(f"{self.origin} asks for {name}, which {reason}.", "Another name would do.")
        else:
            self._pending = self._question(kind, name, text, default, options)
            self.asked.append(self._pending)

    def _refused(self, name: str) -> None:
        if self._passed_over:
            self.finished = True
            return
        raise BadAnswer(f"{name} was not accepted: {self.origin} asks for it again.")

    def _question(self, kind: str, name: str, text: str, default: str, options: Sequence[str]) -> Question:
        choices: tuple[Choice, ...] = ()
        if kind == "select":
            choices = tuple(Choice(str(number), option) for number, option in enumerate(options, 1))
            if not choices:
                raise StepFailed(f"{self.origin} asks for {name} with no options to choose from.")
            default = _number(default, options)
        elif kind == "text" and SECRET.search(name):
            kind = "secret"
        return Question(
            name=name,
            ask=text or f"{name}?",
            type=kind,
            choices=choices,
            default=_literal(default) if default else None,
            env=(name,) if name in self.environ else (),
            pinned=True,
            make=KEY_KIND if kind == "ssh-key" else "",
            origin=self.origin,
            folder=self.module.folder,
        )

    def _answered(self, values: Mapping[str, str]) -> bool:
        """Hand over the answer to the pending question, if there is one."""
        name = self._pending.name
        if name in values:
            self._answers[name] = values[name]
            self._dialogue.reply(b"answer", texts.encode(values[name]))
        elif name in self._passed_over:
            self._answers[name] = ""
            self._dialogue.reply(b"missing", b"")
        else:
            return False
        return True

    def _ended(self) -> None:
        if self._passed_over:
            self.finished = True
            return
        code = self._dialogue.exit_code
        how = f"exited {code}" if code else "ended with exit, not at its end"
        raise StepFailed(
            f"{self.origin} {how}; nothing was stored.", "Its output says why, if it says anything."
        )

    # What it gives back

    def _finish(self, fields: Sequence[str]) -> None:
        self.finished = True
        exported = dict(zip(fields[::2], fields[1::2], strict=True))
        saved, secrets = self._saved("vars"), self._saved("secrets")
        self.close()
        self.begun = True
        if self._passed_over:
            return
        given = {**self._exports(exported), **saved, **secrets}
        given = {name: value for name, value in given.items() if self._answers.get(name) != value}
        known = {name for name in given if name not in self._answers and self._is_known(name, given[name])}
        self.given = {name: value for name, value in given.items() if name not in known}
        self.secret_names = self._secret(given, secrets)
        self.withdrawn = {*self.before.given} - {*given} - {*self._answers}
        self.whole = given
        self.sources.given.update(self.given)

    def _saved(self, channel: str) -> dict[str, str]:
        try:
            with open(os.path.join(self._folder.name, channel), "rb") as file:
                values, problems = parse_output(file.read(), self.origin)
        except FileNotFoundError:
            return {}
        for problem in problems:
            self.say(f"Not kept: {problem}.")
        return {name: value for name, value in values.items() if self._may_give(name, value)}

    def _exports(self, exported: Mapping[str, str]) -> dict[str, str]:
        """Return what config.sh exported: all that it changed, and what it says `export` of."""
        said = {
            word
            for line in re.findall(r"\bexport\b([^\n;]*)", _text(self.module.folder))
            for word in _names(line)
        }
        changed = {n: v for n, v in exported.items() if self._start.get(n) != v or n in said}
        changed |= {n: exported[n] for n in self._preset if n in exported}
        return {n: v for n, v in changed.items() if n not in BASH_ITS_OWN and self._may_give(n, v)}

    def move(self, values: dict[str, str], old: str, new: str) -> None:
        """Put another folder in the place of the checkout's, in the values that come from here."""
        if new and new != old:
            for name in {*self.whole, *self._answers} & {*values}:
                values[name] = values[name].replace(old, new)
            self.whole = {name: value.replace(old, new) for name, value in self.whole.items()}

    def preset(self) -> dict[str, str]:
        """Return what it began with that is no secret and no answer to a question."""
        known = maskable({name: self._answers[name] for name in self.secret_names if name in self._answers})
        hidden = {
            n for n, v in self._preset.items() if SECRET.search(n) or any(secret in v for secret in known)
        }
        return {n: v for n, v in self._preset.items() if n not in hidden and n not in self._answers}

    def answered(self) -> dict[str, str]:
        """Return the answers that it made something else of, but for secrets."""
        hidden = {question.name for question in self.asked if question.secret} | self.secret_names
        return {n: self._answers[n] for n in self.whole if n in self._answers and n not in hidden}

    def _may_give(self, name: str, value: str) -> bool:
        reason = _unfit(name) or check_value(name, value)
        if name in self._basis and not reason:
            reason = "is what the environment is configured to be" if self._basis[name] != value else " "
        if reason and reason.strip() and self._start.get(name) != value:
            self.say(f"{name}, which {self.origin} sets, is not kept: it {reason}.")
        return not reason

    def _is_known(self, name: str, value: str) -> bool:
        """Whether this is what it gave the last time: a script may have saved something better since."""
        return name in self.sources.saved and self.before.given.get(name) == self.digest(value)

    def _secret(self, given: Mapping[str, str], secrets: Mapping[str, str]) -> set[str]:
        hidden = {question.name for question in self.asked if question.secret}
        known = maskable({name: self._answers[name] for name in hidden} | dict(secrets))
        found = {n for n, v in given.items() if SECRET.search(n) or any(secret in v for secret in known)}
        return found | {*secrets}


def _unfit(name: str) -> str | None:
    """Return the reason why a variable of a script cannot be one of the environment's."""
    return "is a question of rigger's own" if name in CORE else check_name(name)


def _names(text: str) -> list[str]:
    return re.findall(r"(?<![\w$\"'{/.-])[A-Za-z_][A-Za-z0-9_]*", text)


def _number(default: str, options: Sequence[str]) -> str:
    """Return the number of the default choice, which may be given as a number or as the option itself."""
    if default.isdigit() and 1 <= int(default) <= len(options):
        return str(int(default))
    return str(options.index(default) + 1) if default in options else "1"


def _literal(text: str) -> str:
    """Return a template that gives the text, whatever is in it."""
    return text if re.fullmatch(r"[^{}\n]*", text) else "{{ %r }}" % text  # noqa: UP031 - braces all over


# What later commands know of it


def write_record(environment: Environment, folder: str, conversation: Conversation) -> None:
    """Keep what config.sh asked and gave in a provider's state."""
    questions = [
        {
            "name": q.name,
            "ask": q.ask,
            "type": q.type,
            "choices": [[choice.value, choice.description] for choice in q.choices],
            **({} if q.default is None else {"default": q.default}),
        }
        for q in conversation.asked
    ]
    digest = digest_of(environment)
    given = {name: digest(value) for name, value in conversation.whole.items()}
    content = {
        "questions": questions,
        "given": given,
        "preset": conversation.preset(),
        "answered": conversation.answered(),
    }
    os.makedirs(environment.file("modules", folder), mode=0o700, exist_ok=True)
    data = json.dumps(content, indent=2, sort_keys=True).encode() + b"\n"
    write_bytes(environment.file("modules", folder, RECORD), data)


# In a run of configure


class Conversations:
    """The conversations with the config.sh of every provider that a person has tried in one configure."""

    def __init__(
        self,
        target: Environment,
        sources: Sources,
        say: Callable[[str], None],
        output: Callable[[bytes], None],
        terminal: int | None,
        sourced: Mapping[str, str],
    ):
        self.target = target
        self.sources = sources
        self.say, self.output, self.terminal = say, output, terminal
        # What a person's shell has from an environment's vars file is not what that person says now.
        self.environ = {n: v for n, v in sources.environ.items() if sourced.get(n) != v}
        self._id = os.urandom(5).hex()
        self._of: dict[str, Conversation] = {}
        self._latest: Conversation | None = None

    def questions(
        self, provider: Module, platform: Module, values: Mapping[str, str]
    ) -> tuple[tuple[Question, ...], bool]:
        """Return what a provider's config.sh has asked so far, and whether it has come to its end."""
        if provider.folder not in self._of:
            self._of[provider.folder] = self._begin(provider)
        conversation = self._latest = self._of[provider.folder]
        asked = conversation.questions(values, self._basis(provider, platform, values))
        return tuple(asked), conversation.finished

    def asked(self, provider: Module) -> tuple[tuple[Question, ...], bool]:
        """Return the same without going on with it."""
        conversation = self._of.get(provider.folder)
        if conversation is None:
            return provider.questions, True
        return tuple(conversation.asked), conversation.finished

    def pass_over(self, name: str) -> None:
        if self._latest is not None:
            self._latest.pass_over(name)

    def close(self) -> None:
        for conversation in self._of.values():
            conversation.close()

    def add_to(
        self, values: dict[str, str], provider: Module, platform: Module, decided: set[str], root: str = ""
    ) -> None:
        """Add what config.sh gave to the values that will be stored, but for what was `decided` otherwise.

        Values that name the checkout as it lay while questions were asked name it where it will lie, at `root`.
        """
        conversation = self._of.get(provider.folder)
        if conversation is None:
            return
        for name in conversation.withdrawn - decided:
            values.pop(name, None)
        asked = {question.name for question in conversation.asked}
        values.update({n: v for n, v in conversation.given.items() if n in asked or n not in decided})
        values.update(self._identity(platform))
        conversation.move(values, _root(provider), root)

    def secret_names(self, provider: Module | None) -> set[str]:
        conversation = self._of.get(provider.folder) if provider else None
        return set(conversation.secret_names) if conversation else set()

    def names(self, provider: Module) -> set[str]:
        """Return the names of all values that come of a conversation."""
        conversation = self._of.get(provider.folder)
        return {*conversation.whole, *(q.name for q in conversation.asked)} if conversation else set()

    def record(self, environment: Environment, provider: Module) -> None:
        """Keep what config.sh asked and gave in the provider's state."""
        if conversation := self._of.get(provider.folder):
            write_record(environment, provider.name, conversation)

    def _begin(self, provider: Module) -> Conversation:
        before = record.recorded(self.target, provider)
        return Conversation(
            provider,
            self.sources,
            self.environ,
            before=before,
            digest=digest_of(self.target) if before.given else str,
            say=self.say,
            output=self.output,
            terminal=self.terminal,
        )

    def _basis(self, provider: Module, platform: Module, values: Mapping[str, str]) -> dict[str, str]:
        known = {name: values[name] for name in CORE if name in values}
        version = {f"{platform.prefix}_VERSION": values["VERSION"]} if "VERSION" in values else {}
        places = {f"{platform.prefix}_ROOT": _root(provider), "RIGGER_HOME": self.target.home}
        return {**known, **version, **places, **self._identity(platform)}

    def _identity(self, platform: Module) -> dict[str, str]:
        name = f"{platform.prefix}_ID"
        return {name: self.sources.saved.get(name) or self._id}


def _root(provider: Module) -> str:
    return os.path.dirname(os.path.dirname(provider.folder))
