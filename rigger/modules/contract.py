"""Words of the contract between rigger and scripts."""

from __future__ import annotations

from rigger.envfile import names
from rigger.text import did_you_mean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MANIFEST = "rigger.yml"
GIT_TAGS = "git-tags"  # in a manifest, instead of a list of versions
INTERFACE = 2

NAME = r"[a-z0-9][a-z0-9_-]{0,62}"


CORE = names.CORE

# What rigger itself sets for scripts, or reads, and what it is for, in the words of the reference. A question of that
# name would be answered by accident.
SCRIPT_VARIABLES = {
    "RIGGER_STATE_DIR": "the module's own folder, kept as long as the environment",
    "RIGGER_MODULE_DIR": "the module's folder: its scripts and whatever is beside them; read-only",
    "RIGGER_OUTPUT": "vars go in here, as ``KEY=VALUE``, or ``KEY<<END``, lines, ``END``",
    "RIGGER_SECRETS_OUTPUT": "the same for secrets",
    "RIGGER_INVENTORY_OUTPUT": "nodes go in here, one JSON object a line",
    "RIGGER_INVENTORY": "the nodes, a JSON file",
    "RIGGER_STATE": "what every module is, was configured with and gave, and the nodes: a JSON file, read-only",
    "RIGGER_STATE_OUTPUT": "of an add-on: its ``apply`` writes its output in here, one JSON object",
    "RIGGER_NODES_FILE": "the nodes as lines: name, address, private address, port offset, ssh user, ssh port, "
    "separated by tabs; ``-`` where empty",
    "RIGGER_LEAVING": "the names of the nodes that this run removes",
    "RIGGER_GONE": "what somebody said is gone of what was left over, one a line",
    "RIGGER_LEFT_OUT": "the names of vars that are too long together for the system to start a script with; they are in "
    "``$RIGGER_VARS_FILE``",
    "RIGGER_ENVIRONMENT": "the environment's name",
    "RIGGER_ENVIRONMENT_ID": "ten hex digits of its own, the same wherever it is loaded",
    "RIGGER_ENVIRONMENT_DIR": "the environment's folder",
    "RIGGER_VARS_FILE": "the environment's vars file",
    "RIGGER_IMAGES": "the images of the release that was deployed last, a JSON file: service to URI; empty where none was",
    "RIGGER_BIN_DIR": "programs for the user go here",
    "RIGGER_MIRROR": "what ``rigger offline import`` gave: ``files/SHA256/NAME``, ``debian``, ``python``, ``images``; empty "
    "where nothing was imported",
    "RIGGER_CACHE_DIR": "downloads, shared by all environments",
    "RIGGER_PROVIDER_DIR": "the provider's scripts",
    "RIGGER_PROVIDER_STATE_DIR": "the provider's state",
    "RIGGER_PLATFORM_DIR": "the platform's scripts",
    "RIGGER_PLATFORM_PORTS": "the ports that the platform publishes",
    "RIGGER_FIGURES_OUTPUT": "what a test or a step measured goes in here, as ``KEY=VALUE``",
    "RIGGER_FROM_VERSION": "for ``upgrade-NAME``: the version that ran before",
    "RIGGER_STAGE_NODES": "for ``upgrade-NAME`` and a judge: the names of the stage's nodes; all where it is not set",
    "RIGGER_ROLLBACK": "for ``upgrade-NAME``: ``true`` on the way back; what it finds may be ill",
    "RIGGER_JUDGE_SECONDS": "for the test that judges a stage: how long it measures",
    "RIGGER_BACKUP_FILE": "for ``backup`` and ``restore``: the file to write, or to read",
    "RIGGER_RUN": "this run",
    "RIGGER_FAILED_AT": "rigger's own: where bash notes with which command a script ended",
    "RIGGER_STEP": "this step",
    "RIGGER_HOME": "the folder of all environments",
    "RIGGER_INTERFACE": "``2``, or ``1`` for scripts without a manifest",
    "RIGGER_PYTHON": "a Python with Jinja2 and ``rigger.sdk``",
    "RIGGER_LOCK_FD": "the lock's file descriptor: close it in what outlives the step",
    "RIGGER_CONNECTIONS": "the run's connections to nodes: a private folder with a short path",
}

# What a person sets in the environment of rigger; scripts get these as well.
PERSONS_VARIABLES = {
    "RIGGER_PROVIDER_PATH": "folders of providers, separated by ``:``, searched before ``~/.rigger/providers``",
    "RIGGER_PLATFORM_PATH": "the same for platforms",
    "RIGGER_ADDON_PATH": "the same for add-ons",
    "RIGGER_CONTAINER_ARGUMENTS": "words for ``podman run`` or ``docker run``, beside rigger's own: ``--userns=keep-id``",
    "RIGGER_SSH_TIMEOUT": "seconds that a node may be silent, by ssh; without it 20. A login may take three times as long",
    "RIGGER_RETRY_PAUSE": "seconds before something is tried again, at first; without it 1",
    "RIGGER_READY_TIMEOUT": "seconds until new machines must answer, instead of the manifest's ``ready``; 0 does not wait",
    "RIGGER_REQUEST": "the caller's own id of a request, as ``--request`` gives it",
    "RIGGER_ACTOR": "for whom something is done, where ``RIGGER_ACTOR_PROOF`` proves that",
    "RIGGER_ACTOR_PROOF": "what proves ``RIGGER_ACTOR``: an HMAC-SHA256, in hex",
}

CONTRACT_VARIABLES = frozenset({*SCRIPT_VARIABLES, *PERSONS_VARIABLES})
# A question may have each other name: many modules asked for a MIRROR before there was one of rigger's.
NO_QUESTIONS = CONTRACT_VARIABLES - {"RIGGER_MIRROR", "RIGGER_IMAGES"}


def variable_problem(name: str) -> str | None:
    """Return why a module must not have a variable of that name, None when it may."""
    if reason := names.check_name(name):
        return f"{name!r} {reason}"
    if name in names.CORE:
        return f"{name!r} is a question of rigger's own"
    if f"RIGGER_{name}" in NO_QUESTIONS:
        return f"{name!r} cannot be given as RIGGER_{name}, which rigger sets for scripts"
    return None


# What steers rigger itself, whatever the command: misspelt, it would be passed over without a word.
_SETTINGS = (*PERSONS_VARIABLES, "RIGGER_HOME", "RIGGER_ENVIRONMENT", "RIGGER_PASSPHRASE")
_NEARNESS = 0.75  # two letters of four in the wrong order


def misspelt(given: Iterable[str], asked: Iterable[str] = (), others: Iterable[str] = ()) -> Iterator[str]:
    """Yield a sentence for each name in an environment that is nearly one that rigger reads, and none of them.

    Those are settings, and where `asked` has the names of questions, these behind RIGGER_; `others` are names of
    questions that may be answered for another environment, so that nothing is said of them.
    """
    known = [f"RIGGER_{name}" for name in asked] or _SETTINGS
    for name in given:
        own = name in CONTRACT_VARIABLES or name in _SETTINGS or name in known
        if own or not name.startswith("RIGGER_") or not name.isidentifier():
            continue
        word = name.removeprefix("RIGGER_")
        near = [one.removeprefix("RIGGER_") for one in known if abs(len(one) - len(name)) <= 2]
        if word not in others and (hint := did_you_mean(word, near, _NEARNESS)):
            yield f"{name} is set, but rigger does not read it{hint.replace('mean ', 'mean RIGGER_')}."
