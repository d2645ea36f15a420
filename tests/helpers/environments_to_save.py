"""An environment with all that a bundle carries, made without running a script, and its bundle."""

import contextlib
import os

from rigger.audit.events import Configured
from rigger.bundles import contents
from rigger.bundles.unpack import unpacked
from rigger.configuration.config import Config
from rigger.environments import inventory
from rigger.environments.home import Home
from rigger.environments.inventory import Node
from rigger.modules.model import Module

from .run_records import log_event

TOKEN = "a-secret-token"
ID = "0123456789"
PROVIDER = """
    questions:
      - {name: NODES, type: integer, default: 1}
      - {name: TOKEN, type: secret, optional: true}
    outputs: [KEY_FILE]
"""


class Wood:
    """The environment `wood` of the platform `tree` on the provider `soil`."""

    def __init__(self, modules, home):
        self.home = Home(str(home))
        provider = modules.write("provider", "soil", PROVIDER, create="echo makes\n", lib__common="true\n")
        platform = modules.write("platform", "tree")
        vars = {"PROVIDER": "soil", "PLATFORM": "tree", "TREE_ID": ID, "NODES": "1"}
        self.environment = self.home.create("wood", vars, {"TOKEN": TOKEN})
        self.happens()
        self.state = self.environment.file("modules", "soil")
        self.environment.save({**vars, "KEY_FILE": f"{self.state}/key"}, {"TOKEN": TOKEN})
        self.config = Config(
            Module("soil", "provider", provider), Module("tree", "platform", platform, prefix="TREE"),
            (), {}, {**vars, "VERSION": "1.10.0"}, {"TOKEN": TOKEN},
        )  # fmt: skip
        self.write("modules/soil/key", "no secret of rigger's\n")
        self.write("runs/1-provision/01-create.log", f"log in with {TOKEN}\n")
        node = Node("node-1", "10.0.0.1", ssh={"key": f"{self.state}/key"})
        inventory.write(self.environment.inventory_file, [node])

    def write(self, name, content, mode=0o600):
        path = self.environment.file(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write(content)
        os.chmod(path, mode)
        return path

    def happens(self):
        """Record something more."""
        log_event(self.environment, Configured(by="rigger config set", changed=("NODES",)))

    def save(self, path, **options):
        return contents.save(self.environment, self.config, str(path), **options)

    @contextlib.contextmanager
    def opened(self, folder, home=None, **options):
        """Save it and give what it is, unpacked on another machine."""
        saved = self.save(os.path.join(str(folder), f"wood-{os.urandom(4).hex()}.rigger"), **options)
        with unpacked(saved.path, home or Home(os.path.join(str(folder), "elsewhere"))) as bundle:
            yield bundle
