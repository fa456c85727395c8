#include "core/platform/spec/fields/rules.hpp"

#include <algorithm>

#include "core/placement/model/formats.hpp"
#include "core/platform/spec/names.hpp"
#include "core/topology/bandwidth.hpp"

namespace aictl::platform {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_alphanumeric(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// Whether `text` has 1 to `longest` characters, letters, digits and those of `others`.
bool made_of(std::string_view text, std::string_view others, size_t longest) {
  return !text.empty() && text.size() <= longest && std::ranges::all_of(text, [&](char c) {
    return is_alphanumeric(c) || others.find(c) != others.npos;
  });
}

bool plain(std::string_view text) {
  return std::ranges::none_of(
      text, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7f; });
}

bool model_name(std::string_view text) {
  return made_of(text, "._/:@+-", 128) && is_alphanumeric(text.front());
}
bool model_pattern(std::string_view text) {
  if (text.ends_with('*')) text.remove_suffix(1);
  return text.empty() || model_name(text);
}
bool source(std::string_view text) {
  return !text.empty() && text.size() <= 1024 && plain(text) && text.find(' ') == text.npos &&
         (text.find("://") == text.npos || text.starts_with("hf://"));
}
bool checksum(std::string_view text) {
  return text.size() == 71 && text.starts_with("sha256:") &&
         std::ranges::all_of(text.substr(7),
                             [](char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); });
}
bool image(std::string_view text) {
  return made_of(text, "._/:@-", 512) && is_alphanumeric(text.front());
}
bool url(std::string_view text) {
  const size_t scheme = text.starts_with("http://") ? 7 : text.starts_with("https://") ? 8 : 0;
  return scheme > 0 && text.size() > scheme && text.size() <= 2048 && text[scheme] != '/' &&
         plain(text) && text.find(' ') == text.npos;
}
bool hostname(std::string_view text) {
  return is_subdomain(text.starts_with("*.") ? text.substr(2) : text);
}
bool url_path(std::string_view text) {
  return text.starts_with('/') && text.size() <= 1024 && plain(text) && text.find(' ') == text.npos;
}
bool variable(std::string_view text) { return made_of(text, "_", 256) && !is_digit(text.front()); }
bool selector_name(std::string_view text) {
  return made_of(text, "._-", 63) && is_alphanumeric(text.front()) && is_alphanumeric(text.back());
}
bool selector_key(std::string_view text) {
  const size_t slash = text.find('/');
  if (slash == text.npos) return selector_name(text);
  return is_subdomain(text.substr(0, slash)) && selector_name(text.substr(slash + 1));
}

}  // namespace

#define LABEL "[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"
#define SUBDOMAIN "[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"
#define SELECTOR "[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"

const Rule kLabelRule{"label",
                      "a DNS label: a-z, 0-9 and -, letters or digits at both ends, 63 characters",
                      "^" LABEL "$", [](std::string_view t) { return is_label(t); }};
const Rule kServiceLabelRule{
    "label", "a DNS label that starts with a letter: a-z, 0-9 and -, at most 63 characters",
    "^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$", [](std::string_view t) { return is_service_label(t); }};
const Rule kSubdomainRule{"name",
                          "a name of Kubernetes: DNS labels with dots, at most 253 characters",
                          "^" SUBDOMAIN "$", is_subdomain, 253};
const Rule kModelNameRule{"model-name",
                          "a model's name: letters, digits and . _ / : @ + -, 128 characters",
                          "^[A-Za-z0-9][A-Za-z0-9._/:@+-]{0,127}$", model_name};
const Rule kModelPatternRule{"model-pattern", "a model's name, or the start of one and *",
                             "^([A-Za-z0-9][A-Za-z0-9._/:@+-]{0,127})?\\*?$", model_pattern};
const Rule kSourceRule{"source",
                       "a file, a folder, a model's name, a shape, or hf://org/model: one word",
                       "^(hf://|(?!.*://))[^ \\x00-\\x1f\\x7f]+$", source, 1024};
const Rule kRevisionRule{"revision", "a branch, a tag or a commit", "^[A-Za-z0-9._/-]{1,128}$",
                         [](std::string_view t) { return made_of(t, "._/-", 128); }};
