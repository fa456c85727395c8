#include "plugins/services/inference/text/encode/pre_rows.hpp"

#include <algorithm>
#include <array>

namespace aictl {
namespace {

constexpr const char* kGpt2 =
    R"re('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)re";

constexpr const char* kLlama3 =
    R"re((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|)re"
    R"re( ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)re";

constexpr const char* kQwen2 = R"re((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}|)re"
                               R"re( ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)re";

constexpr const char* kQwen35 =
    R"re((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}|)re"
    R"re( ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)re";

constexpr const char* kGpt4o =
    R"re([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|')re"
    R"re(t|'re|'ve|'m|'ll|'d)?|)re"
    R"re([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|')re"
    R"re(t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|)re"
    R"re(\s+(?!\S)|\s+)re";

constexpr const char* kTekken =
    R"re([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|)re"
    R"re([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|)re"
    R"re(\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)re";

constexpr const char* kDeepseekV3 =
    R"re([!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|)re"
    R"re([^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|)re"
    R"re(\s+(?!\S)|\s+)re";

constexpr const char* kDeepseekLlmLetters =
    R"re(\s?[A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-ՖႠ-ჅᎠ-Ᏽᏸ-ᏽᲐ-ᲺᲽ-Ჿᴀ-ᴫᵫ-ᵷᵹ-ᶚḀ-)re"
    R"re(ἕἘ-Ἕἠ-ὅὈ-Ὅὐ-ὗὙὛὝὟ-ώᾀ-ᾴᾶ-ᾼιῂ-ῄῆ-ῌῐ-ΐῖ-Ίῠ-Ῥῲ-ῴῶ-ῼℂℇℊ-ℓℕℙ-ℝℤΩℨK-ℭℯ-ℴℹℼ-ℿⅅ-ⅉⅎↃↄⰀ-ⱻⱾ-ⳤⳫ-ⳮ)re"
    R"re(ⳲⳳꙀ-ꙭꚀ-ꚛꜢ-ꝯꝱ-ꞇꞋ-ꞎꭰ-ꮿﬀ-ﬆﬓ-ﬗＡ-Ｚａ-ｚ𐐀-𐑏𐒰-𐓓𐓘-𐓻𐲀-𐲲𐳀-𐳲𑢠-𑣟𞤀-𞥃]+)re";

constexpr const char* kBailingMoe = R"re('(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}|)re"
                                    R"re( ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+)re";

constexpr const char* kSeedCoder =
    R"re((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1}|)re"
    R"re( ?[^\s\p{L}\p{N}\r\n]+|\s*[\r\n]+|\s+(?!\S)|\s+)re";

// The published form has plain quantifiers; nothing follows the repeated group, so giving back is
// of no use and these possessive ones match the same without a stack frame a letter.
constexpr const char* kExaoneMoe =
    R"re((?i:'s|'t|'re|'ve|'m|'ll|'d)|)re"
    R"re([^\r\n\p{L}\p{N}]?(?:\p{L}\p{M}*+(?: \p{L}\p{M}*+)*+)++|\p{N}|)re"
    R"re( ?[^\s\p{L}\p{N}]+[\r\n/]?|\s*[\r\n]|\s+(?!\S)|\s+)re";

constexpr const char* kPoro = R"re( ?[^(\s|.,!?…。，、।۔،)]+)re";

// The published form intersects classes with "not Han". Here each such class is the complement of
// everything that is not in it.
constexpr const char* kKimiK2 =
    R"re(\p{sc:Han}+|)re"
    R"re([^\r\n\p{L}\p{N}]?[^\p{N}\p{P}\p{S}\p{Z}\p{C}\p{Ll}\p{sc:Han}]*[^\p{N}\p{P}\p{S}\p{Z)re"
    R"re(}\p{C}\p{Lu}\p{Lt}\p{sc:Han}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|)re"
    R"re([^\r\n\p{L}\p{N}]?[^\p{N}\p{P}\p{S}\p{Z}\p{C}\p{Ll}\p{sc:Han}]+[^\p{N}\p{P}\p{S}\p{Z)re"
    R"re(}\p{C}\p{Lu}\p{Lt}\p{sc:Han}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}|)re"
    R"re( ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)re";

constexpr const char* kDeepseekHan =
    R"re([\x{4E00}-\x{9FA5}\x{0800}-\x{4E00}\x{AC00}-\x{D7FF}]+)re";

constexpr PrePass kGpt2Row[] = {{kGpt2}};
constexpr PrePass kDigitsRow[] = {{R"re(\p{N})re"}, {kGpt2}};
constexpr PrePass kLlama3Row[] = {{kLlama3}};
constexpr PrePass kQwen2Row[] = {{kQwen2}};
constexpr PrePass kQwen35Row[] = {{kQwen35}};
constexpr PrePass kGpt4oRow[] = {{kGpt4o}};
constexpr PrePass kTekkenRow[] = {{kTekken}};
constexpr PrePass kDeepseekV3Row[] = {
    {R"re(\p{N}{1,3})re"},
    {R"re([\x{4E00}-\x{9FA5}\x{3040}-\x{309F}\x{30A0}-\x{30FF}]+)re"},
    {kDeepseekV3}};
constexpr PrePass kDeepseekCoderRow[] = {{R"re([\r\n])re"},
                                         {R"re(\s?\p{L}+)re"},
                                         {R"re(\s?\p{P}+)re"},
                                         {kDeepseekHan},
                                         {R"re(\p{N})re"}};
// White space at the end is published as \s+$. The leftmost match starts where the run does; said
// so, a run that does not reach the end is not tried again from each of its characters.
constexpr PrePass kDeepseekLlmRow[] = {
    {R"re([\r\n])re"},
    {kDeepseekLlmLetters},
    {R"re(\s?[!-/:-~\x{FF01}-\x{FF0F}\x{FF1A}-\x{FF5E}\x{2018}-\x{201F}\x{3000}-\x{3002}]+)re"},
    {R"re((?<!\s)\s++\z)re"},
    {kDeepseekHan},
    {R"re(\p{N}+)re"}};
constexpr PrePass kFalconRow[] = {
    {R"re([\p{P}\$\+<=>\^~\|`]+)re"}, {kGpt2}, {R"re([0-9][0-9][0-9])re"}};
constexpr PrePass kDefaultRow[] = {
    {R"re([\p{P}\$\+<=>\^~\|]+)re"}, {kGpt2}, {R"re(\p{N}+)re"}, {R"re([0-9][0-9][0-9])re"}};
constexpr PrePass kBailingMoeRow[] = {{kBailingMoe}};
constexpr PrePass kSeedCoderRow[] = {{kSeedCoder}};
constexpr PrePass kExaoneMoeRow[] = {{kExaoneMoe}};
constexpr PrePass kPoroRow[] = {{kPoro}};
constexpr PrePass kVikingRow[] = {{kPoro}, {R"re(\p{N})re"}};
constexpr PrePass kKimiK2Row[] = {{kKimiK2}};
// The two rows that count digits from the right are published as look-aheads over the rest of the
// run, \d{1,3}(?=(?:\d{3})*\b) and (?=(\d{3})+(?!\d)), quadratic in its length.
constexpr PrePass kTinyAyaRow[] = {{R"re((?<!\d)\d++\b)re", PassKind::kGroupDigits}, {kGpt4o}};
constexpr PrePass kSuperBpeRow[] = {{R"re(\p{N}+)re"}, {R"re(\d++)re", PassKind::kCutDigits}};

constexpr bool kIgnoreMerges = true, kAddBos = true, kAddSeparator = true;

constexpr PreRow kRows[] = {
    {"default", kDefaultRow},
    {"llama-bpe", kLlama3Row, kIgnoreMerges, kAddBos},
    {"llama3", kLlama3Row, kIgnoreMerges, kAddBos},
    {"llama-v3", kLlama3Row, kIgnoreMerges, kAddBos},
    {"falcon3", kLlama3Row, kIgnoreMerges, kAddBos},
    {"falcon-h1", kLlama3Row, kIgnoreMerges, kAddBos},
    {"pixtral", kLlama3Row, kIgnoreMerges, kAddBos},
    {"midm-2.0", kLlama3Row, kIgnoreMerges, kAddBos},
    {"lfm2", kLlama3Row, kIgnoreMerges, kAddBos},
    {"jina-v5-nano", kLlama3Row, kIgnoreMerges, kAddBos},
    {"laguna", kLlama3Row, kIgnoreMerges, kAddBos},
    {"dbrx", kLlama3Row},
    {"smaug-bpe", kLlama3Row},
    {"glm4", kLlama3Row},
    {"chatglm-bpe", kLlama3Row},
    {"qwen2", kQwen2Row},
    {"deepseek-r1-qwen", kQwen2Row},
    {"megrez", kQwen2Row},
    {"kormo", kQwen2Row},
    {"openpangu", kQwen2Row},
    {"f2llmv2", kQwen2Row},
    {"hunyuan", kQwen2Row},
    {"solar-open", kQwen2Row},
    {"grok-2", kQwen2Row},
    {"stablelm2", kQwen2Row},
    {"qwen35", kQwen35Row},
    {"gpt-4o", kGpt4oRow},
    {"llama4", kGpt4oRow},
    {"kanana2", kGpt4oRow},
    {"minimax-m2", kGpt4oRow},
    {"tekken", kTekkenRow, kIgnoreMerges, kAddBos},
    {"gpt-2", kGpt2Row},
    {"phi-2", kGpt2Row},
    {"mpt", kGpt2Row},
    {"olmo", kGpt2Row},
    {"jais", kGpt2Row},
    {"jina-es", kGpt2Row},
    {"jina-de", kGpt2Row},
    {"jina-v2-es", kGpt2Row},
    {"jina-v2-de", kGpt2Row},
    {"gigachat", kGpt2Row},
    {"a.x-4.0", kGpt2Row},
    {"mellum", kGpt2Row},
    {"modern-bert", kGpt2Row},
    {"exaone4", kGpt2Row},
    {"trillion", kGpt2Row},
    {"granite-docling", kGpt2Row},
    {"jina-v1-en", kGpt2Row, false, false, kAddSeparator},
    {"jina-v2-code", kGpt2Row, false, false, kAddSeparator},
    {"roberta-bpe", kGpt2Row, false, false, kAddSeparator},
    {"starcoder", kDigitsRow},
    {"refact", kDigitsRow},
    {"command-r", kDigitsRow},
    {"cohere2_moe", kDigitsRow},
    {"smollm", kDigitsRow},
    {"codeshell", kDigitsRow},
    {"exaone", kDigitsRow},
    {"minerva-7b", kDigitsRow},
    {"mellum2", kDigitsRow},
    {"deepseek-llm", kDeepseekLlmRow},
    {"deepseek-coder", kDeepseekCoderRow},
    {"deepseek-v3", kDeepseekV3Row},
    {"hunyuan-dense", kDeepseekV3Row},
    {"joyai-llm", kDeepseekV3Row},
    {"falcon", kFalconRow},
    {"bailingmoe", kBailingMoeRow},
    {"bailingmoe2", kBailingMoeRow},
    {"llada-moe", kBailingMoeRow},
    {"seed-coder", kSeedCoderRow},
    {"exaone-moe", kExaoneMoeRow},
    {"bloom", kPoroRow},
    {"gpt3-finnish", kPoroRow},
    {"poro-chat", kPoroRow},
    {"viking", kVikingRow},
    {"kimi-k2", kKimiK2Row},
    {"tiny_aya", kTinyAyaRow},
    {"superbpe", kSuperBpeRow},
};

}  // namespace

std::span<const PreRow> pre_rows() { return kRows; }

const PreRow* find_pre_row(std::string_view pre) {
  const auto* row = std::ranges::find(kRows, pre, &PreRow::pre);
  return row == std::end(kRows) ? nullptr : row;
}

}  // namespace aictl
