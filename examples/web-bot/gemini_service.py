"""A stand-in for an external service: it needs a package of the lock, but no network."""

import importlib.metadata

import tenacity  # noqa: F401  (a real one would retry with it)


def answer(question):
    """An answer with the version of the package behind it."""
    return {"ping": "pong"}.get(question, "?") + " by tenacity " + importlib.metadata.version("tenacity")
