# Read this file into fish: source bin/activate.fish
# `deactivate` undoes it.

function deactivate --description 'Leave the virtual environment'
    if set -q _PINFAST_OLD_PATH
        set -gx PATH $_PINFAST_OLD_PATH
        set -e _PINFAST_OLD_PATH
    end
    if set -q _PINFAST_OLD_PYTHONHOME
        set -gx PYTHONHOME $_PINFAST_OLD_PYTHONHOME
        set -e _PINFAST_OLD_PYTHONHOME
    end
    if functions -q _pinfast_old_prompt
        functions -e fish_prompt
        functions -c _pinfast_old_prompt fish_prompt
        functions -e _pinfast_old_prompt
    end
    set -e VIRTUAL_ENV
    set -e VIRTUAL_ENV_PROMPT
    if test "$argv[1]" != keep
        functions -e deactivate
    end
end

deactivate keep

set -gx VIRTUAL_ENV @PATH@
set -gx VIRTUAL_ENV_PROMPT @NAME@

set -g _PINFAST_OLD_PATH $PATH
set -gx PATH "$VIRTUAL_ENV/bin" $PATH

if set -q PYTHONHOME
    set -g _PINFAST_OLD_PYTHONHOME $PYTHONHOME
    set -e PYTHONHOME
end

if test -z "$VIRTUAL_ENV_DISABLE_PROMPT"; and functions -q fish_prompt
    functions -c fish_prompt _pinfast_old_prompt
    function fish_prompt
        printf '(%s) ' $VIRTUAL_ENV_PROMPT
        _pinfast_old_prompt
    end
end
