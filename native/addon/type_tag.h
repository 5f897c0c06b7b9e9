// Type tags that only this copy of the addon gives and takes.
#pragma once

#include <node_api.h>

namespace callseal::addon {

// A process may hold two copies of the package (node_modules has one for each version that something depends on), and
// so two builds of the addon. An object of the other copy has the same class behind it by name only: other members,
// another library context. Its tag must not fit.
napi_type_tag own_tag(const napi_type_tag& kind);

}  // namespace callseal::addon
