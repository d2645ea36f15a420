"""Everything is in setup.cfg, but for where the packages lie."""

import sys

from setuptools import find_packages, setup

packages = [name for name in find_packages() if name.partition(".")[0] == "rigger"]
package_dir = {"": "."}

# An editable install finds the providers and the manual beside the package, and starts fast because it has one folder to look in.
if not {"editable_wheel", "develop"} & set(sys.argv):
    for name in ("providers", "docs"):
        packages.append(f"rigger.{name}")
        package_dir[f"rigger.{name}"] = name

# A script of our own starts faster than a generated one, but no kernel finds an interpreter behind a space or a long
# path; the generated one goes through a shell then.
plain = len(sys.executable) < 120 and not any(letter.isspace() for letter in sys.executable)
command = {"scripts": ["rigger/bin/rigger", "rigger/bin/rigger-python"]}
if not plain:
    command = {
        "scripts": ["rigger/bin/rigger"],
        "entry_points": {"console_scripts": ["rigger-python = rigger.__main__:start"]},
    }

setup(packages=packages, package_dir=package_dir, **command)
