// Rehearsal: libhwloc reads what others wrote in a child first. Its importers trust their input
// more than this program may: some sets of bits make version 2.9 follow a null pointer, and no
// check of ours knows them all.
#pragma once

#include <functional>

namespace aictl::hwloc {

/// What became of a rehearsal.
enum class Rehearsal {
  kRead,     // `load` was true: it may be called for real
  kRefused,  // `load` was false
  kFell,     // the child crashed, or used more than 5 s of processor time
  kNoChild,  // none could be had: errno
};

/// Calls `load` in a child of this process, where a crash hurts nobody; what it prints is dropped,
/// and what it changes is gone. Any thread, but `load` shall take no lock that another thread may
/// hold.
Rehearsal rehearse(const std::function<bool()>& load);

}  // namespace aictl::hwloc
