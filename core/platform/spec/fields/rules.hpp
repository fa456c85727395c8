// Rules of texts in a spec: what a word has to look like, for the reader, the JSON schema and the
// manual alike.
#pragma once

#include <string>
#include <string_view>

namespace aictl::platform {

/// One rule. A text that keeps it also matches `pattern`, and the other way round.
struct Rule {
  std::string_view name;     // "label": the end of a mistake's rule
  std::string_view what;     // "a DNS label: ..."
  std::string_view pattern;  // ECMAScript; empty: any text
  bool (*keeps)(std::string_view text);
  size_t longest = 0;  // characters; 0: as the pattern says
};

extern const Rule kLabelRule, kServiceLabelRule, kSubdomainRule, kModelNameRule, kSourceRule,
    kRevisionRule, kChecksumRule, kImageRule, kUrlRule, kHostnameRule, kUrlPathRule, kTopicRule,
    kVariableRule, kSecretKeyRule, kSelectorKeyRule, kSelectorValueRule, kQuantRule, kGpuRule,
    kTextRule, kModelPatternRule;

/// Whether `text` reads like a credential: a key of a known provider, a private key, a URL with a
/// password in it. Such a text is never repeated in a message.
bool looks_secret(std::string_view text);

/// Whether a variable of that name carries a credential: OPENAI_API_KEY, DB_PASSWORD.
bool names_secret(std::string_view variable);

}  // namespace aictl::platform
