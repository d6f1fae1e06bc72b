"""What a worker process runs. Started by its path, so that it comes up before anything heavy is imported.

A dataset class refers to `kayax.io.dataset` and seldom to more, yet importing that would run all of the package, and
with it JAX. Here the packages `kayax` and `kayax.io` are stand-ins that hold the modules a worker needs; the first look
at anything else loads the real ones in their place.
"""
import importlib.abc
import importlib.util
import os
import signal
import sys
import types
from typing import Any

LIGHT = {name: "kayax.io." + module for module, names in {
    "dataset": "Dataset IterableDataset TensorDataset ComposeDataset ChainDataset Subset ConcatDataset random_split",
    "sampler": "Sampler SequenceSampler RandomSampler WeightedRandomSampler SubsetRandomSampler BatchSampler "
               "DistributedBatchSampler",
    "worker": "get_worker_info",
}.items() for name in names.split()}
MODULES = {"kayax.io", "kayax.io.dataset", "kayax.io.sampler", "kayax.io.worker", "kayax.io.worker_memory",
           "kayax.io.loader_collate", "kayax.io.loader_fetch", "kayax.spec", "kayax.spec.errors"}


class StandIn(types.ModuleType):
    """A package whose own code has not run yet."""

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        if f"{self.__name__}.{name}" in MODULES:
            return importlib.import_module(f"{self.__name__}.{name}")
        if self.__name__ == "kayax.io" and name in LIGHT:
            return getattr(importlib.import_module(LIGHT[name]), name)
        load_all()
        return getattr(self, name)


class Finder(importlib.abc.MetaPathFinder):
    """Runs the real packages before any module of theirs that is not light is imported."""

    def find_spec(self, fullname, path=None, target=None):
        if not fullname.startswith("kayax.") or fullname in MODULES:
            return None
        load_all()
        module = sys.modules.get(fullname)          # the packages themselves may have imported it by now
        if module is not None:
            module.__spec__ = importlib.util.spec_from_loader(fullname, Imported(module))
        return module and module.__spec__


class Imported(importlib.abc.Loader):
    """Gives a module that is there already, as it is."""

    def __init__(self, module):
        self.module, self.spec = module, module.__spec__

    def create_module(self, spec):
        return self.module

    def exec_module(self, module):
        module.__spec__ = self.spec


def load_all():
    """Turn the stand-ins into the real packages."""
    waiting: list[Any] = [m for name in ("kayax.io", "kayax") if isinstance(m := sys.modules[name], StandIn)]
    for module in waiting:
        module.__class__ = types.ModuleType
    for module in waiting:
        if module.__spec__.loader is not None:
            module.__spec__.loader.exec_module(module)
    if waiting:
        sys.modules["kayax.io.worker"].seed_framework()


def install(paths):
    """Put the stand-ins in place. `paths`: for each package its file and its search path."""
    for name, (file, search) in paths.items():
        module: Any = StandIn(name)
        module.__file__, module.__path__, module.__package__ = file, search, name
        module.__spec__ = importlib.util.spec_from_file_location(name, file, submodule_search_locations=search)
        module.__loader__ = module.__spec__.loader
        sys.modules[name] = module
    vars(sys.modules["kayax"])["io"] = sys.modules["kayax.io"]
    sys.meta_path.insert(0, Finder())


def main():
    signal.signal(signal.SIGINT, signal.SIG_IGN)           # Ctrl-C is for the parent, which then stops its workers
    from multiprocessing.connection import Connection
    descriptors = [int(text) for text in sys.argv[1:3]]
    for descriptor in descriptors:
        os.set_inheritable(descriptor, False)
    link = Connection(descriptors[0])
    setup = link.recv()
    sys.path[:], sys.argv[:] = setup["sys_path"], setup["argv"]
    install(setup["packages"])
    from kayax.io import worker
    worker.serve(link, descriptors[1])


if __name__ == "__main__":
    main()
