"""The command line: ``kayax COMMAND ...``, one module a command."""
