// Core errors → JavaScript's CallsealError, in one place.
#pragma once

#include <napi.h>

#include <exception>

#include "out_of_memory.h"

namespace callseal::addon {

// The JavaScript value for what a core call threw. Before `initialise` a plain Error with `code`.
Napi::Value to_javascript(Napi::Env env, std::exception_ptr thrown);

// Runs `work`, turning a core exception into a JavaScript one.
template <typename Work>
auto guarded(Napi::Env env, Work&& work) -> decltype(work()) {
  try {
    return telling_of_memory(work);
  } catch (const Napi::Error&) {
    throw;
  } catch (...) {
    throw Napi::Error(env, to_javascript(env, std::current_exception()));
  }
}

}  // namespace callseal::addon
