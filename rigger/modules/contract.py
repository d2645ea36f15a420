"""Words of the contract between rigger and scripts."""

from __future__ import annotations

from rigger.envfile import names

MANIFEST = "rigger.yml"
GIT_TAGS = "git-tags"  # in a manifest, instead of a list of versions
INTERFACE = 2

NAME = r"[a-z0-9][a-z0-9_-]{0,62}"


CORE = names.CORE

# What rigger itself sets for scripts, or reads; a question of that name would be answered by accident.
CONTRACT_VARIABLES = frozenset(
    f"RIGGER_{name}"
    for name in (
        "INTERFACE HOME ENVIRONMENT ENVIRONMENT_ID ENVIRONMENT_DIR MODULE_DIR STATE_DIR INVENTORY INVENTORY_OUTPUT "
        "NODES_FILE VARS_FILE OUTPUT SECRETS_OUTPUT RUN STEP PYTHON CACHE_DIR BIN_DIR PROVIDER_DIR PROVIDER_STATE_DIR "
        "PLATFORM_DIR PLATFORM_PORTS "
        "LEAVING LOCK_FD FROM_VERSION BACKUP_FILE FIGURES_OUTPUT PROVIDER_PATH PLATFORM_PATH "
        "CONNECTIONS SSH_TIMEOUT RETRY_PAUSE READY_TIMEOUT"
    ).split()
)
