"""The plans of a rehearsal: what is started and measured on a copy before an upgrade, and what is looked at after it."""

from __future__ import annotations

from rigger.plans.model import Plan, Step
from rigger.plans.upgrade import DEPLOY_APPS, WATCH

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rigger.configuration.config import Config
    from rigger.modules.model import Judge, Module

DATA = "data-digest"  # the test whose figures are the same where the data are
LOAD_SECONDS = 3  # that the latency is measured


def judge_of(platform: Module, style: str) -> Judge | None:
    """Return who says how fast a platform answers under load: the style's judge, else that of any other style."""
    judges = [platform.upgrades[style].judge, *(one.judge for one in platform.upgrades.values())]
    return next((judge for judge in judges if judge is not None), None)


def before(config: Config, style: str) -> Plan:
    """Return the steps once the data is on the copy: what is it, start the applications, how fast does it answer?"""
    platform = config.platform
    steps = [
        *_tests(platform, DATA, "what is the data, as the backup has it?"),
        *_tests(platform, DEPLOY_APPS, "applications write from now on"),
        *_load(platform, style, "how fast does it answer before?"),
    ]
    return Plan(f"test {DATA}", tuple(steps))


def after(config: Config, style: str, whole: bool) -> Plan:
    """Return the steps after an upgrade; of one that is not `whole`, only what became of the writes."""
    platform = config.platform
    looks = [Step(config.provider, "check", "are the machines well?", goes_on=True)]
    looks += [Step(platform, "check", "is the platform well?", goes_on=True)]
    steps = [
        *(looks if whole else []),
        *(_load(platform, style, "how fast does it answer after?") if whole else []),
        *_tests(platform, WATCH, "what became of the writes?"),
        *_tests(platform, DATA, "is the data that of the backup?"),
    ]
    return Plan(f"test {WATCH}", tuple(steps))


def _tests(platform: Module, name: str, why: str) -> list[Step]:
    known = platform.script(f"tests/{name}") is not None
    return [Step(platform, f"tests/{name}", why, goes_on=True)] if known else []


def _load(platform: Module, style: str, why: str) -> list[Step]:
    judge = judge_of(platform, style)
    if judge is None:
        return []
    environ = {"RIGGER_JUDGE_SECONDS": str(LOAD_SECONDS)}
    return [Step(platform, f"tests/{judge.test}", why, goes_on=True, environ=environ)]
