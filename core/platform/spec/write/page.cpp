// aictl-platform(5), printed from the fields.
#include <fmt/format.h>

#include "core/platform/spec/fields/platform_fields.hpp"
#include "core/platform/spec/read.hpp"

namespace aictl::platform {
namespace {

std::string roff(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (out.empty() && (c == '.' || c == '\'')) out += "\\&";
    if (c == '\\')
      out += "\\e";
    else if (c == '-')
      out += "\\-";
    else
      out += c;
  }
  return out;
}

std::string number(double value) {
  return value == double(int64_t(value)) ? fmt::format("{}", int64_t(value))
                                         : fmt::format("{}", value);
}

std::string_view kind_word(const Field& field) {
  if (field.kind == Field::Kind::kSection) return "mapping";
  if (field.kind == Field::Kind::kList) return "list";
  if (field.kind != Field::Kind::kValue) return "mapping by name";
  switch (field.row->kind()) {
    case FieldKind::kBool:
      return "true or false";
    case FieldKind::kInteger:
      return "whole number";
    case FieldKind::kReal:
      return "number";
    case FieldKind::kDuration:
      return "duration";
    case FieldKind::kBytes:
      return "size";
    case FieldKind::kList:
      return "list of texts";
    case FieldKind::kText:
    case FieldKind::kChoice:
      return "text";
  }
  return "";
}

std::string default_text(const Field& field) {
  if (field.is_required) return "required";
  if (!field.default_words.empty()) return "default: " + field.default_words;
  if (!field.row) return "";
  const Json& value = field.row->default_value();
  if (value.is_string())
    return value.get_ref<const std::string&>().empty()
               ? "default: none"
               : "default: " + value.get_ref<const std::string&>();
  return value.is_array() ? "default: none" : "default: " + dump_json(value);
}

std::string rule_text(const Field& field) {
  if (field.row && !field.row->words().empty()) {
    std::vector<std::string> words;
    for (const std::string& word : field.row->words())
      if (!word.empty()) words.push_back(word);
    return fmt::format("one of {}", fmt::join(words, ", "));
  }
  if (field.bounds && field.row->kind() != FieldKind::kBytes)
    return fmt::format("{} to {}", number(field.bounds->first), number(field.bounds->second));
  if (!field.text_rule) return "";
  return std::string(field.kind == Field::Kind::kMap ? "its keys: " : "") +
         std::string(field.text_rule->what);
}

// One term a field; what is below follows under its whole name.
void write_fields(const Fields& fields, const std::string& prefix, std::string& out) {
  for (const Field& field : fields.all()) {
    const std::string name = prefix + field.name;
    std::string facts(kind_word(field));
    for (const std::string& fact : {rule_text(field), default_text(field)})
      if (!fact.empty()) facts += "; " + fact;
    out += fmt::format(".TP\n.BR {} \" ({})\"\n{}.\n", roff(name), roff(facts), roff(field.help));
    if (!field.sample) continue;
    const Fields below = field.sample();
    if (below.only_shorthand()) continue;
    const char* mark = field.kind == Field::Kind::kList  ? "[]."
                       : field.kind == Field::Kind::kMap ? ".NAME."
                                                         : ".";
    write_fields(below, name + mark, out);
  }
}

}  // namespace

std::string platform_page() {
  Platform platform;
  std::string out =
      ".\\\" Printed from the fields of a spec; a test keeps it fresh.\n"
      ".TH AICTL\\-PLATFORM 5 \"\" \"aictl\"\n"
      ".SH NAME\naictl\\-platform \\- the spec of a platform, aictl.yaml\n"
      ".SH DESCRIPTION\n"
      "A platform is one YAML file: models, what stands beside them, who asks them, and where all "
      "of it runs. `aictl up` runs it here, `aictl generate` writes it for a cluster; numbers that "
      "the file leaves out come from the models and the machine. `aictl init` writes one to start "
      "from.\n"
      ".PP\n.nf\n.RS\nname: demo\nmodels: [{source: model.gguf}]\n.RE\n.fi\n.PP\n"
      "A field that is not listed here is a mistake. A file is at most 1 MiB; anchors and aliases "
      "are understood. A size is a number of bytes or text such as 16Gi, a duration is text such "
      "as 30s or 1h30m. Credentials are never in the file: fields named secret and keys_secret "
      "name a secret that has them. `aictl config schema` prints a JSON schema of all this, for "
      "editors.\n"
      ".SH FIELDS\n"
      ".TP\n.BR apiVersion \" (text; default: aictl.dev/v1)\"\nThe version of this form.\n"
      ".TP\n.BR kind \" (text; default: Platform)\"\nWhat this file is.\n";
  write_fields(platform_fields(platform), "", out);
  return out +
         ".SH \"SEE ALSO\"\n.BR aictl\\-init (1),\n.BR aictl\\-config\\-schema (1),\n"
         ".BR aictl\\-plan (1)\n";
}

}  // namespace aictl::platform
