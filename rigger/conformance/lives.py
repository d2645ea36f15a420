"""Live a module's life in a sandbox, and say what it did wrong."""

from __future__ import annotations

import os

from rigger.conformance.addon_life import addon_life
from rigger.conformance.copy import copied_path, copier
from rigger.conformance.finding import ADVICE, FAIL, PASS
from rigger.conformance.platform_life import platform_life
from rigger.conformance.provider_life import provider_life
from rigger.conformance.rehearsal import Rehearsal, Say
from rigger.conformance.sandbox import RehearsalOptions, configure_sandbox, made_up, open_sandbox
from rigger.conformance.traces import end_processes
from rigger.environments.home import Home
from rigger.errors import RiggerError
from rigger.text import listed
from rigger.values import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rigger.modules.model import Module


LIVES = {"provider": provider_life, "platform": platform_life, "addon": addon_life}


def rehearse(module: Module, options: RehearsalOptions, say: Say) -> str:
    """Run a module's scripts through a whole life and say what was found; return the folder if it is kept.

    A copy of the module is tried. Raises BadUsage where a value is missing. What was made is destroyed, also after an
    error or an interrupt.
    """
    home = Home()  # of the person
    with open_sandbox(module.container is not None) as sandbox:
        module = copier(home, module)(sandbox.root)
        options = replace(options, provider=copied_path(home, options.provider, sandbox.root))
        environment = configure_sandbox(sandbox, module, options)
        rehearsal = Rehearsal(sandbox, environment, module, options, say)
        rehearsal.made_up = made_up(sandbox, module, options) if module.role == "addon" else {}
        try:
            LIVES[module.role](rehearsal)
            _check_files(rehearsal)
        finally:
            _clean_up(rehearsal)
        _check_processes(rehearsal)
        if rehearsal.failed:
            sandbox.keep = True
    return sandbox.root if sandbox.keep else ""


def _check_files(rehearsal: Rehearsal) -> None:
    """See that the module's folder is as it was, and that nothing of it lies about."""
    traces = rehearsal.traces
    changed = traces.changed_module()
    if changed and rehearsal.module.contract.keeps_files_in_folder:
        rehearsal.say(PASS, f"the scripts write to their own folder, which is kept: {listed(changed)}")
    else:
        rehearsal.expect(
            not changed,
            "the scripts leave their own folder alone",
            f"the scripts write to their own folder, which is read-only: {listed(changed)}; use $RIGGER_STATE_DIR",
        )
    if left := traces.temporary(rehearsal.sandbox.temporary):
        text = f"temporary files stay behind: {listed(left)}; trap 'rm -rf \"$folder\"' EXIT removes them"
        rehearsal.say(ADVICE, text)
    home, new = traces.new_in_real_home()
    if new:
        rehearsal.say(ADVICE, f"meanwhile came to {home}, which is not $HOME here: {listed(new)}")


def _clean_up(rehearsal: Rehearsal) -> None:
    """Destroy what may still be there, whatever ended the rehearsal; keep the sandbox where that fails."""
    for environment in list(rehearsal.making.values()):
        with rehearsal.elsewhere(environment):
            try:
                if rehearsal.destroyed("at the end"):
                    continue
            except (RiggerError, OSError) as problem:
                rehearsal.say(FAIL, f"it could not be destroyed at the end: {problem}")
        rehearsal.sandbox.keep = True
        home = f"HOME={rehearsal.sandbox.home} RIGGER_HOME={environment.home}"
        rehearsal.say(FAIL, f"machines may be left: {home} rigger -e {environment.name} destroy")
        rehearsal.say(
            FAIL, f"what that runs is the copy in {rehearsal.module.folder}: put it right there, too"
        )


def _check_processes(rehearsal: Rehearsal) -> None:
    """See that nothing runs any more; end what does, which knows the sandbox and so came from here."""
    if not os.path.isdir("/proc/self"):
        return
    left = end_processes(rehearsal.sandbox.root)
    rehearsal.expect(not left, "no process stays behind", f"processes stay behind: {listed(left)}")
