"""Texts written by Gemini."""

import functools
import os

from google import genai

MODEL = os.environ.get("GEMINI_MODEL", "gemini-2.5-flash")


@functools.cache
def client() -> genai.Client:
    """The client, created on first use, so that importing this module needs no key."""
    return genai.Client(api_key=os.environ["GEMINI_API_KEY"])


async def write_post(topic: str) -> str:
    """A short post about `topic`."""
    answer = await client().aio.models.generate_content(
        model=MODEL, contents=f"Write a short, friendly marketing post about: {topic}"
    )
    return answer.text or ""
