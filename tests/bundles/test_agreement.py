"""What of a bundle would run here, or be used: each is shown, or left out."""

import json
import os
from contextlib import contextmanager

import pytest

from rigger.bundles.load import loading
from rigger.environments.home import Home

PLUGIN = "registry.terraform.io/evil/evil"
NAMED = "registry.terraform.io/good/good"


@pytest.fixture
def loaded(wood, tmp_path):
    """Save the environment and load it elsewhere; `loaded.others` is what was to be agreed to."""

    @contextmanager
    def open_it():
        path = str(tmp_path / f"{os.urandom(4).hex()}.rigger")
        wood.save(path)

        def agree(names, hashes, others):
            open_it.others += others

        with loading(
            path,
            Home(str(tmp_path / "elsewhere")),
            None,
            key=None,
            allow_older=False,
            open_sealed=bytes,
            agree=agree,
        ) as bundle:
            yield bundle

    open_it.others = []
    return open_it


def state(*plugins):
    found = [{"provider": f'module.x.provider["{plugin}"]'} for plugin in plugins]
    return json.dumps({"version": 4, "serial": 1, "lineage": "x", "resources": found})


def make_terraform(wood):
    """Let the provider be a folder of .tf files."""
    with open(os.path.join(wood.config.provider.folder, "main.tf"), "w") as file:
        file.write('terraform { required_providers { good = { source = "good/good" } } }\n')


def test_what_terraform_would_load_comes_from_the_module_alone(wood, loaded):
    make_terraform(wood)
    for name in (
        "main.tf",
        "evil.tf",
        "kiln/evil.tf.json",
        "x.auto.tfvars",
        "rigger_backend_override.tf.json",
    ):
        wood.write(f"modules/soil/{name}", "evil\n")
    with loaded() as bundle:
        assert bundle.dropped == [
            f"modules/soil/{n}" for n in ("evil.tf", "kiln/evil.tf.json", "x.auto.tfvars")
        ]
        bundle.put_in_place(bundle.vars(), bundle.secrets)
        kept = os.listdir(bundle.target.file("modules", "soil"))
    assert sorted(kept) == ["key", "kiln"] and loaded.others == []


def test_of_another_module_it_is_shown(wood, loaded):
    wood.write("modules/soil/evil.tf", "evil\n")
    with loaded() as bundle:
        assert bundle.dropped == [] and [name for _, name in loaded.others] == ["modules/soil/evil.tf"]


@pytest.mark.parametrize("name", ["terraform.tfstate", "terraform.tfstate.good", "backups/x"])
def test_a_plugin_that_only_a_state_names_is_shown(wood, loaded, name):
    make_terraform(wood)
    usual = ("terraform.io/builtin/terraform", "registry.terraform.io/hashicorp/null", NAMED)
    wood.write(f"modules/soil/{name}", state(*usual))
    with loaded():
        assert loaded.others == []
    wood.write(f"modules/soil/{name}", state(*usual, PLUGIN).replace("registry", "r\\u0065gistry"))
    with loaded():
        assert loaded.others == [("Terraform plugin", PLUGIN)]
