"""Where the packages are: each room lies at the top level of the repository and is installed as ``kayax.<room>``."""
from setuptools import find_packages, setup

ROOMS = {"kayax": "kayax", "kayax.spec": "spec", "kayax.bridge": "bridge", "kayax.layers": "layers", "kayax.io": "io"}

packages = [name for package, folder in ROOMS.items()
            for name in (package, *(f"{package}.{sub}" for sub in find_packages(folder)))]

setup(packages=packages, package_dir=ROOMS)
