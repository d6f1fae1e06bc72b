"""A saved model as an HTTP service that follows the Open Inference Protocol, version 2: `pip install kayax[serve]`."""
