"""The name `paddle` for this package. On sys.path, this folder has a module `paddle` that installs the alias."""
