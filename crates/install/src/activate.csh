# Read this file into csh or tcsh: source bin/activate.csh
# `deactivate` undoes it.

alias deactivate 'if ($?_PINFAST_OLD_PATH) setenv PATH "$_PINFAST_OLD_PATH"; unset _PINFAST_OLD_PATH; if ($?_PINFAST_OLD_PROMPT) set prompt="$_PINFAST_OLD_PROMPT:q"; unset _PINFAST_OLD_PROMPT; unsetenv VIRTUAL_ENV; unsetenv VIRTUAL_ENV_PROMPT; rehash; if ("\!:*" != keep) unalias deactivate'

if ($?VIRTUAL_ENV) deactivate keep

setenv VIRTUAL_ENV @PATH@
setenv VIRTUAL_ENV_PROMPT @NAME@

set _PINFAST_OLD_PATH="$PATH"
setenv PATH "$VIRTUAL_ENV/bin:$PATH"

if (! $?VIRTUAL_ENV_DISABLE_PROMPT && $?prompt) then
    set _PINFAST_OLD_PROMPT="$prompt"
    set prompt="($VIRTUAL_ENV_PROMPT) $prompt"
endif

rehash
