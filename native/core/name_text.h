// Distinguished names as text for people.
#pragma once

#include <openssl/x509.h>

#include <string>

namespace callseal {

// RFC 4514: most specific part first, special characters escaped, UTF-8 kept. Characters that would change how a line
// reads on a terminal or in a log (controls, line separators, bidirectional overrides) are escaped as hex pairs too.
std::string name_text(const X509_NAME* name);

}  // namespace callseal
