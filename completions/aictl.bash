# bash completion for aictl, printed by `aictl completion bash`; not edited by hand.
_aictl() {
  local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} path=aictl words= files= i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$path:${COMP_WORDS[i]}" in
      'aictl:serve') path='aictl serve' ;;
      'aictl:run') path='aictl run' ;;
      'aictl:chat') path='aictl chat' ;;
      'aictl:model') path='aictl model' ;;
      'aictl:tokenize') path='aictl tokenize' ;;
      'aictl:render') path='aictl render' ;;
      'aictl:bench') path='aictl bench' ;;
      'aictl:plugin') path='aictl plugin' ;;
      'aictl:config') path='aictl config' ;;
      'aictl:completion') path='aictl completion' ;;
      'aictl:man') path='aictl man' ;;
      'aictl:help') path='aictl help' ;;
      'aictl:version') path='aictl version' ;;
      'aictl model:show') path='aictl model show' ;;
      'aictl model:logits') path='aictl model logits' ;;
      'aictl model:builtin') path='aictl model builtin' ;;
      'aictl bench:model') path='aictl bench model' ;;
      'aictl bench:ceilings') path='aictl bench ceilings' ;;
      'aictl plugin:list') path='aictl plugin list' ;;
      'aictl config:view') path='aictl config view' ;;
    esac
  done
  case "$path:$previous" in
    'aictl serve':--address) COMPREPLY=(); return ;;
    'aictl serve':--name) COMPREPLY=(); return ;;
    'aictl serve':--backend) COMPREPLY=($(compgen -W 'cpu reference' -- "$word")); return ;;
    'aictl serve':--threads) COMPREPLY=(); return ;;
    'aictl serve':--context) COMPREPLY=(); return ;;
    'aictl serve':--concurrency) COMPREPLY=(); return ;;
    'aictl serve':--kv-memory) COMPREPLY=(); return ;;
    'aictl serve':--step-tokens) COMPREPLY=(); return ;;
    'aictl serve':--max-queue) COMPREPLY=(); return ;;
    'aictl serve':--api-key-file) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    'aictl serve':--tls-certificate) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    'aictl serve':--tls-key) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    'aictl serve':--cors-origins) COMPREPLY=(); return ;;
    'aictl serve':--max-body) COMPREPLY=(); return ;;
    'aictl serve':--max-connections) COMPREPLY=(); return ;;
    'aictl serve':--drain-timeout) COMPREPLY=(); return ;;
    'aictl serve':--idle-timeout) COMPREPLY=(); return ;;
    'aictl run':--tokens) COMPREPLY=(); return ;;
    'aictl run':--system) COMPREPLY=(); return ;;
    'aictl run':-n|'aictl run':--max-tokens) COMPREPLY=(); return ;;
    'aictl run':--temperature) COMPREPLY=(); return ;;
    'aictl run':--seed) COMPREPLY=(); return ;;
    'aictl run':--top-k) COMPREPLY=(); return ;;
    'aictl run':--top-p) COMPREPLY=(); return ;;
    'aictl run':--min-p) COMPREPLY=(); return ;;
    'aictl run':--typical-p) COMPREPLY=(); return ;;
    'aictl run':--top-n-sigma) COMPREPLY=(); return ;;
    'aictl run':--repetition-penalty) COMPREPLY=(); return ;;
    'aictl run':--repeat-last-n) COMPREPLY=(); return ;;
    'aictl run':--frequency-penalty) COMPREPLY=(); return ;;
    'aictl run':--presence-penalty) COMPREPLY=(); return ;;
    'aictl run':--dry-multiplier) COMPREPLY=(); return ;;
    'aictl run':--dry-base) COMPREPLY=(); return ;;
    'aictl run':--dry-allowed-length) COMPREPLY=(); return ;;
    'aictl run':--xtc-probability) COMPREPLY=(); return ;;
    'aictl run':--xtc-threshold) COMPREPLY=(); return ;;
    'aictl run':--mirostat) COMPREPLY=(); return ;;
    'aictl run':--mirostat-tau) COMPREPLY=(); return ;;
    'aictl run':--mirostat-eta) COMPREPLY=(); return ;;
    'aictl run':--stop) COMPREPLY=(); return ;;
    'aictl run':--backend) COMPREPLY=($(compgen -W 'cpu reference' -- "$word")); return ;;
    'aictl run':--threads) COMPREPLY=(); return ;;
    'aictl run':--context) COMPREPLY=(); return ;;
    'aictl run':--kv-memory) COMPREPLY=(); return ;;
    'aictl run':--step-tokens) COMPREPLY=(); return ;;
    'aictl chat':--system) COMPREPLY=(); return ;;
    'aictl chat':-n|'aictl chat':--max-tokens) COMPREPLY=(); return ;;
    'aictl chat':--temperature) COMPREPLY=(); return ;;
    'aictl chat':--seed) COMPREPLY=(); return ;;
    'aictl chat':--top-k) COMPREPLY=(); return ;;
    'aictl chat':--top-p) COMPREPLY=(); return ;;
    'aictl chat':--min-p) COMPREPLY=(); return ;;
    'aictl chat':--typical-p) COMPREPLY=(); return ;;
    'aictl chat':--top-n-sigma) COMPREPLY=(); return ;;
    'aictl chat':--repetition-penalty) COMPREPLY=(); return ;;
    'aictl chat':--repeat-last-n) COMPREPLY=(); return ;;
    'aictl chat':--frequency-penalty) COMPREPLY=(); return ;;
    'aictl chat':--presence-penalty) COMPREPLY=(); return ;;
    'aictl chat':--dry-multiplier) COMPREPLY=(); return ;;
    'aictl chat':--dry-base) COMPREPLY=(); return ;;
    'aictl chat':--dry-allowed-length) COMPREPLY=(); return ;;
    'aictl chat':--xtc-probability) COMPREPLY=(); return ;;
    'aictl chat':--xtc-threshold) COMPREPLY=(); return ;;
    'aictl chat':--mirostat) COMPREPLY=(); return ;;
    'aictl chat':--mirostat-tau) COMPREPLY=(); return ;;
    'aictl chat':--mirostat-eta) COMPREPLY=(); return ;;
    'aictl chat':--stop) COMPREPLY=(); return ;;
    'aictl chat':--backend) COMPREPLY=($(compgen -W 'cpu reference' -- "$word")); return ;;
    'aictl chat':--threads) COMPREPLY=(); return ;;
    'aictl chat':--context) COMPREPLY=(); return ;;
    'aictl chat':--kv-memory) COMPREPLY=(); return ;;
    'aictl chat':--step-tokens) COMPREPLY=(); return ;;
    'aictl model logits':--tokens) COMPREPLY=(); return ;;
    'aictl model logits':--backend) COMPREPLY=($(compgen -W 'cpu reference' -- "$word")); return ;;
    'aictl model logits':--threads) COMPREPLY=(); return ;;
    'aictl model logits':--context) COMPREPLY=(); return ;;
    'aictl model logits':--kv-memory) COMPREPLY=(); return ;;
    'aictl model logits':--step-tokens) COMPREPLY=(); return ;;
    'aictl tokenize':--file) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    'aictl render':--messages) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    'aictl render':--user) COMPREPLY=(); return ;;
    'aictl render':--system) COMPREPLY=(); return ;;
    'aictl render':--template) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    'aictl render':--vars) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    'aictl render':--now) COMPREPLY=(); return ;;
    'aictl bench model':--synthetic) COMPREPLY=($(compgen -W 'L1 L8 0.5b' -- "$word")); return ;;
    'aictl bench model':--dtype) COMPREPLY=($(compgen -W 'q8_0 q4_0 q4_k q5_k q6_k bf16 f16 f32' -- "$word")); return ;;
    'aictl bench model':--prompt-tokens) COMPREPLY=(); return ;;
    'aictl bench model':--decode-tokens) COMPREPLY=(); return ;;
    'aictl bench model':--depth) COMPREPLY=(); return ;;
    'aictl bench model':--batch) COMPREPLY=(); return ;;
    'aictl bench model':--repeat) COMPREPLY=(); return ;;
    'aictl bench model':--backend) COMPREPLY=($(compgen -W 'cpu reference' -- "$word")); return ;;
    'aictl bench model':--threads) COMPREPLY=(); return ;;
    'aictl bench model':--step-tokens) COMPREPLY=(); return ;;
    'aictl bench ceilings':--backend) COMPREPLY=($(compgen -W 'cpu reference' -- "$word")); return ;;
    'aictl bench ceilings':--threads) COMPREPLY=(); return ;;
    'aictl plugin list':--kind) COMPREPLY=($(compgen -W 'command backend source runtime service topology' -- "$word")); return ;;
    'aictl man':--all) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- "$word"); return ;;
    *:-o|*:--output) COMPREPLY=($(compgen -W 'table json yaml text' -- "$word")); return ;;
    *:--config) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
  esac
  case "$path" in
    'aictl') words='serve run chat model tokenize render bench plugin config completion man help version --output --config --quiet --verbose --no-color --help --version' ;;
    'aictl serve') words='--address --name --backend --threads --context --concurrency --kv-memory --step-tokens --max-queue --prefix-cache --no-prefix-cache --api-key-file --insecure --no-insecure --tls-certificate --tls-key --cors-origins --strict --no-strict --max-body --max-connections --drain-timeout --idle-timeout --output --config --quiet --verbose --no-color --help --version' files=1 ;;
    'aictl run') words='--tokens --system --raw --no-raw --max-tokens --temperature --seed --top-k --top-p --min-p --typical-p --top-n-sigma --repetition-penalty --repeat-last-n --frequency-penalty --presence-penalty --dry-multiplier --dry-base --dry-allowed-length --xtc-probability --xtc-threshold --mirostat --mirostat-tau --mirostat-eta --ignore-eos --no-ignore-eos --stop --backend --threads --context --kv-memory --step-tokens --prefix-cache --no-prefix-cache --output --config --quiet --verbose --no-color --help --version' files=1 ;;
    'aictl chat') words='--system --max-tokens --temperature --seed --top-k --top-p --min-p --typical-p --top-n-sigma --repetition-penalty --repeat-last-n --frequency-penalty --presence-penalty --dry-multiplier --dry-base --dry-allowed-length --xtc-probability --xtc-threshold --mirostat --mirostat-tau --mirostat-eta --ignore-eos --no-ignore-eos --stop --backend --threads --context --kv-memory --step-tokens --prefix-cache --no-prefix-cache --output --config --quiet --verbose --no-color --help --version' files=1 ;;
    'aictl model') words='show logits builtin --output --config --quiet --verbose --no-color --help --version' ;;
    'aictl model show') words='--output --config --quiet --verbose --no-color --help --version' files=1 ;;
    'aictl model logits') words='--tokens --backend --threads --context --kv-memory --step-tokens --prefix-cache --no-prefix-cache --output --config --quiet --verbose --no-color --help --version' files=1 ;;
    'aictl model builtin') words='--output --config --quiet --verbose --no-color --help --version' ;;
    'aictl tokenize') words='--file --no-special --output --config --quiet --verbose --no-color --help --version' files=1 ;;
    'aictl render') words='--messages --user --system --no-generation-prompt --template --vars --now --output --config --quiet --verbose --no-color --help --version' files=1 ;;
    'aictl bench') words='model ceilings --output --config --quiet --verbose --no-color --help --version' ;;
    'aictl bench model') words='--synthetic --dtype --prompt-tokens --decode-tokens --depth --batch --repeat --backend --threads --step-tokens --output --config --quiet --verbose --no-color --help --version' files=1 ;;
    'aictl bench ceilings') words='--backend --threads --output --config --quiet --verbose --no-color --help --version' ;;
    'aictl plugin') words='list --output --config --quiet --verbose --no-color --help --version' ;;
    'aictl plugin list') words='--kind --output --config --quiet --verbose --no-color --help --version' ;;
    'aictl config') words='view --output --config --quiet --verbose --no-color --help --version' ;;
    'aictl config view') words='--origin --output --config --quiet --verbose --no-color --help --version' ;;
    'aictl completion') words='--output --config --quiet --verbose --no-color --help --version bash zsh fish' ;;
    'aictl man') words='--all --output --config --quiet --verbose --no-color --help --version serve run chat model model-show model-logits model-builtin tokenize render bench bench-model bench-ceilings plugin plugin-list config config-view completion man help version' ;;
    'aictl help') words='--output --config --quiet --verbose --no-color --help --version serve run chat model tokenize render bench plugin config completion man help version' ;;
    'aictl version') words='--output --config --quiet --verbose --no-color --help --version' ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$word"))
  if [[ -n $files && $word != -* ]]; then
    compopt -o filenames
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word"; compgen -f -- "$word")
  fi
}
complete -F _aictl aictl
