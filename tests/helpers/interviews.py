"""Interviews without a person, and programs that answer at once."""

from rigger.questions.interview import Interview
from rigger.questions.model import Question
from rigger.questions.sources import Sources

NODES = Question("NODES", "How many?", type="integer", default="3", min=1, max=9, env=("CLUSTER_SIZE",))


def interview(*questions, program=None, advanced=False, take_defaults=False, **sources):
    return Interview(
        lambda values: questions, Sources(**sources), program, advanced=advanced, take_defaults=take_defaults
    )
