"""One word has one meaning in all commands; a word that is not known is answered with the one that was meant."""

import json
import os

import pytest
from helpers.second_machine import forest

HOW = ("--upgrade-style", "graceful", "--plan")


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["provision", "--PLAN"], "--PLAN (did you mean --plan?)."),
        (["provision", "--pln"], "--pln (did you mean --plan?)."),
        (["upgrade", "--Version", "1"], "--Version (did you mean --version?)."),
        (["configure", "--provder=x"], "--provder (did you mean --provider?)."),
        (["config", "--help-me"], "No such option: --help-me (did you mean --help?)."),
        (["config", "GET", "X"], "There is no command rigger config 'GET' (did you mean get?)."),
        (["Provision"], "There is no command 'Provision' (did you mean provision?)."),
        (["upgrade", "--resum"], "No such option: --resum."),  # what is hidden is not advised
    ],
)
def test_what_was_meant_in_any_case(rigger, words, meant):
    said = rigger(*words, code=2)
    assert meant in said.err and "Traceback" not in said.err


@pytest.mark.slow
def test_variables_in_any_case(provisioned):
    provisioned.rigger("config", "set", "COLOUR=blue")
    for words in (
        ["set", "colour=red"],
        ["get", "colour"],
        ["unset", "colour"],
        ["get", "Color"],
    ):
        assert "(did you mean COLOUR?)" in provisioned.rigger("config", *words, code=2).err, words
    assert "(did you mean COLOUR?)" in provisioned.configure("--set", "Colour=red", code=2).err


def test_o_is_the_format_and_f_the_file(provisioned, tmp_path):
    one, other = str(tmp_path / "one.rigger"), str(tmp_path / "other.rigger")
    report = json.loads(provisioned.rigger("save", "-f", one, "-o", "json").out)
    assert os.path.isfile(one) and one in str(report)
    assert f"{other} (" in provisioned.rigger("save", "-o", other).out and os.path.isfile(other)
    assert json.loads(provisioned.rigger("save", "--json", "--file", one).out).keys() == report.keys()
    assert json.loads(provisioned.rigger("save", "--json", "-o", other).out).keys() == report.keys()
    assert "is no format" in provisioned.rigger("save", "-f", one, "-o", "yaml", code=2).err
    help = provisioned.rigger("save", "--help").out
    assert "-f, --file FILE" in help and "-o, --output [text|json]" in help and "--json " not in help


def test_an_upgrade_has_a_version_and_goes_on(rigger, modules):
    trees = forest(rigger, modules)
    trees.configure("--version", "1.9.0")
    trees.rigger("provision")
    help = rigger("upgrade", "--help").out
    assert (
        "--version VERSION" in help and "--continue" in help and "--to" not in help and "--resume" not in help
    )
    plans = [rigger("upgrade", word, "1.10.0", *HOW).out for word in ("--version", "--to")]
    assert plans[0] == plans[1].replace("--to", "--version") and "1.9.0 to 1.10.0" in plans[0]
    assert "are two versions" in rigger("upgrade", "--version", "1.10.0", "--to", "1.9.0", code=2).err
    for word in ("--continue", "--resume"):
        assert "No upgrade of wood is unfinished" in rigger("upgrade", word, code=None).err
