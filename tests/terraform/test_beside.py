"""What .tf files take from outside of a module's folder counts as the module does."""

import os

import pytest

from rigger.environments.home import Home
from rigger.modules.model import Module
from rigger.plans.scripts import digest_of_shared
from rigger.terraform.beside import beside, digest_beside
from rigger.trust import digests, gate, ledger

USES = """
module "pots" {
  source = "../shared/pots"
  kind   = file("../shared/${var.glaze}.txt")
}
module "linked" { source = "./linked/pots" }
output "text" { value = templatefile("${path.module}/../shared/text.tpl", { x = "y" }) }
output "plain" { value = "$${path.module}/../shared and ../nowhere" }
"""
FILES = {
    "shared/pots/main.tf": 'output "x" { value = file("${path.module}/glaze") }\nmodule "i" { source = "../inner" }\n',
    "shared/pots/glaze": "blue\n",
    "shared/inner/main.tf": 'output "kind" { value = file("${path.module}/deep/er.txt") }\n',
    "shared/inner/deep/er.txt": "inner\n",
    "shared/raku.txt": "black",
    "shared/text.tpl": "${x}!",
    "elsewhere/pots/main.tf": 'output "kind" { value = "raku" }\n',
}


@pytest.fixture
def top(tmp_path):
    for name, text in {**FILES, "clay/main.tf": USES, "clay/rigger.yml": "", "shared/other/x.tf": ""}.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    os.symlink(tmp_path / "elsewhere", tmp_path / "clay" / "linked")
    return tmp_path


def test_every_file_that_is_named_from_file_to_file_is_found(top):
    found = {os.path.relpath(path, top) for path in beside(str(top / "clay"))}
    assert found == {*FILES}
    assert digest_beside(str(top / "shared" / "inner")) == ""


@pytest.mark.parametrize("name", FILES)
def test_a_changed_byte_there_makes_create_run_again(top, name):
    module = Module("clay", "provider", str(top / "clay"))
    assert module.has_terraform
    before = digest_of_shared(module)
    (top / "shared" / "other" / "x.tf").write_text("# of nobody\n")
    assert digest_of_shared(module) == before
    (top / name).write_text(FILES[name] + "# more\n")
    assert digest_of_shared(module) != before


def test_a_changed_byte_there_takes_agreement_back(top):
    environment = Home(str(top / "home")).create("wood", {"TREE_ID": "0123456789"}, {})
    for name in ("clay", "shared", "elsewhere"):
        os.renames(top / name, environment.file("scripts", "provider", name))
    folder = environment.file("scripts", "provider", "clay")
    module = Module("clay", "provider", folder)
    ledger.agree(environment.path, [digests.agreed_digest(folder)])
    assert gate.is_trusted(environment, module)
    with open(environment.file("scripts", "provider", "shared", "pots", "glaze"), "a") as file:
        file.write("x")
    assert not gate.is_trusted(environment, module)
