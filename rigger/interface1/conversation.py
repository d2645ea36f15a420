"""One run of a provider's config.sh (interface 1): what it asks while bash sources it, and what it gives back."""

from __future__ import annotations

import os

from rigger import text as texts
from rigger.envfile.names import check_name
from rigger.errors import StepFailed
from rigger.interface1 import script
from rigger.interface1.asked import question_of
from rigger.interface1.outcome import SECRET, Beginning, Outcome, Reading, secret_names, unfit
from rigger.interface1.record import Record
from rigger.modules.contract import CORE, NO_QUESTIONS
from rigger.modules.interface1 import CONFIG, INTERFACE, LIBEXEC
from rigger.process.dialogue import Dialogue
from rigger.questions.model import BadAnswer, Question
from rigger.questions.sources import Sources
from rigger.redact import Redactor, maskable
from rigger.values import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from tempfile import TemporaryDirectory

    from rigger.modules.model import Module


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
        self.outcome = Outcome()
        self._answers: dict[str, str] = {}
        self._beginning = Beginning()
        self._pending: Question | None = None
        self._passed_over: set[str] = set()
        self._dialogue: Dialogue | None = None
        self._folder: TemporaryDirectory[str] | None = None

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
        return changed or basis != self._beginning.basis

    def _begin(self, basis: Mapping[str, str]) -> None:
        self.close()
        self.asked, self.outcome = [], Outcome()
        self._answers, self._pending, self.finished = {}, None, False
        self._beginning = Beginning(dict(basis))
        self.sources.meanwhile.forget_given()
        path = script.script(self.module.folder)
        self.begun = True
        if path is None:
            self.finished = True
            return
        preset = self._given_beforehand()
        self._take_back_what_it_made_of_answers()
        from tempfile import TemporaryDirectory  # slow to import, and few providers ask by themselves

        self._folder = TemporaryDirectory(prefix="rigger-")
        start = self._environment(self._folder.name, basis, preset)
        self._beginning = Beginning(dict(basis), preset, start)
        try:
            self._dialogue = Dialogue(
                [os.path.join(LIBEXEC, "converse"), path],
                cwd=self.module.folder,
                env=start,
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
        preset = dict(self.before.preset)
        given = Sources(flags=self.sources.flags, environ=self.sources.environ, answers=self.sources.answers)
        for name in script.words(self.module.folder):
            if check_name(name) or name in CORE or f"RIGGER_{name}" in NO_QUESTIONS:
                continue
            if answer := given.find(Question(name, "")):
                preset[name] = answer.value
        return preset

    def _take_back_what_it_made_of_answers(self) -> None:
        """Have it begin with the answers themselves again, unless somebody has changed what it made of them."""
        for name, answer in self.before.answered.items():
            if self._is_known(name, self.sources.saved_value(name) or ""):
                self.sources.meanwhile.take_back(name, answer)

    def _environment(
        self, folder: str, basis: Mapping[str, str], preset: Mapping[str, str]
    ) -> dict[str, str]:
        libexec = os.path.dirname(LIBEXEC)
        return {
            **self.environ,
            **basis,
            **preset,
            "RIGGER_INTERFACE": str(INTERFACE),
            "RIGGER_MODULE_DIR": self.module.folder,
            "RIGGER_OUTPUT": os.path.join(folder, "vars"),
            "RIGGER_SECRETS_OUTPUT": os.path.join(folder, "secrets"),
            "PATH": os.pathsep.join([libexec, self.environ.get("PATH", os.defpath)]),
        }

    def _show(self, block: bytes) -> None:
        if not self._passed_over:  # it works with nothing in the place of answers
            secrets = {
                q.name: self._answers[q.name] for q in self.asked if q.secret and q.name in self._answers
            }
            self.output(Redactor(maskable(secrets)).bytes(block))

    # What it asks

    @property
    def _running(self) -> Dialogue:
        assert self._dialogue is not None, "config.sh has begun"
        return self._dialogue

    def _receive(self) -> None:
        """Go on to the next question, or to the end."""
        self._pending = None
        while self._pending is None and not self.finished:
            message = self._running.receive()
            if message is None:
                self._ended()
            elif message[0] == b"question":
                self._take_question([texts.decode(part) for part in message[1:]])
            else:
                self._finish([texts.decode(part) for part in message[1:]])

    def _take_question(self, fields: Sequence[str]) -> None:
        kind, name, _, present, text, default, *options = fields
        if present and (name in self._answers or present != self._beginning.start.get(name)):
            if name not in self._answers:
                self.say(f"{name} is set already ({self.origin})")
            self._running.reply(b"keep", b"")
        elif name in self._answers:
            self._refused(name)
        elif reason := unfit(name):
            raise StepFailed(f"{self.origin} asks for {name}, which {reason}.", "Another name would do.")
        else:
            self._pending = question_of(
                kind,
                name,
                text,
                default,
                options,
                environ=self.environ,
                origin=self.origin,
                folder=self.module.folder,
            )
            self.asked.append(self._pending)

    def _refused(self, name: str) -> None:
        if self._passed_over:
            self.finished = True
            return
        raise BadAnswer(f"{name} was not accepted: {self.origin} asks for it again.")

    def _answered(self, values: Mapping[str, str]) -> bool:
        """Hand over the answer to the pending question, if there is one."""
        assert self._pending is not None
        name = self._pending.name
        if name in values:
            self._answers[name] = values[name]
            self._running.reply(b"answer", texts.encode(values[name]))
        elif name in self._passed_over:
            self._answers[name] = ""
            self._running.reply(b"missing", b"")
        else:
            return False
        return True

    def _ended(self) -> None:
        if self._passed_over:
            self.finished = True
            return
        code = self._running.exit_code
        how = f"exited {code}" if code else "ended with exit, not at its end"
        raise StepFailed(
            f"{self.origin} {how}; nothing was stored.", "Its output says why, if it says anything."
        )

    # What it gives back

    def _finish(self, fields: Sequence[str]) -> None:
        self.finished = True
        assert self._folder is not None
        reading = Reading(self.origin, self.module.folder, self._beginning, self.say)
        saved, secrets = (reading.saved(os.path.join(self._folder.name, n)) for n in ("vars", "secrets"))
        self.close()
        self.begun = True
        if self._passed_over:
            return
        exported = dict(zip(fields[::2], fields[1::2], strict=True))
        whole = {**reading.exports(exported), **saved, **secrets}
        whole = {name: value for name, value in whole.items() if self._answers.get(name) != value}
        kept = {name for name in whole if name not in self._answers and self._is_known(name, whole[name])}
        asked_secretly = {q.name: self._answers[q.name] for q in self.asked if q.secret}
        self.outcome = Outcome(
            given={name: value for name, value in whole.items() if name not in kept},
            whole=whole,
            withdrawn=frozenset({*self.before.given} - {*whole} - {*self._answers}),
            secret_names=secret_names(whole, secrets, asked_secretly),
        )
        self.sources.meanwhile.give(self.outcome.given)

    def move(self, values: dict[str, str], old: str, new: str) -> None:
        """Put another folder in the place of the checkout's, in the values that come from here."""
        if new and new != old:
            for name in {*self.outcome.whole, *self._answers} & {*values}:
                values[name] = values[name].replace(old, new)
            whole = {name: value.replace(old, new) for name, value in self.outcome.whole.items()}
            self.outcome = replace(self.outcome, whole=whole)

    def preset(self) -> dict[str, str]:
        """Return what it began with that is no secret and no answer to a question."""
        secret = self.outcome.secret_names
        secrets = maskable({name: self._answers[name] for name in secret if name in self._answers})
        preset = self._beginning.preset
        hidden = {n for n, v in preset.items() if SECRET.search(n) or any(part in v for part in secrets)}
        return {n: v for n, v in preset.items() if n not in hidden and n not in self._answers}

    def answered(self) -> dict[str, str]:
        """Return the answers that it made something else of, but for secrets."""
        hidden = {question.name for question in self.asked if question.secret} | self.outcome.secret_names
        return {n: self._answers[n] for n in self.outcome.whole if n in self._answers and n not in hidden}

    def _is_known(self, name: str, value: str) -> bool:
        """Whether this is what it gave the last time: a script may have saved something better since."""
        return self.sources.saved_value(name) is not None and self.before.given.get(name) == self.digest(
            value
        )
