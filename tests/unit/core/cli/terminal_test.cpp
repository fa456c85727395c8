// Tables and progress bars, as a terminal shows them.
#include <doctest/doctest.h>

#include <sstream>

#include "core/cli/terminal/progress.hpp"
#include "core/cli/terminal/table.hpp"

using namespace aictl;
using namespace aictl::cli;

TEST_CASE("table: width counts columns of the terminal, not bytes") {
  CHECK(display_width("abc") == 3);
  CHECK(display_width("wörld") == 5);
  CHECK(display_width("模型") == 4);
  CHECK(display_width("e\xCC\x81") == 1);
  CHECK(display_width("🙂") == 2);
  CHECK(display_width("\xff") == 1);
  CHECK(display_width("\n\x1b") == 0);
}

TEST_CASE("table: columns align, numbers to the right, no space at line ends") {
  Table table({"NAME", "SIZE", "NOTE"});
  table.right(1).row({"模型", "7"}).row({"b", "1024", "x"});
  std::ostringstream out;
  table.print(out);
  CHECK(out.str() == "NAME  SIZE  NOTE\n模型     7\nb     1024  x\n");
}

TEST_CASE("table: a cell cannot move the cursor") {
  Table table({});
  table.row({"a\nb\x1b[2J\xc2\x9b", "c"});
  std::ostringstream out;
  table.print(out);
  CHECK(out.str() == "a b [2J   c\n");
}

TEST_CASE("wrap: lines are at most the width, a long word stands alone, empty lines stay") {
  CHECK(wrap("one two three", 7) == std::vector<std::string>{"one two", "three"});
  CHECK(wrap("a longlonglong b", 4) == std::vector<std::string>{"a", "longlonglong", "b"});
  CHECK(wrap("a\n\nb", 10) == std::vector<std::string>{"a", "", "b"});
  CHECK(wrap("", 10) == std::vector<std::string>{""});
}

namespace {

std::string progress_output(bool terminal, bool quiet, std::chrono::milliseconds step) {
  std::istringstream in;
  std::ostringstream out, err;
  Context context({in, out, err, terminal, terminal, terminal, 80},
                  [](const std::string&) { return std::nullopt; });
  context.flags.quiet = quiet;
  ManualClock clock;
  {
    Progress progress(context, clock, "loading", 100);
    for (uint64_t i = 1; i <= 4; ++i) clock.advance(step), progress.update(i * 25);
  }
  CHECK(out.str() == "");
  return err.str();
}

}  // namespace

TEST_CASE("progress: shows on a terminal, after a second, unless -q, and erases itself") {
  using std::chrono::milliseconds;
  CHECK(progress_output(false, false, milliseconds(600)) == "");
  CHECK(progress_output(true, true, milliseconds(600)) == "");
  CHECK(progress_output(true, false, milliseconds(200)) == "");
  const std::string shown = progress_output(true, false, milliseconds(600));
  CHECK(shown.find("25%") == shown.npos);
  CHECK(shown.find(" 50%  50 of 100") != shown.npos);
  CHECK(shown.ends_with("\r\x1b[K"));
}
