# Completes a line as zsh does when Tab is pressed: complete.zsh SCRIPT LINE. Prints "== " and the line, then its
# candidates. What completes works only within the line editor, so a zsh of its own runs on a pseudo-terminal.

zmodload zsh/zpty
script=$1 line=$2

set_up=$(mktemp)
trap 'rm -f $set_up' EXIT
print -r -- '
unsetopt zle_bracketed_paste
autoload -Uz compinit
compinit -u -D
source '${(q)script}'
compadd() {
  if [[ ${@[1,(i)(-|--)]} == *-(O|A|D)\ * ]]; then builtin compadd "$@"; return; fi
  local -a hits; builtin compadd -O hits "$@"
  (( $#hits )) && print -rl -- "HIT:"${^hits}
  builtin compadd "$@"
}
finish() { print ENDED; exit }
comppostfuncs=(finish)
bindkey "^I" complete-word
print READY' > $set_up

zpty -b editor zsh -f -i
zpty -w editor "PROMPT= RPROMPT=; source $set_up"
zpty -r -m editor text '*READY*' || exit 1
zpty -w -n editor $line$'\t'
zpty -r -m editor text '*ENDED*' || exit 1
print -r -- "== $line"
for answer in ${(f)text}; do
  [[ $answer == *HIT:* ]] && print -r -- ${${answer#*HIT:}%%[^[:graph:]]*}
done
exit 0
