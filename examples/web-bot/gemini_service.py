"""Stands in for a service that the bot asks: it needs a package of the lock, and no network."""

import importlib.metadata

import tenacity  # noqa: F401  (a real one would retry with it)


def answer(question):
    """An answer, and what gave it."""
    return {"ping": "pong"}.get(question, "?") + " by tenacity " + importlib.metadata.version("tenacity")
