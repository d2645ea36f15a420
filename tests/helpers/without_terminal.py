"""Operations called from Python, without a terminal: who hears them, and who answers."""

from rigger.environments.environment import Environment
from rigger.environments.home import Home
from rigger.operations.answers import Given
from rigger.operations.configure import configure
from rigger.operations.consent import Consent
from rigger.runs.reporter import Silent


class Listener(Silent):
    """A reporter that keeps what it hears."""

    def __init__(self):
        self.lines = []
        self.warnings = []
        self.differences = []
        self.steps = []

    def line(self, text=""):
        self.lines.append(text)

    def heading(self, text):
        self.lines.append(text)

    def warn(self, text):
        self.warnings.append(text)

    def difference(self, before, after):
        self.differences.append(({**before}, {**after}))

    def step_started(self, number, total, label, why):
        self.steps.append(label)


class Person:
    """Somebody who gives the answers of a list, and remembers what was asked."""

    def __init__(self, *answers):
        self.answers = [*answers]
        self.asked = []

    def consent(self, **agreed) -> Consent:
        return Consent(prompt=lambda: self, **agreed)

    def _answer(self, text):
        self.asked.append(text)
        return self.answers.pop(0)

    def confirm(self, text, default=False):
        return self._answer(text)

    def secret(self, text):
        return self._answer(text)

    def choose(self, text, choices, default=None):
        answer = self._answer(text)
        assert answer in [choice.value for choice in choices]
        return answer


def configured(cluster, **values) -> Environment:
    """Return the environment that is made of a cluster's modules."""
    home = Home(cluster.rigger.home)
    values = {"PROVIDER": "soil", "PLATFORM": "tree", **values}
    return configure(home, Given("wood", values, defaults=True)).environment
