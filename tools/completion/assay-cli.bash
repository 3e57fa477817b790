# Completion for assay-cli: options, the node's methods, and their names after help.
# Source it, or put it where bash-completion looks.

_assay_cli() {
    local cur="${COMP_WORDS[COMP_CWORD]}" word method="" options=() i
    local cli="${COMP_WORDS[0]}"

    for ((i = 1; i < COMP_CWORD; i++)); do
        word="${COMP_WORDS[i]}"
        case "$word" in
            -conf=* | -datadir=* | -regtest* | -rpc* | -signet* | -testnet* | -chain=*)
                options+=("$word") ;;
            -*) ;;
            *) method="$word"; break ;;
        esac
    done

    case "$cur" in
        -conf=* | -datadir=* | -rpccookiefile=*)
            local prefix="${cur%%=*}="
            COMPREPLY=($(compgen -f -- "${cur#*=}"))
            COMPREPLY=("${COMPREPLY[@]/#/$prefix}")
            return ;;
        -*)
            COMPREPLY=($(compgen -W "$("$cli" -help 2>/dev/null |
                sed -n 's/^  \(-[a-z0-9]*\)\(=.*\)\{0,1\}$/\1\2/p' | sed 's/=.*/=/')" -- "$cur"))
            [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *= ]] && compopt -o nospace
            return ;;
    esac

    if [[ -z $method || $method == help ]]; then
        COMPREPLY=($(compgen -W "$("$cli" "${options[@]}" help 2>/dev/null |
            awk '$1 ~ /^[a-z]/ {print $1}')" -- "$cur"))
    fi
}

complete -o default -F _assay_cli assay-cli
