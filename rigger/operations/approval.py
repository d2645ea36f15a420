"""What a plan was made of, as one digest: whoever approves the plan by it gets exactly that, or nothing."""

from __future__ import annotations

import os

from rigger import __version__
from rigger.configuration.origin import digest_of
from rigger.configuration.resolve import look_up_references, resolve
from rigger.envfile.names import SETTINGS
from rigger.environments.answers import outputs_of
from rigger.environments.recorded import hidden
from rigger.later import later
from rigger.modules.scripts import content_digest
from rigger.runs.hooks import folder_of
from rigger.sha256 import digest_of_data
from rigger.sources import checkout as source_checkout
from rigger.trust import digests
from rigger.values import frozen, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from rigger.configuration.config import Config
    from rigger.environments.environment import Environment
    from rigger.git import inspect as git_inspect
    from rigger.terraform import beside
else:
    git_inspect = later("rigger.git.inspect")
    beside = later("rigger.terraform.beside")


@frozen
class Inputs:
    """What a plan is made of: `given` is the digest of what people say, and no run changes; `moving` that of the rest."""

    given: str
    moving: str
    head: tuple[int, str]  # of the audit log

    @property
    def digest(self) -> str:
        return digest_of_data([self.given, self.moving, self.head])

    def over(self, more: Any) -> Inputs:
        """Return what a plan is made of that `more` went into, anything that JSON can say."""
        return replace(self, given=digest_of_data([self.given, more])) if more else self


def inputs_of(environment: Environment, asked: str, known: Config | None = None) -> Inputs:
    """Return what a plan is made of now: values, scripts, commit, inventory, the head of the audit log.

    `asked` is the command with what was asked of it; `known` the configuration, where it was just resolved. Raises
    InvalidConfig for one that cannot be used.
    """
    if known is None:
        look_up_references(environment)
    config = known or resolve(environment)
    answers = outputs_of(environment).answers(environment.values())
    answers = {name: value for name, value in answers.items() if name not in SETTINGS}
    given = [__version__, asked, hidden(environment, config.secrets, answers), *_scripts(environment, config)]
    nodes = [vars(node) for node in environment.nodes()]
    moving = [hidden(environment, config.secrets, config.values), nodes]
    return Inputs(digest_of_data(given), digest_of_data(moving), environment.audit.head())


def require_approved(environment: Environment, asked: str) -> None:
    """Raise DifferencesFound where the approved plan was made of something else than what there is now.

    To be called once the lock is held, before anything is recorded.
    """
    if environment.call.approved:
        require_same(environment, inputs_of(environment, asked), asked.split()[0])


def require_same(environment: Environment, now: Inputs, command: str) -> None:
    """Raise DifferencesFound where the approved plan was made of something else than what there is `now`.

    A request that is resumed has moved its own cluster: then what people say must be what it was.
    """
    call, again = environment.call, f"rigger {command} --plan"
    if not call.since:
        call.require_plan(now.digest, again)
    elif now.given != call.given:
        raise call.outdated(again)
    environment.call = replace(call, given=now.given)


def _scripts(environment: Environment, config: Config) -> Iterator[Any]:
    """Yield the digests of all that a run may start: modules, hooks, and the platform's repository."""
    for module in config.modules:
        yield digest_of(module), beside.digest_beside(module.folder) if module.has_terraform else ""
    hooks = folder_of(environment.home)
    yield digests.digest(hooks) if os.path.isdir(hooks) else ""
    folder = source_checkout.find(environment, config.platform, config.values)
    yield git_inspect.commit(folder) if folder else ""
    if folder and config.platform.checkout:  # scripts may run whatever is in it
        changed = [os.path.join(folder, name) for name in git_inspect.state(folder).changed]
        yield [(path, content_digest(path) if os.path.lexists(path) else "") for path in changed]
