"""A provider, a platform, and environments that are configured to be a cluster of them."""

import pytest
from helpers.soil_and_tree import PLATFORM, PROVIDER

from rigger.environments.home import Home


@pytest.fixture
def home(tmp_path, rigger, modules, monkeypatch):
    modules.write("provider", "soil", PROVIDER)
    modules.write("platform", "tree", PLATFORM)
    for name in ("RIGGER_PROVIDER_PATH", "RIGGER_PLATFORM_PATH"):
        monkeypatch.setenv(name, rigger.env[name])
    return Home(str(tmp_path / "home"))


@pytest.fixture
def environment(home):
    """Make the environment of two modules, with these values and secrets."""

    def make(secrets=None, **vars):
        values = {"PROVIDER": "soil", "PLATFORM": "tree", "VERSION": "1.10.0", "TYPE": "small", **vars}
        return home.create("wood", values, secrets or {})

    return make
