// What jobs on whole files share: segments in blocks, of which several threads take one after the other.
#pragma once

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <optional>

#include "atomic_file.h"
#include "crew.h"
#include "floe.h"
#include "job_control.h"
#include "out_of_memory.h"

namespace callseal {

// Bytes of whole segments handled between two system calls: what the second-level cache holds twice.
constexpr size_t kBlockLength = size_t{256} << 10;
// Helpers take time to wake; fewer blocks are done sooner without them.
constexpr uint64_t kBlocksWorthHelp = 32;
// More threads than this only wait for each other at the file system …
constexpr uint64_t kMostMembers = 8;
// … and all their blocks together stay below this.
constexpr uint64_t kMostMemory = uint64_t{32} << 20;

// How the segments of a message lie in its file, and which of them make a block.
struct BlockLayout {
  BlockLayout(const FloeMessage& message, uint64_t start, uint64_t segment_count)
      : body_start(start),
        segment_length(message.segment_length()),
        segments(segment_count),
        segments_per_block(std::max<uint64_t>(1, kBlockLength / message.segment_length())),
        blocks((segments - 1) / segments_per_block + 1) {}

  uint64_t first_segment(uint64_t block) const { return block * segments_per_block; }
  // Threads that are to share the work.
  unsigned members() const {
    if (blocks < kBlocksWorthHelp) return 1;
    const uint64_t affordable = std::max<uint64_t>(1, kMostMemory / (2 * segments_per_block * segment_length));
    return static_cast<unsigned>(std::min<uint64_t>({kMostMembers, affordable, Crew::cores()}));
  }
  // Segments in the longest block.
  size_t longest() const { return static_cast<size_t>(std::min(segments, segments_per_block)); }

  uint64_t body_start;  // offset of the first segment in the encrypted file
  uint64_t segment_length;
  uint64_t segments;  // at least one
  uint64_t segments_per_block;
  uint64_t blocks;
};

// Gives out blocks in order until one fails. The failure of the lowest block counts: all before it were given out, so
// it is what working from the beginning would have met first.
class Blocks {
 public:
  explicit Blocks(uint64_t count) : end_(count) {}

  bool take(uint64_t* block) {
    *block = next_.fetch_add(1, std::memory_order_relaxed);
    return *block < end_.load(std::memory_order_relaxed);
  }

  void fail(uint64_t block, std::exception_ptr failure) {
    std::lock_guard<std::mutex> lock(mutex_);
    if (block >= end_.load(std::memory_order_relaxed)) return;  // a lower one has failed
    failure_ = std::move(failure);
    end_.store(block, std::memory_order_relaxed);
  }

  // Once all who took blocks have ended.
  void rethrow() const {
    if (failure_ != nullptr) std::rethrow_exception(failure_);
  }

 private:
  std::atomic<uint64_t> next_{0};
  std::atomic<uint64_t> end_;
  std::mutex mutex_;
  std::exception_ptr failure_;
};

// Has every block of a job done, by several threads if there are many. Each makes a Worker of its own and calls it with
// the numbers of blocks.
template <typename Worker, typename Job>
void work_through(const Job& job) {
  Blocks blocks(job.layout.blocks);
  Crew::get().run(job.layout.members(), [&](unsigned) {
    std::optional<Worker> worker;
    for (uint64_t block; blocks.take(&block);) {
      try {
        telling_of_memory([&] {
          job.control.check();
          if (!worker.has_value()) worker.emplace(job);
          (*worker)(block);
        });
      } catch (...) {
        blocks.fail(block, std::current_exception());
      }
    }
  });
  blocks.rethrow();
}

// What is left to do once everything has been read and written. `output` is null when nothing was to be written.
void finish_job(const InputFile& input, AtomicFile* output, const JobControl& control);

// Space is set aside for files of several blocks; a smaller one is written at once.
void reserve_blocks(AtomicFile& output, uint64_t length, const BlockLayout& layout);

}  // namespace callseal
