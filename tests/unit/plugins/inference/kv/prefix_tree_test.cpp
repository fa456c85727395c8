// The tree of prefixes against a plain list of everything ever computed.
#include "plugins/services/inference/kv/prefix_tree.hpp"

#include <doctest/doctest.h>

#include <map>
#include <random>

using namespace aictl::inference;
using namespace aictl;

namespace {

using Tokens = std::vector<int32_t>;

/// `blocks` whole blocks of tokens, each filled with its letter.
Tokens text(std::string_view letters) {
  Tokens tokens;
  for (const char letter : letters) tokens.insert(tokens.end(), kKvBlockTokens, letter);
  return tokens;
}

/// A sequence that has computed `tokens` and remembered what it could.
BlockTable computed(BlockPool& pool, PrefixTree& tree, const Tokens& tokens, Salt salt = {}) {
  BlockTable table;
  const int reused = tree.match(salt, tokens, table);
  REQUIRE(table.grow(pool, static_cast<int>(tokens.size())));
  tree.insert(salt, tokens, reused / kKvBlockTokens, table);
  return table;
}

std::string check(const BlockPool& pool, const PrefixTree& tree,
                  const std::vector<BlockTable>& tables) {
  std::vector<std::span<const int32_t>> spans;
  for (const auto& table : tables) spans.push_back(table.blocks());
  const std::string wrong = pool.check(spans);
  return wrong.empty() ? tree.check() : wrong;
}

}  // namespace

TEST_CASE("prefix tree: finds the longest known prefix, by whole blocks") {
  BlockPool pool(16);
  PrefixTree tree(pool);
  BlockTable first = computed(pool, tree, text("abc"));
  const Tokens blocks_of_first(first.blocks().begin(), first.blocks().end());
  first.release(pool);
  CHECK(pool.free() == 16);
  CHECK(pool.idle() == 3);

  BlockTable same, longer, shorter, other, salted;
  CHECK(tree.match({}, text("abc"), same) == 3 * kKvBlockTokens);
  CHECK(Tokens(same.blocks().begin(), same.blocks().end()) == blocks_of_first);
  Tokens more = text("abd");
  CHECK(tree.match({}, more, longer) == 2 * kKvBlockTokens);
  more.resize(100);  // a block and a piece
  CHECK(tree.match({}, more, shorter) == kKvBlockTokens);
  CHECK(tree.match({}, text("bc"), other) == 0);
  CHECK(tree.match({.salt = 1}, text("abc"), salted) == 0);
  CHECK(tree.match({.tenant = 1}, text("abc"), salted) == 0);
  CHECK(check(pool, tree, {same, longer, shorter, other, salted}).empty());
}

TEST_CASE("prefix tree: the same block after another prefix is another block") {
  BlockPool pool(8);
  PrefixTree tree(pool);
  BlockTable one = computed(pool, tree, text("ax")), two = computed(pool, tree, text("bx"));
  CHECK(one.blocks()[1] != two.blocks()[1]);
  CHECK(tree.size() == 4);
}

TEST_CASE("prefix tree: what two sequences computed at once is kept once") {
  BlockPool pool(8);
  PrefixTree tree(pool);
  BlockTable one, two;
  REQUIRE(one.grow(pool, 2 * kKvBlockTokens));
  REQUIRE(two.grow(pool, 3 * kKvBlockTokens));
  CHECK(tree.insert({}, text("ab"), 0, one) == 2);
  CHECK(tree.insert({}, text("abc"), 0, two) == 3);
  CHECK(two.blocks()[0] == one.blocks()[0]);
  CHECK(two.blocks()[1] == one.blocks()[1]);
  CHECK(pool.used() == 3);
  CHECK(check(pool, tree, {one, two}).empty());
}

TEST_CASE("prefix tree: gives way from the end of what was used longest ago") {
  BlockPool pool(4);
  PrefixTree tree(pool);
  computed(pool, tree, text("ab")).release(pool);
  computed(pool, tree, text("cd")).release(pool);
  BlockTable again;
  CHECK(tree.match({}, text("ab"), again) == 2 * kKvBlockTokens);  // "ab" is now the younger one
  again.release(pool);
  BlockTable fresh;
  REQUIRE(fresh.grow(pool, 1));
  BlockTable left, right;
  CHECK(tree.match({}, text("cd"), left) == kKvBlockTokens);
  CHECK(tree.match({}, text("ab"), right) == 2 * kKvBlockTokens);
  CHECK(pool.free() == 0);
  CHECK_FALSE(pool.take());
  CHECK(check(pool, tree, {fresh, left, right}).empty());
}

TEST_CASE("prefix tree: under random traffic a match is always what was computed") {
  std::mt19937 rng(7);
  const auto random = [&](int least, int most) {
    return std::uniform_int_distribution<int>(least, most)(rng);
  };
  BlockPool pool(40);
  PrefixTree tree(pool);
  std::map<int32_t, Tokens>
      contents;  // block -> all tokens up to its end: what a model wrote there
  struct Live {
    Tokens tokens;
    BlockTable table;
  };
  std::vector<Live> live;
  int reused = 0;
  for (int step = 0; step < 20000; ++step) {
    if (!live.empty() && random(0, 1)) {
      const auto victim = live.begin() + random(0, static_cast<int>(live.size()) - 1);
      victim->table.release(pool);
      live.erase(victim);
    } else {
      std::string letters;
      for (int n = random(1, 6); n > 0; --n) letters += static_cast<char>('a' + random(0, 2));
      Live l{text(letters), {}};
      const int known = tree.match({}, l.tokens, l.table);
      for (int i = 0; i < known / kKvBlockTokens; ++i)
        REQUIRE(contents.at(l.table.blocks()[static_cast<size_t>(i)]) ==
                Tokens(l.tokens.begin(), l.tokens.begin() + (i + 1) * kKvBlockTokens));
      reused += known / kKvBlockTokens;
      if (!l.table.grow(pool, static_cast<int>(l.tokens.size()))) {
        l.table.release(pool);
        continue;
      }
      for (int i = known / kKvBlockTokens; i < l.table.size(); ++i)
        contents[l.table.blocks()[static_cast<size_t>(i)]] =
            Tokens(l.tokens.begin(), l.tokens.begin() + (i + 1) * kKvBlockTokens);
      if (random(0, 9)) tree.insert({}, l.tokens, known / kKvBlockTokens, l.table);
      live.push_back(std::move(l));
    }
    std::vector<BlockTable> tables;
    for (const Live& l : live) tables.push_back(l.table);
    const std::string wrong = check(pool, tree, tables);
    REQUIRE_MESSAGE(wrong.empty(), wrong);
  }
  CHECK(reused > 5000);
}
