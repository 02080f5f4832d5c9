# Restarts the bot where no service manager does: ends the old one, starts the one that is live.
# Runs in the folder of the release; its own process is kept in shared/run/bot.pid.
set -eu
pid="$PINFAST_ROOT/shared/run/bot.pid"
if [ -s "$pid" ]; then
    read -r old <"$pid"
    kill "$old" 2>/dev/null || true
    while kill -0 "$old" 2>/dev/null; do sleep 0.05; done
fi
cd "$PINFAST_ROOT/current"
# It goes on after this script, and holds its output.
.venv/bin/python bot.py &
echo $! >"$pid"
