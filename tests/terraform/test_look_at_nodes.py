"""The check of a provider that is a folder of .tf files looks at the machines too."""

import os

import pytest
from helpers.machines import LOST_AFTER, Machines
from helpers.nodes import Nodes
from helpers.steps import LIBEXEC
from helpers.terraform_provider import needs_terraform

from rigger.errors import StepFailed
from rigger.terraform import steps

pytestmark = needs_terraform


@pytest.mark.slow
def test_check_looks_whether_the_machines_answer(clay, tmp_path):
    with Machines(tmp_path, 1) as machines:
        nodes = Nodes(machines, tmp_path / "environment")
        clay.values.update(
            {name: nodes.env[name] for name in ("RIGGER_ENVIRONMENT_DIR", "RIGGER_NODES_FILE")}
        )
        clay.values.update(RIGGER_PROVIDER_DIR=clay.module, RIGGER_SSH_TIMEOUT=LOST_AFTER)
        clay.values["PATH"] = LIBEXEC + os.pathsep + clay.values["PATH"]
        clay.create()
        clay.run(steps.check)
        machines.stop_sshd(1)
        with pytest.raises(StepFailed, match="Not every machine answers"):
            clay.run(steps.check)
        with open(os.path.join(clay.module, "rigger.yml"), "a") as manifest:
            manifest.write("ready: 0\n")
        clay.run(steps.check)
