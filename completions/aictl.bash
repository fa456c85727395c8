# bash completion for aictl, printed by `aictl completion bash`; not edited by hand.
_aictl() {
  local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} path=aictl words= files= i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$path:${COMP_WORDS[i]}" in
      'aictl:version') path='aictl version' ;;
      'aictl:plugin') path='aictl plugin' ;;
      'aictl:config') path='aictl config' ;;
      'aictl:completion') path='aictl completion' ;;
      'aictl:man') path='aictl man' ;;
      'aictl plugin:list') path='aictl plugin list' ;;
      'aictl config:view') path='aictl config view' ;;
    esac
  done
  case "$path:$previous" in
    'aictl plugin list':--kind) COMPREPLY=(); return ;;
    'aictl man':--all) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- "$word"); return ;;
    *:-o|*:--output) COMPREPLY=($(compgen -W 'table json yaml text' -- "$word")); return ;;
    *:--config) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
  esac
  case "$path" in
    'aictl') words='version plugin config completion man --output --config --quiet --verbose --no-color --help --version' ;;
    'aictl version') words='--output --config --quiet --verbose --no-color --help --version' ;;
    'aictl plugin') words='list --output --config --quiet --verbose --no-color --help --version' ;;
    'aictl plugin list') words='--kind --output --config --quiet --verbose --no-color --help --version' ;;
    'aictl config') words='view --output --config --quiet --verbose --no-color --help --version' ;;
    'aictl config view') words='--origin --output --config --quiet --verbose --no-color --help --version' ;;
    'aictl completion') words='--output --config --quiet --verbose --no-color --help --version bash zsh fish' ;;
    'aictl man') words='--all --output --config --quiet --verbose --no-color --help --version' ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$word"))
  if [[ -n $files && $word != -* ]]; then
    compopt -o filenames
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word"; compgen -f -- "$word")
  fi
}
complete -F _aictl aictl
