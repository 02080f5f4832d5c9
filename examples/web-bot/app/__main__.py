"""`python -m app --selfcheck`: fails if the bot could not answer."""

import sys

import gemini_service

if __name__ == "__main__":
    sys.exit(0 if gemini_service.answer("ping").startswith("pong") else "the service does not answer")
