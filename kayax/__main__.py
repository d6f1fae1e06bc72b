"""``python -m kayax`` is the command line."""
import sys

from kayax.cli.main import main

sys.exit(main())
