"""Deployments that a rigger environment carries out: the images become values, and provision runs what they concern."""

from __future__ import annotations

import contextlib
import json

from rigger.configuration.resolve import look_up_references, resolve
from rigger.environments.answers import answers_of
from rigger.environments.environment import IMAGES
from rigger.environments.state import state_of
from rigger.errors import BadUsage, InvalidConfig, Locked, StepFailed, TestsFailed
from rigger.files import unlink_if_there, write_bytes
from rigger.operations.approval import inputs_of
from rigger.operations.check import check
from rigger.operations.provision import provision
from rigger.operations.test import test
from rigger.operations.values import change_values
from rigger.plans.upgrade import WATCH, watches
from rigger.releases.names import EVERY, variable
from rigger.text import addressed, listed, ways

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rigger.configuration.config import Config
    from rigger.environments.call import Call
    from rigger.environments.environment import Environment
    from rigger.environments.home import Home
    from rigger.operations.consent import Consent
    from rigger.releases.carrier import Images
    from rigger.runs.reporter import Reporter


class RiggerCarrier:
    """A rigger environment: its modules ask for IMAGE_<SERVICE>, or for RELEASE_IMAGES."""

    def __init__(self, home: Home, name: str, call: Call, reporter: Reporter, consent: Consent):
        self._environment: Environment = home.get(name)
        self._environment.call = call
        self._reporter = reporter
        self._consent = consent
        self._config: Config | None = None
        self._saved: dict[str, str] | None = None  # the values before `apply`, those that there were

    @property
    def name(self) -> str:
        return f"the rigger environment {self._environment.name}"

    def require_ready(self, images: Images) -> None:
        """Raise Locked where somebody works there, InvalidConfig where a module has no use for an image, or none runs again."""
        environment = self._environment
        if (holder := environment.lock.holder()) and not environment.call.wait:
            raise Locked(holder, "Wait until that has ended (--wait).")
        state = state_of(environment)
        state.require_running(environment.name)
        state.require_no_upgrade(environment.name)
        asked = self._asked()
        unused = [
            service for service in images if not any(_asks(name, variable(service), EVERY) for name in asked)
        ]
        if unused:
            raise InvalidConfig(
                f"{environment.name} has no use for the image of {listed(unused)}: none of its modules asks for "
                f"{variable(unused[0])}, or for {EVERY}.",
                f"Add the question {variable(unused[0])} to the platform's rigger.yml, with changes: deploy.",
            )
        idle = [name for name in self._values(images) if asked[name] == "none"]
        if idle:
            raise InvalidConfig(
                f"Nothing would run again in {environment.name} for another {idle[0]}: its question says changes: none.",
                "Say changes: deploy in the rigger.yml that asks for it.",
            )

    def inputs(self) -> str:
        return inputs_of(self._environment, "deploy", self._resolved()).digest

    def planned(self, images: Images) -> Sequence[str]:
        names = ", ".join(self._values(images))
        return [f"{names} in {self._environment.name}, then rigger provision runs what they concern"]

    def apply(self, images: Images) -> str:
        """Set the values, and provision; a check that is not good yet is no failure of that.

        Raises what `provision` raises otherwise.
        """
        environment = self._environment
        with self._locked():
            values, saved = self._values(images), answers_of(environment)
            self._saved = {name: saved[name] for name in values if name in saved}
            self._set(images, values, ())
            try:
                return provision(environment, self._reporter, self._consent).run
            except StepFailed as problem:
                failed = [step for step in getattr(problem.result, "steps", ()) if step.failed]
                if failed:  # nothing is left to provision: what it had set is taken back
                    problem.next_step = addressed(
                        ways(("What it printed", failed[-1].show_log)), environment.name
                    )
                if not failed or any(step.step.verb != "check" for step in failed):
                    raise
                self._reporter.warn(f"{problem.message} It may need more time.")
                return self.run()

    def run(self) -> str:
        last = state_of(self._environment).runs.last
        mine = last and last.started.request == self._environment.call.request
        return last.started.run if last and mine else ""

    def confirm(self, images: Images) -> None:
        """Look by `check`, and by the applications that are watched, where some were deployed."""
        environment = self._environment
        try:
            check(environment, self._reporter)
            if watches(self._resolved().platform, state_of(environment).steps):
                test(environment, (WATCH,), self._reporter, self._consent)
        except (Locked, TestsFailed) as problem:
            raise StepFailed(problem.message, problem.next_step) from None

    def take_back(self, images: Images, before: Images) -> None:
        """Give the values back that there were: those of before where rigger was killed meanwhile."""
        environment = self._environment
        with self._locked():
            given, saved = self._values(images), answers_of(environment)
            values = self._values(before) if self._saved is None else self._saved
            gone = [name for name in given if name in saved and name not in values]
            try:
                self._set(before, values, gone)
            except (BadUsage, InvalidConfig):  # one that has to be answered keeps what it was given
                self._set(before, values, ())

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold the environment, by the request that has it in `provision` too; what it asks for is looked at anew."""
        with self._environment.locked("rigger deploy"):
            self._config = None
            yield

    def _resolved(self) -> Config:
        if self._config is None:
            look_up_references(self._environment)
            self._config = resolve(self._environment)
        return self._config

    def _asked(self) -> dict[str, str]:
        """Return the questions of the environment, each with what another answer changes."""
        return {question.name: question.changes for question in self._resolved().questions}

    def _values(self, images: Images) -> dict[str, str]:
        """Return the images as the questions of the environment ask for them."""
        asked = self._asked()
        values = {variable(service): uri for service, uri in images.items()}
        values |= {EVERY: _text(images)} if images else {}
        return {name: value for name in asked for word, value in values.items() if _asks(name, word)}

    def _set(self, images: Images, values: Mapping[str, str], gone: Sequence[str]) -> None:
        path = self._environment.file(IMAGES)
        if images:
            write_bytes(path, f"{_text(images)}\n".encode())
        else:
            unlink_if_there(path)
        change_values(self._environment, values, gone)


def _asks(name: str, *words: str) -> bool:
    """Return whether a question is one of these; those of an add-on have its prefix before them: WEB_IMAGE_API."""
    return any(
        name == word or (name.endswith(f"_{word}") and not name.startswith("IMAGE_")) for word in words
    )


def _text(images: Images) -> str:
    return json.dumps(dict(images), sort_keys=True)
