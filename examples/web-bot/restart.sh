# Restarts the bot without a service manager: ends the old process, then starts the live release.
# Runs in the folder of the release; shared/run/bot.pid holds the id of the process.
set -eu
pid="$PINFAST_ROOT/shared/run/bot.pid"
if [ -s "$pid" ]; then
    read -r old <"$pid"
    kill "$old" 2>/dev/null || true
    while kill -0 "$old" 2>/dev/null; do sleep 0.05; done
fi
cd "$PINFAST_ROOT/current"
# It outlives this script, and keeps the output open.
.venv/bin/python bot.py &
echo $! >"$pid"
