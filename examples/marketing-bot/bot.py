"""A Telegram bot that answers each message with a marketing post about it."""

import asyncio
import os

from aiogram import Bot, Dispatcher
from aiogram.types import Message

import gemini_service

dispatcher = Dispatcher()


@dispatcher.message()
async def answer(message: Message) -> None:
    """Answers with a post about the message's text."""
    await message.answer(await gemini_service.write_post(message.text or ""))


async def main() -> None:
    """Runs until it is stopped."""
    async with Bot(os.environ["BOT_TOKEN"]) as bot:
        await dispatcher.start_polling(bot)


if __name__ == "__main__":
    asyncio.run(main())
