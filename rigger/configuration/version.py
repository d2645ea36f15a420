"""Is the configured version the one that runs? Only an upgrade changes that of a cluster that exists."""

from __future__ import annotations

from rigger import versions
from rigger.audit.versions import Deployed
from rigger.environments.state import state_of
from rigger.errors import InvalidConfig
from rigger.values import frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from rigger.environments.environment import Environment

ALLOW = "rigger provision --allow-version-change"


@frozen
class VersionChange:
    """A version that is configured, but is not what the cluster runs."""

    running: Deployed
    wanted: Deployed

    @property
    def command(self) -> str:
        """The command that brings it: upgrades lead to releases, a branch is none, and a folder has none before it."""
        if not self.wanted.is_release or self.running.folder:
            return ALLOW
        older = self.running.is_release and versions.key(self.wanted.version) < versions.key(
            self.running.version
        )
        words = [
            "rigger",
            "upgrade",
            "--version",
            self.wanted.version,
            *(["--allow-downgrade"] if older else []),
        ]
        from shlex import join

        return join(words)

    @property
    def way_back(self) -> str:
        """The command that has the version configured that runs."""
        names = {"CHECKOUT": self.running.folder, "REF": self.running.ref, "VERSION": self.running.version}
        name, value = next((name, value) for name, value in names.items() if value or name == "VERSION")
        from shlex import join

        return join(["rigger", "config", "set", f"{name}={value}"])

    def sentence(self, name: str) -> str:
        return f"{name} runs {shown(self.running)}, but {shown(self.wanted)} is configured"

    def problem(self, name: str) -> InvalidConfig:
        """Return the error for a command that would change the version by the way."""
        ways = f'Type "{self.command}", or "{self.way_back}" to keep what runs.'
        if self.command != ALLOW:
            ways += f' "{ALLOW}" changes it without the backup and the tests of an upgrade.'
        return InvalidConfig(
            f"{self.sentence(name)}: only an upgrade changes the version of a cluster that exists.", ways
        )


def shown(deployed: Deployed) -> str:
    """Return a version as a person is told of it."""
    if deployed.folder:
        return f"the folder {deployed.folder}"
    return f"{deployed.ref} ({deployed.version})" if deployed.ref else deployed.version or "no version"


def version_change(environment: Environment, values: Mapping[str, str]) -> VersionChange | None:
    """Return the change of version that values ask for, None where they ask for none."""
    history, wanted = state_of(environment).versions, Deployed.of(values)
    running = history.begun or history.running
    if (
        running is None or wanted == Deployed("") or not running.changes_to(wanted)
    ):  # vars may say nothing of it
        return None
    return VersionChange(running, wanted)


def require_same_version(environment: Environment, values: Mapping[str, str]) -> None:
    """Raise InvalidConfig where values have another version than the cluster, and nobody has allowed that."""
    change, allowed = version_change(environment, values), state_of(environment).versions.allowed
    if change and not (allowed and change.wanted.is_same(allowed)):
        raise change.problem(environment.name)
