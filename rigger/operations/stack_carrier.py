"""Deployments that a Terraform stack carries out; its own script `confirm` says whether what runs is what was applied."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile

from rigger.errors import Interrupted, InvalidConfig, NotReady, StepFailed
from rigger.later import later
from rigger.process.capture import capture
from rigger.process.interrupts import Interrupts
from rigger.releases.names import variable
from rigger.sha256 import digest_of_data

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from rigger.environments.home import Home
    from rigger.operations.consent import Consent
    from rigger.releases.carrier import Images
    from rigger.releases.project import Place, Project
    from rigger.runs.reporter import Reporter
    from rigger.terraform import runner, stack
else:
    runner, stack = later("rigger.terraform.runner"), later("rigger.terraform.stack")

CONFIRM = "confirm"
TIMEOUT = 300.0  # seconds of one look


class StackCarrier:
    """A folder of .tf files that reads the images from SSM, or declares variables `image_SERVICE`."""

    def __init__(self, home: Home, project: Project, place: Place, reporter: Reporter, consent: Consent):
        self._folder = os.path.normpath(os.path.join(project.folder, project.stack_root, place.target))
        self._data = os.path.join(home.cache_dir, "terraform", f"stack-{project.id}-{place.id}")
        self._names = {"RIGGER_PROJECT": project.id, "RIGGER_PROJECT_ENVIRONMENT": place.id}
        self._where = f"{project.file}, line {place.line}"
        self._reporter, self._consent = reporter, consent
        self._stop = Interrupts()

    @property
    def name(self) -> str:
        return f"the Terraform stack {self._folder}"

    def require_ready(self, images: Images) -> None:
        """Raise InvalidConfig where the folder is no stack or has no `confirm`, NotReady where there is no Terraform."""
        if not self._files():
            raise InvalidConfig(
                f"{self._where}: {self._folder} has no .tf files.",
                "Name the folder of a stack: stack: FOLDER.",
            )
        if not os.access(os.path.join(self._folder, CONFIRM), os.X_OK):
            raise InvalidConfig(
                f"{self._folder} has no script {CONFIRM} that can be run, so nobody could say what runs.",
                f"Add {CONFIRM}: it exits 0 once what runs has the images in $RIGGER_IMAGES.",
            )
        if not os.access(self._folder, os.W_OK):
            raise NotReady(f"{self._folder} cannot be written, and Terraform works there.")
        runner.find_program(runner.MINIMUM)

    def inputs(self) -> str:
        found = {}
        for name in [*self._files(), CONFIRM]:
            with contextlib.suppress(OSError), open(os.path.join(self._folder, name), "rb") as file:
                found[name] = file.read().decode("utf-8", "backslashreplace")
        return digest_of_data(found)

    def planned(self, images: Images) -> Sequence[str]:
        return [f"terraform plan and apply in {self._folder}, then its script {CONFIRM} looks what runs"]

    def apply(self, images: Images) -> str:
        def agree() -> None:
            self._consent.agree("Apply this plan of Terraform?")

        values, say = self._values(images), self._reporter.line
        stack.apply_stack(self._folder, self._data, values, agree, say, self._stop)
        return ""

    def run(self) -> str:
        return ""

    def confirm(self, images: Images) -> None:
        if self._stop.requested():  # Terraform had no more to do when it heard of it
            raise Interrupted("Interrupted before anything looked at it.")
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump(dict(images), file)
            file.flush()
            env = {**os.environ, **self._values(images), "RIGGER_IMAGES": file.name}
            said = capture([os.path.join(self._folder, CONFIRM)], cwd=self._folder, env=env, timeout=TIMEOUT)
        if said.exit_code:
            lines = (said.errors.strip() or said.output.strip()).decode("utf-8", "replace").splitlines()
            raise StepFailed(f"{CONFIRM} exited {said.exit_code}{f': {lines[-1]}' if lines else ''}.")

    def take_back(self, images: Images, before: Images) -> None:
        """There is nothing to give back: the stack reads the label, which is as before."""

    def _values(self, images: Images) -> dict[str, str]:
        return {**self._names, **{variable(service): uri for service, uri in images.items()}}

    def _files(self) -> list[str]:
        with contextlib.suppress(OSError):
            return sorted(n for n in os.listdir(self._folder) if n.endswith((".tf", ".tf.json", ".tfvars")))
        return []
