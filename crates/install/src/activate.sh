# Read this file into a shell: . bin/activate
# It works in sh, dash, bash, ksh and zsh; `deactivate` undoes it.

deactivate() {
    if [ -n "${_PINFAST_OLD_PATH+set}" ]; then
        PATH="$_PINFAST_OLD_PATH"
        export PATH
        unset _PINFAST_OLD_PATH
    fi
    if [ -n "${_PINFAST_OLD_PYTHONHOME+set}" ]; then
        PYTHONHOME="$_PINFAST_OLD_PYTHONHOME"
        export PYTHONHOME
        unset _PINFAST_OLD_PYTHONHOME
    fi
    if [ -n "${_PINFAST_OLD_PS1+set}" ]; then
        PS1="$_PINFAST_OLD_PS1"
        unset _PINFAST_OLD_PS1
    fi
    unset VIRTUAL_ENV VIRTUAL_ENV_PROMPT
    # Shells remember where commands are.
    hash -r 2>/dev/null || true
    if [ "${1-}" != keep ]; then
        unset -f deactivate
    fi
}

deactivate keep

VIRTUAL_ENV=@PATH@
VIRTUAL_ENV_PROMPT=@NAME@
export VIRTUAL_ENV VIRTUAL_ENV_PROMPT

_PINFAST_OLD_PATH="$PATH"
PATH="$VIRTUAL_ENV/bin:$PATH"
export PATH

if [ -n "${PYTHONHOME+set}" ]; then
    _PINFAST_OLD_PYTHONHOME="$PYTHONHOME"
    unset PYTHONHOME
fi

if [ -z "${VIRTUAL_ENV_DISABLE_PROMPT-}" ]; then
    _PINFAST_OLD_PS1="${PS1-}"
    PS1="($VIRTUAL_ENV_PROMPT) ${PS1-}"
fi

hash -r 2>/dev/null || true
