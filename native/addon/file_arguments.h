// Arguments and results that file jobs share.
#pragma once

#include <napi.h>

#include <optional>

#include "file_job.h"

namespace callseal::addon {

// FileJobOutput of lib/native/binding.ts.
OutputOptions output_argument(const Napi::CallbackInfo& info, size_t index);
// The same, or none for null.
std::optional<OutputOptions> optional_output_argument(const Napi::CallbackInfo& info, size_t index);
// 1024 to 16777216, as docs/format.md has it.
uint32_t segment_length_argument(const Napi::CallbackInfo& info, size_t index);
Napi::Value file_job_result(Napi::Env env, FileJobResult& result);

}  // namespace callseal::addon
