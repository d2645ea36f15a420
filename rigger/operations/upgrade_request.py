"""Which upgrade is asked for: a new one, the rest of one that did not finish, or the way back from it."""

from __future__ import annotations

import os

from rigger import versions
from rigger.audit.upgrades import Request
from rigger.errors import BadUsage, InvalidConfig
from rigger.git import remote as git_remote
from rigger.operations.upgrade_record import backup_before
from rigger.plans import upgrade as plans
from rigger.plans.upgrade import require_style, require_way_back, validate_upgrade
from rigger.questions.model import Choice
from rigger.sources import compat
from rigger.sources.compat import require_interface
from rigger.text import ways
from rigger.values import frozen, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from rigger.configuration.config import Config
    from rigger.modules.model import Module
    from rigger.operations.consent import Consent
    from rigger.operations.session import Session


@frozen
class UpgradeOptions:
    """What somebody wants; `resume` and `rollback` are about the upgrade that did not finish, and stand alone."""

    to: str | None = None  # the version to reach; None: somebody is asked
    style: str | None = None  # the way; None: the only one, or somebody is asked
    allow_downgrade: bool = False
    resume: bool = False
    rollback: bool = False
    rehearsed: str | None = (
        None  # how old the rehearsal may be without which it is refused; None: as the vars say
    )


def request_of(work: Session, options: UpgradeOptions) -> Request:
    """Return what is asked for, once it makes sense; raises BadUsage, InvalidConfig or Refused where it does not."""
    if options.resume or options.rollback:
        request = _unfinished(work, options)
        require_style(work.config.platform, request.style)
        return request
    config = _with_releases(work.config)
    request = _new(work, config, options)
    require_interface(config.platform, request.to)
    validate_upgrade(config.platform, request, options.allow_downgrade)
    return request


def _unfinished(work: Session, options: UpgradeOptions) -> Request:
    """Return the rest of the upgrade that did not finish, or the way back from it."""
    upgrade = work.state.upgrade
    if upgrade is None:
        raise BadUsage(
            f"No upgrade of {work.name} is unfinished.", 'Begin one: "rigger upgrade --version VERSION".'
        )
    both = options.resume and options.rollback
    if both or options.to is not None or options.style is not None:
        raise BadUsage(
            "--continue and --rollback stand alone: version and style are those of the unfinished upgrade."
        )
    begun = upgrade.request
    if options.resume or begun.back:
        return begun
    require_way_back(work.config.platform, begun, backup_before(work))
    return Request(begun.to, begun.start, begun.style, back=True)


def _new(work: Session, config: Config, options: UpgradeOptions) -> Request:
    """Return the request for an upgrade from the version that runs; asks for what was not said."""
    work.state.require_no_upgrade(work.name)
    platform = config.platform
    running = _running_version(work)
    to = _ask_version(platform, running, work.consent) if options.to is None else options.to
    found = versions.find(to, platform.versions)
    to = found[0] if len(found) == 1 else to
    style = _ask_style(platform, work.consent) if options.style is None else options.style
    return Request(running, to, style)


def _with_releases(config: Config) -> Config:
    """Return a configuration whose platform knows its versions, where they are the tags of its repository."""
    url = config.values.get("REPOSITORY") or config.values.get("CHECKOUT")
    if not config.platform.git_tags or not url:
        return config
    releases = git_remote.releases(url, config.platform.name)
    return replace(config, platform=replace(config.platform, versions=releases))


def _running_version(work: Session) -> str:
    """Return the version that is deployed; raises InvalidConfig where none is, or a provision brings another."""
    deployed = work.state.steps.done.get(f"platform/{work.config.platform.name}/deploy")
    if deployed is None:
        raise InvalidConfig(
            f"There is no cluster to upgrade in {work.name} yet.", ways(("Make it", "rigger provision"))
        )
    running, begun = deployed.parameters.get("VERSION", ""), work.state.versions.begun
    if begun:
        raise InvalidConfig(
            f"A provision of {work.name} has begun to change its version from {running} to {begun.version}.",
            'Type "rigger provision": it resumes that.',
        )
    return running


def _ask_version(platform: Module, running: str, consent: Consent) -> str:
    newer = [known for known in plans.newer(platform, running) if compat.speaks(platform, known)]
    if not newer:
        raise BadUsage(
            f"{running} is the newest version of {platform.name} that is known.", _way_to_newer(platform)
        )
    unasked = BadUsage(
        "Which version? There is no terminal to ask on.", f"Add --version VERSION: {', '.join(newer)}."
    )
    choices = [Choice(version) for version in newer]
    return consent.choose(f"Upgrade from {running} to?", choices, newer[0], unasked)


def _way_to_newer(platform: Module) -> str:
    """Return how a version gets known that is newer than all that are."""
    if platform.git_tags:
        return "A newer one is known once its repository has a tag for it."
    if platform.version_pattern:
        return 'If there is a newer one, name it: "rigger upgrade --version VERSION".'
    return f"A newer one is known once {os.path.join(platform.folder, 'rigger.yml')} lists it."


def _ask_style(platform: Module, consent: Consent) -> str:
    choices: Sequence[Choice] = plans.styles(platform)
    if not choices:
        raise BadUsage(f"{platform.name} has no upgrades.", "Its manifest offers no style.")
    if len(choices) == 1:
        return choices[0].value
    listed = ", ".join(choice.value for choice in choices)
    unasked = BadUsage(
        "Which style? There is no terminal to ask on.", f"Add --upgrade-style STYLE: {listed}."
    )
    return consent.choose("How?", choices, choices[0].value, unasked)
