"""A bot behind a small web server, for the documentation and the tests of `pinfast deploy`.

    GET  /health    returns the name of the release
    POST /message   stores the message in data/app.db, and a line in logs/bot.log

Its port, its database and its log outlive every release: `shared` in pinfast.toml names them.
"""

import http.server
import json
import pathlib
import sqlite3

import gemini_service

HERE = pathlib.Path(__file__).resolve().parent


def settings():
    """The variables of .env."""
    lines = (HERE / ".env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line)


def keep(message):
    """Stores a message, and returns the number of messages."""
    with sqlite3.connect(HERE / "data" / "app.db", timeout=10) as database:
        database.execute("create table if not exists messages (text text)")
        database.execute("insert into messages values (?)", (message,))
        (count,) = database.execute("select count(*) from messages").fetchone()
    with open(HERE / "logs" / "bot.log", "a") as log:
        log.write(message + "\n")
    return count


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers in JSON."""

    def do_GET(self):
        if self.path != "/health":
            return self.answer(404, {})
        self.answer(200, {"release": HERE.name, "answer": gemini_service.answer("ping")})

    def do_POST(self):
        message = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.answer(200, {"kept": keep(message)})

    def answer(self, status, document):
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    http.server.ThreadingHTTPServer(("127.0.0.1", int(settings()["PORT"])), Handler).serve_forever()
