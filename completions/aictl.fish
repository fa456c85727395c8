# fish completion for aictl, printed by `aictl completion fish`; not edited by hand.
function __aictl_path
  set -l path aictl
  for word in (commandline -opc)[2..-1]
    switch "$path:$word"
      case 'aictl:version'
        set path 'aictl version'
      case 'aictl:plugin'
        set path 'aictl plugin'
      case 'aictl:config'
        set path 'aictl config'
      case 'aictl:completion'
        set path 'aictl completion'
      case 'aictl:man'
        set path 'aictl man'
      case 'aictl plugin:list'
        set path 'aictl plugin list'
      case 'aictl config:view'
        set path 'aictl config view'
    end
  end
  echo $path
end

function __aictl_at
  test (__aictl_path) = $argv[1]
end

complete -c aictl -f
complete -c aictl -l output -s o -x -a 'table json yaml text' -d 'how the result is printed'
complete -c aictl -l config -r -F -d 'configuration file, instead of ~/.config/aictl/config.yaml or /etc/aictl/config.yaml'
complete -c aictl -l quiet -s q -d 'print only the result and errors'
complete -c aictl -l verbose -s v -d 'print more about what is done'
complete -c aictl -l no-color -d 'never use colour; NO_COLOR does the same'
complete -c aictl -l help -s h -d 'show help'
complete -c aictl -l version -d 'show the version'
complete -c aictl -n '__aictl_at "aictl"' -a version -d 'Show the version, the build and the devices found'
complete -c aictl -n '__aictl_at "aictl"' -a plugin -d 'See the plugins'
complete -c aictl -n '__aictl_at "aictl"' -a config -d 'See the settings and where they came from'
complete -c aictl -n '__aictl_at "aictl"' -a completion -d 'Print a completion script for a shell'
complete -c aictl -n '__aictl_at "aictl"' -a man -d 'Print a manual page, or write them all'
complete -c aictl -n '__aictl_at "aictl plugin"' -a list -d 'List what is compiled in and the commands found on PATH'
complete -c aictl -n '__aictl_at "aictl plugin list"' -l kind -x -d 'only this kind: an extension point, or command'
complete -c aictl -n '__aictl_at "aictl config"' -a view -d 'Show every setting and its value'
complete -c aictl -n '__aictl_at "aictl config view"' -l origin -d 'also show which layer each value came from'
complete -c aictl -n '__aictl_at "aictl completion"' -a 'bash zsh fish'
complete -c aictl -n '__aictl_at "aictl man"' -l all -x -a '(__fish_complete_directories)' -d 'write every page into this folder instead'