const Rule kChecksumRule{"checksum", "sha256: and 64 hexadecimal digits", "^sha256:[0-9a-f]{64}$",
                         checksum};
const Rule kImageRule{"image", "an image: registry/name:tag or registry/name@sha256:digest",
                      "^[A-Za-z0-9][A-Za-z0-9._/:@-]{0,511}$", image};
const Rule kUrlRule{"url", "an http:// or https:// URL",
                    "^https?://[^/ \\x00-\\x1f\\x7f][^ \\x00-\\x1f\\x7f]*$", url, 2048};
const Rule kHostnameRule{"hostname", "a host name, which may begin with *.",
                         "^(\\*\\.)?" SUBDOMAIN "$", hostname, 255};
const Rule kUrlPathRule{"path", "a path of a URL: it starts with /",
                        "^/[^ \\x00-\\x1f\\x7f]{0,1023}$", url_path};
const Rule kTopicRule{"topic", "a topic: letters, digits and . _ -, 249 characters",
                      "^[A-Za-z0-9._-]{1,249}$",
                      [](std::string_view t) { return made_of(t, "._-", 249); }};
const Rule kVariableRule{"variable", "a variable's name: letters, digits and _",
                         "^[A-Za-z_][A-Za-z0-9_]{0,255}$", variable};
const Rule kSecretKeyRule{"key", "a key of a secret: letters, digits and . _ -",
                          "^[A-Za-z0-9._-]{1,253}$",
                          [](std::string_view t) { return made_of(t, "._-", 253); }};
const Rule kSelectorKeyRule{"label-key", "a label's key: name or domain/name",
                            "^(" SUBDOMAIN "/)?" SELECTOR "$", selector_key};
const Rule kSelectorValueRule{"label-value", "a label's value: 63 letters, digits and . _ -",
                              "^(" SELECTOR ")?$",
                              [](std::string_view t) { return t.empty() || selector_name(t); }};
const Rule kQuantRule{
    "quantisation", "a weight format, such as bf16, fp8, awq, q8_0 or q4_k_m", "",
    [](std::string_view t) { return t.empty() || !placement::canonical_quant(t).empty(); }};
const Rule kGpuRule{"gpu", "a GPU of the table, such as H100 SXM, A100 80 GB, L40S or RTX 4090", "",
                    [](std::string_view t) {
                      return t.empty() || (t.size() <= 100 && topology::gpu_spec(t) != nullptr);
                    }};
const Rule kTextRule{"text", "a text without control characters", "^[^\\x00-\\x1f\\x7f]*$", plain,
                     4096};

#undef LABEL
#undef SUBDOMAIN
#undef SELECTOR

bool looks_secret(std::string_view text) {
  if (text.find("-----BEGIN ") != text.npos) return true;
  const size_t at = text.find('@'), scheme = text.find("://");
  if (scheme != text.npos && at != text.npos) {
    const std::string_view authority = text.substr(scheme + 3);
    const std::string_view user = authority.substr(0, authority.find_first_of("/?#"));
    if (user.find('@') != user.npos && user.substr(0, user.find('@')).find(':') != user.npos)
      return true;
  }
  if (text.starts_with("Bearer ")) return true;
  constexpr std::string_view kPrefixes[] = {
      "sk-",  "sk_",  "hf_",  "ghp_", "gho_",   "github_pat_", "glpat-", "xoxb-", "xoxp-",
      "AKIA", "ASIA", "AIza", "gsk_", "nvapi-", "r8_",         "eyJ",    "ya29."};
  if (text.size() < 20 || text.find_first_of(" /") != text.npos) return false;
  return std::ranges::any_of(text, is_digit) &&
         std::ranges::any_of(kPrefixes, [&](std::string_view p) { return text.starts_with(p); });
}

bool names_secret(std::string_view variable) {
  std::string upper(variable);
  for (char& c : upper)
    if (c >= 'a' && c <= 'z') c = char(c - 'a' + 'A');
  for (const std::string_view end : {"API_KEY", "APIKEY", "ACCESS_KEY", "PRIVATE_KEY", "_TOKEN",
                                     "_SECRET", "PASSWORD", "PASSWD", "_CREDENTIALS"})
    if (std::string_view(upper).ends_with(end)) return true;
  return false;
}

}  // namespace aictl::platform
