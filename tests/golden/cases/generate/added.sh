# added.sh TEMPLATE TARGET: what a target writes for a platform of ours beside what kubernetes does:
# new files whole, changed ones as a difference.
set -e
aictl init --template "$1" -q 2>/dev/null >/dev/null
aictl generate kubernetes --layout directory -o base -q
aictl generate "$2" --layout directory -o out -q
cd out
find . -type f -name '*.yaml' | LC_ALL=C sort | while read -r file; do
  bare() { grep -v '^# ' "$1" || true; }
  if [ ! -e "../base/$file" ]; then
    echo "== ${file#./}"
    bare "$file"
  elif ! diff -U1 --label before --label after <(bare "../base/$file") <(bare "$file") >../diff; then
    echo "~~ ${file#./}"
    tail -n +3 ../diff
  fi
done
