"""What an image says of itself: the labels that its command `metadata` prints, as YAML or JSON."""

from __future__ import annotations

import os

from rigger import text
from rigger.containers import engine
from rigger.errors import NotReady, Refused, StepFailed
from rigger.modules import yaml as yaml_reader
from rigger.process import capture

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rigger.modules.model import Container

COMMAND = "metadata"


def labels_of(container: Container, owner: str) -> dict[str, str]:
    """Return the labels of an image, none where it has no command for them.

    Raises NotReady where the image is not here or cannot say them, Refused where what it prints are no labels.
    """
    if COMMAND not in container.commands:
        return {}
    program = engine.find(owner)
    image, command = program.image(container, owner), container.commands[COMMAND]
    # Nobody agreed to what is in it yet: it reaches nothing of this machine, and can keep nothing.
    words = [
        "run",
        "--rm",
        "--init",
        "--pull",
        "never",
        "--network",
        "none",
        "--read-only",
        "--cap-drop",
        "all",
    ]
    own = engine.own_arguments(os.environ)
    argv = [program.path, *words, *own, image, command.command, *command.args]
    try:
        said = capture.capture(argv, timeout=120)
    except StepFailed as problem:
        raise NotReady(problem.message, problem.next_step) from None
    if said.exit_code:
        reason = text.last_line(text.decode(said.errors), text.decode(said.output))
        raise NotReady(
            f"{container.image} cannot say its labels: {COMMAND} exited {said.exit_code}: {reason}.",
            "Nothing was done. Look into that image.",
        )
    return _parsed(said.output, container.image)


def _parsed(data: bytes, image: str) -> dict[str, str]:
    entries = yaml_reader.parse(data, f"what {COMMAND} of {image} prints", 1000).entries()
    if "labels" not in entries:
        raise Refused(f"What {COMMAND} of {image} prints has no labels.", "Look into that image.")
    return {name: value.text() for name, value in entries["labels"].entries().items()}
