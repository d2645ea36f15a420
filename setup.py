"""Everything is in setup.cfg, but for where the packages lie."""

import sys

from setuptools import setup

packages = ["rigger", "rigger.commands", "rigger.libexec", "rigger.platforms"]
package_dir = {"": "."}

# An editable install finds the providers beside the package, and starts fast because it has one folder to look in.
if not {"editable_wheel", "develop"} & set(sys.argv):
    packages.append("rigger.providers")
    package_dir["rigger.providers"] = "providers"

setup(packages=packages, package_dir=package_dir)
