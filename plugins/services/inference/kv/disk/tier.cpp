#include "plugins/services/inference/kv/disk/tier.hpp"

#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "core/base/check.hpp"

namespace aictl::inference {
namespace {

constexpr size_t kRunBytes = size_t{8} << 20;      // a copy of some milliseconds
constexpr size_t kMostArrived = size_t{64} << 20;  // read and not yet taken
constexpr size_t kMostSaving = size_t{128} << 20;  // taken and not yet written
constexpr size_t kMostReadings = 4096;             // requests that wait for the reader

int blocks_of_run(size_t block_bytes) {
  return static_cast<int>(
      std::clamp<size_t>(kRunBytes / std::max<size_t>(1, block_bytes), 1, kMaxRunBlocks));
}

}  // namespace

DiskTier::DiskTier(std::unique_ptr<DiskStore> store, std::function<void()> wake)
    : store_(std::move(store)),
      wake_(std::move(wake)),
      run_blocks_(blocks_of_run(store_->signature().block_bytes)),
      readings_(kMostReadings),
      reader_([this](std::stop_token stop) { read_all(stop); }),
      writer_([this] { write_all(); }) {
  ::pthread_setname_np(reader_.native_handle(), "aictl-kv-read");
  ::pthread_setname_np(writer_.native_handle(), "aictl-kv-write");
}

DiskTier::~DiskTier() {
  reader_.request_stop();
  {
    std::lock_guard lock(mutex_);
    closing_ = true;
  }
  changed_.notify_all();
}

void DiskTier::promote(uint64_t ticket, std::shared_ptr<const Prefix> prefix, int first, int end) {
  if (readings_.try_send({ticket, std::move(prefix), first, end})) return;
  std::lock_guard lock(mutex_);
  arrived_.push_back({ticket, first, 0, {}, true, true});
}

std::optional<ArrivedRun> DiskTier::take_arrived() {
  std::optional<ArrivedRun> run;
  {
    std::lock_guard lock(mutex_);
    if (arrived_.empty()) return run;
    run = std::move(arrived_.front());
    arrived_.pop_front();
    arrived_bytes_ -= run->payload.size();
  }
  changed_.notify_all();
  return run;
}

bool DiskTier::has_arrived() const {
  std::lock_guard lock(mutex_);
  return !arrived_.empty();
}

// One run always fits: blocks larger than the bound are saved one at a time.
bool DiskTier::has_room(size_t bytes) const {
  std::lock_guard lock(mutex_);
  return saving_bytes_ == 0 || saving_bytes_ + bytes <= kMostSaving;
}

void DiskTier::save(std::shared_ptr<const Prefix> prefix, int first,
                    std::vector<std::byte> payload) {
  store_->expect(*prefix, first,
                 static_cast<int>(payload.size() / store_->signature().block_bytes));
  {
    std::lock_guard lock(mutex_);
    saving_bytes_ += payload.size();
    savings_.push_back({std::move(prefix), first, std::move(payload)});
  }
  changed_.notify_all();
}

bool DiskTier::wait_saved(Time until) const {
  std::unique_lock lock(mutex_);
  return changed_.wait_until(lock, until, [this] { return saving_bytes_ == 0; });
}

void DiskTier::read_all(std::stop_token stop) {
  store_->scan(stop);
  wake_();
  while (const auto reading = readings_.receive(stop)) read_one(*reading, stop);
}

void DiskTier::read_one(const Reading& reading, std::stop_token stop) {
  for (int at = reading.first; at < reading.end && !stop.stop_requested();) {
    const auto begin = std::chrono::steady_clock::now();
    ArrivedRun run{reading.ticket, at, 0, {}, false, false};
    const auto loaded =
        store_->load(*reading.prefix, at, std::min(run_blocks_, reading.end - at), run.payload);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    if (loaded) {
      run.count = *loaded;
      at += *loaded;
      const double now = static_cast<double>(run.payload.size()) / std::max(1e-9, took.count());
      const double before = bandwidth_.load();
      bandwidth_.store(before == 0 ? now : before + (now - before) / 8);
    }
    run.failed = !loaded;
    run.last = run.failed || at >= reading.end;
    const bool last = run.last;
    if (!deliver(std::move(run), stop) || last) break;
  }
  store_->touch(*reading.prefix, reading.end);
}

// Waits while the engine has too much to take already.
bool DiskTier::deliver(ArrivedRun run, std::stop_token stop) {
  {
    std::unique_lock lock(mutex_);
    const auto room = [&] {
      return arrived_.empty() || arrived_bytes_ + run.payload.size() <= kMostArrived;
    };
    if (!changed_.wait(lock, stop, room)) return false;
    arrived_bytes_ += run.payload.size();
    arrived_.push_back(std::move(run));
  }
  wake_();
  return true;
}

void DiskTier::write_all() {
  for (;;) {
    Saving saving;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return closing_ || !savings_.empty(); });
      if (savings_.empty()) return;
      saving = std::move(savings_.front());
      savings_.pop_front();
    }
    (void)store_->save(*saving.prefix, saving.first, saving.payload);  // it has told and counted
    {
      std::lock_guard lock(mutex_);
      saving_bytes_ -= saving.payload.size();
    }
    changed_.notify_all();
    wake_();
  }
}

}  // namespace aictl::inference
