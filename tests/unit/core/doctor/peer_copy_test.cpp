// The copy test, against a driver that is made up: sound, slow, wrong, stuck.
#include "core/doctor/measure/peer_copy.hpp"

#include <cstdlib>

#include <doctest/doctest.h>

#include "tests/unit/core/doctor/machine.hpp"

namespace aictl::doctor {
namespace {

using namespace test;  // NOLINT: a test's own words
using namespace std::chrono_literals;

/// The healthy machine with what the copies of a driver that plays `part` measured.
Topology after_copies(const char* part, std::chrono::milliseconds deadline = 20s) {
  setenv("AICTL_FAKE_CUDA", part, 1);
  const auto copies = copy_between_gpus(FAKE_CUDA, deadline);
  REQUIRE(copies.ok());
  Topology machine = healthy();
  for (topology::Gpu& gpu : machine.gpus) gpu.nvlink_gbs = 0.25;  // the host's memory is no NVLink
  add_copies(*copies, machine);
  return machine;
}

TEST_CASE("copies: a driver that copies as it says leaves nothing to find") {
  const Topology machine = after_copies("sound");
  const topology::Link* link = topology::find_link(machine, "gpu0", "gpu1");
  REQUIRE(link != nullptr);
  CHECK(link->source == topology::LinkSource::kMeasured);
  CHECK(*link->gbs > 0.5);
  CHECK(link->note.empty());
  CHECK(topology::find_link(machine, "gpu2", "gpu3")->source != topology::LinkSource::kMeasured);
  CHECK(ask("T09", {machine}).passed.size() == 1);
}

TEST_CASE("copies: slow ones, wrong ones and stuck ones are found") {
  Topology slow = after_copies("slow");
  for (topology::Gpu& gpu : slow.gpus) gpu.nvlink_gbs = 25;
  REQUIRE(ask("T09", {slow}).findings.size() == 1);
  CHECK(ask("T09", {slow}).findings[0].title == "gpu0 to gpu1: peer-to-peer copies are slow");
  CHECK(ask("T09", {after_copies("wrong")}).findings[0].title.ends_with("copies are wrong"));
  CHECK(ask("T09", {after_copies("hang", 500ms)}).findings[0].title.ends_with("copies are stuck"));
}

TEST_CASE("copies: without peer access nothing is measured; a driver that fails is an error") {
  CHECK(ask("T09", {after_copies("apart")}).skipped.size() == 1);
  setenv("AICTL_FAKE_CUDA", "broken", 1);
  const auto broken = copy_between_gpus(FAKE_CUDA, 5s);
  REQUIRE_FALSE(broken.ok());
  CHECK(broken.error().message == "the CUDA driver answers 802");
  CHECK(copy_between_gpus("/nonexistent.so", 5s).error().code == ErrorCode::kNotFound);
}

}  // namespace
}  // namespace aictl::doctor
