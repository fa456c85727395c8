#include "core/load/workload/dataset.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace aictl::load {
namespace {

constexpr int64_t kLeastPrompt = 4, kMostPrompt = 1024, kMostTotal = 2048;

const std::string* text_of(const Json& tree, const char* key) {
  const auto found = tree.find(key);
  return found != tree.end() && found->is_string() ? &found->get_ref<const std::string&>()
                                                   : nullptr;
}

// The first question and its answer; nullopt when the conversation does not begin so.
std::optional<DatasetRow> first_pair(const Json& conversation) {
  const auto turns = conversation.find("conversations");
  if (turns == conversation.end() || !turns->is_array()) return std::nullopt;
  for (size_t i = 0; i + 1 < turns->size(); ++i) {
    const Json &ask = (*turns)[i], &answer = (*turns)[i + 1];
    if (!ask.is_object() || !answer.is_object()) return std::nullopt;
    const std::string *from = text_of(ask, "from"), *to = text_of(answer, "from");
    const std::string *question = text_of(ask, "value"), *said = text_of(answer, "value");
    if (!from || !to || !question || !said) return std::nullopt;
    if ((*from == "human" || *from == "user") && *to != "human" && *to != "user")
      return DatasetRow{*question, {}, *said, {}};
  }
  return std::nullopt;
}

Result<Dataset> parse_sharegpt(std::string_view text, std::string_view name) {
  auto tree = parse_json(text);
  if (!tree) return std::move(tree).error().within(name);
  Dataset dataset{"sharegpt", {}, 0};
  for (size_t i = 0; i < tree->size(); ++i) {
    const Json& one = (*tree)[i];
    if (!one.is_object())
      return Error{ErrorCode::kDataRefused, fmt::format("{}: [{}] is no object", name, i),
                   "ShareGPT is an array of {\"conversations\": [...]}"};
    auto row = first_pair(one);
    if (row)
      dataset.rows.push_back(std::move(*row));
    else
      ++dataset.skipped;
  }
  return dataset;
}

std::optional<DatasetRow> line_row(const Json& tree) {
  if (!tree.is_object()) return std::nullopt;
  DatasetRow row;
  const auto messages = tree.find("messages");
  if (const std::string* prompt = text_of(tree, "prompt"))
    row.prompt = *prompt;
  else if (messages != tree.end() && messages->is_array() && !messages->empty())
    row.messages = *messages;
  else
    return std::nullopt;
  for (const char* key : {"output_len", "output_tokens", "max_tokens"}) {
    const auto length = tree.find(key);
    if (length == tree.end() || length->is_null()) continue;
    if (!length->is_number_integer() || length->get<int64_t>() < 1) return std::nullopt;
    row.out_tokens = length->get<int64_t>();
    break;
  }
  return row;
}

Result<Dataset> parse_lines(std::string_view text, std::string_view name) {
  Dataset dataset{"jsonl", {}, 0};
  size_t number = 0;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    std::string_view line = text.substr(at, end - at);
    at = end + 1;
    ++number;
    if (line.find_first_not_of(" \t\r") == line.npos) continue;
    auto tree = parse_json(line);
    if (!tree) return std::move(tree).error().within(fmt::format("{}:{}", name, number));
    auto row = line_row(*tree);
    if (!row)
      return Error{
          ErrorCode::kDataRefused,
          fmt::format("{}:{}: not a prompt: '{}'", name, number, line.substr(0, 80)),
          "a line is {\"prompt\": TEXT} or {\"messages\": [...]}, with output_len if known"};
    dataset.rows.push_back(std::move(*row));
  }
  return dataset;
}

}  // namespace

Result<Dataset> parse_dataset(std::string_view text, std::string_view name) {
  const size_t first = text.find_first_not_of(" \t\r\n");
  auto dataset = first != text.npos && text[first] == '[' ? parse_sharegpt(text, name)
                                                          : parse_lines(text, name);
  if (dataset && dataset->rows.empty())
    return Error{ErrorCode::kDataRefused, fmt::format("{}: no prompts in it", name), ""};
  return dataset;
}

Result<void> fit_dataset(Dataset& dataset, uint64_t wanted, const CountTokens& count) {
  std::vector<DatasetRow> fit;
  for (DatasetRow& row : dataset.rows) {
    if (fit.size() >= wanted) break;
    auto in = count(row.prompt);
    if (!in) return std::move(in).error();
    auto out = count(row.answer);
    if (!out) return std::move(out).error();
    if (*in < kLeastPrompt || *in > kMostPrompt || *out < kLeastPrompt || *in + *out > kMostTotal) {
      ++dataset.skipped;
      continue;
    }
    row.out_tokens = *out;
    fit.push_back(std::move(row));
  }
  if (fit.empty())
    return Error{ErrorCode::kDataRefused,
                 "no conversation has a prompt of 4..1024 tokens and at most 2048 in all",
                 "--raw takes them as they are"};
  dataset.rows = std::move(fit);
  return {};
}

}  // namespace aictl::load
