"""rigger-figure: how a test or step says what it measured."""

import os
import subprocess

import pytest
from helpers.steps import LIBEXEC

from rigger.envfile import output as step_output


def figure(tmp_path, *words, code=0, **environment):
    known = {"RIGGER_FIGURES_OUTPUT": str(tmp_path / "figures"), **environment}
    argv = [os.path.join(LIBEXEC, "rigger-figure"), *words]
    done = subprocess.run(argv, env={**os.environ, **known}, capture_output=True, text=True)
    assert done.returncode == code, done.stderr
    return done.stderr


def test_figures_are_recorded_one_after_the_other(tmp_path):
    figure(tmp_path, "lost", "0")
    figure(tmp_path, "said", "a = b $c `d`")
    values, problems = step_output.parse_output((tmp_path / "figures").read_bytes(), "figures")
    assert (values, problems) == ({"lost": "0", "said": "a = b $c `d`"}, [])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "which figure?"),
        (["lost"], "which figure?"),
        (["lost", "1", "2"], "which figure?"),
        (["1st", "1"], "'1st' is not the name of a figure"),
        (["a=b", "1"], "'a=b' is not the name of a figure"),
        (["größe", "1"], "is not the name of a figure"),
        (["lost", "1\nkept=0"], "more than one line"),
    ],
)
def test_what_is_no_figure_is_refused(tmp_path, words, said):
    assert said in figure(tmp_path, *words, code=2)
    assert not (tmp_path / "figures").exists()


def test_it_works_in_a_script_that_rigger_runs(tmp_path):
    assert "RIGGER_FIGURES_OUTPUT is not set" in figure(
        tmp_path, "lost", "0", code=2, RIGGER_FIGURES_OUTPUT=""
    )
