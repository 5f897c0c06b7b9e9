#include "block_work.h"

namespace callseal {

// Syncing takes long, so whether the input is still what was read is looked at after it.
void finish_job(const InputFile& input, AtomicFile* output, const JobControl& control) {
  if (output == nullptr) return input.require_unchanged();
  if (output->in_place()) output->take_owner(input.status());
  output->sync();
  input.require_unchanged();
  control.check();
  if (output->in_place()) {
    output->publish_over(input);
  } else {
    output->publish();
  }
}

void reserve_blocks(AtomicFile& output, uint64_t length, const BlockLayout& layout) {
  if (layout.blocks > 1) output.reserve(length);
}

}  // namespace callseal
