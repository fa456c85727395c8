// Decoders around zlib and libzstd that stop at the limit, whatever the input promises.
#include "core/http/framing/content_encoding.hpp"

#include <fmt/format.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <memory>
#include <utility>

namespace aictl::http {
namespace {

constexpr size_t kBlock = 64 << 10;
constexpr int kMaxWindowLog = 23;  // 8 MiB: what RFC 9659 allows for zstd over HTTP
constexpr ptrdiff_t kMaxExtraCodings = 1;

Error broken(std::string_view coding, std::string_view why) {
  return {ErrorCode::kDataRefused, fmt::format("{} body is broken: {}", coding, why), ""};
}

Error too_large(std::string_view coding, size_t limit) {
  return {ErrorCode::kTooLarge,
          fmt::format("{} body decodes to more than the limit of {} bytes", coding, limit), ""};
}

struct Inflater {
  z_stream stream{};
  bool open = false;
  ~Inflater() {
    if (open) inflateEnd(&stream);
  }
};

// gzip and zlib framing are told apart by their first bytes (window bits + 32).
Result<std::string> inflate_all(std::string_view bytes, size_t limit) {
  Inflater inflater;
  if (inflateInit2(&inflater.stream, 15 + 32) != Z_OK)
    return Error{ErrorCode::kResourceExhausted, "no memory for a gzip decoder", ""};
  inflater.open = true;
  if (bytes.size() > UINT_MAX) return too_large("gzip", limit);
  inflater.stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  inflater.stream.avail_in = static_cast<uInt>(bytes.size());
  std::string out;
  std::string block(kBlock, '\0');
  int status = Z_OK;
  while (status != Z_STREAM_END) {
    inflater.stream.next_out = reinterpret_cast<Bytef*>(block.data());
    inflater.stream.avail_out = static_cast<uInt>(block.size());
    status = inflate(&inflater.stream, Z_NO_FLUSH);
    if (status == Z_BUF_ERROR) return broken("gzip", "it is cut off");
    if (status != Z_OK && status != Z_STREAM_END)
      return broken("gzip", "not a gzip or zlib stream");
    const size_t made = block.size() - inflater.stream.avail_out;
    if (made > limit - out.size()) return too_large("gzip", limit);
    out.append(block, 0, made);
  }
  if (inflater.stream.avail_in != 0) return broken("gzip", "bytes follow its end");
  return out;
}

Result<std::string> unzstd_all(std::string_view bytes, size_t limit) {
  const std::unique_ptr<ZSTD_DStream, size_t (*)(ZSTD_DStream*)> stream(ZSTD_createDStream(),
                                                                        ZSTD_freeDStream);
  if (!stream) return Error{ErrorCode::kResourceExhausted, "no memory for a zstd decoder", ""};
  ZSTD_DCtx_setParameter(stream.get(), ZSTD_d_windowLogMax, kMaxWindowLog);
  ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
  std::string out;
  std::string block(kBlock, '\0');
  size_t need = 1;  // 0 after a whole frame
  while (true) {
    ZSTD_outBuffer made{block.data(), block.size(), 0};
    const size_t before = in.pos;
    need = ZSTD_decompressStream(stream.get(), &made, &in);
    if (ZSTD_isError(need)) return broken("zstd", ZSTD_getErrorName(need));
    if (made.pos > limit - out.size()) return too_large("zstd", limit);
    out.append(block, 0, made.pos);
    const bool all_read = in.pos == in.size;
    if (all_read && need == 0) return out;
    if (all_read && made.pos == 0 && in.pos == before) return broken("zstd", "it is cut off");
  }
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

Result<std::string> decode_one(std::string_view coding, std::string bytes, size_t limit) {
  if (coding.empty() || equals_ignoring_case(coding, "identity")) return bytes;
  if (equals_ignoring_case(coding, "gzip") || equals_ignoring_case(coding, "x-gzip") ||
      equals_ignoring_case(coding, "deflate"))
    return inflate_all(bytes, limit);
  if (equals_ignoring_case(coding, "zstd")) return unzstd_all(bytes, limit);
  return Error{ErrorCode::kUnsupported,
               fmt::format("content encoding '{}' is not supported", coding.substr(0, 64)),
               "send the body as gzip, deflate, zstd or without a coding"};
}

}  // namespace

Result<std::string> decode_content(std::string_view encoding, std::string_view bytes,
                                   size_t limit) {
  if (std::count(encoding.begin(), encoding.end(), ',') > kMaxExtraCodings)
    return Error{ErrorCode::kUnsupported, "more than two content encodings", ""};
  std::string body(bytes);
  while (true) {  // the last one named was applied last
    const size_t comma = encoding.rfind(',');
    const bool more = comma != std::string_view::npos;
    auto decoded =
        decode_one(trim(more ? encoding.substr(comma + 1) : encoding), std::move(body), limit);
    if (!decoded || !more) return decoded;
    body = std::move(decoded).value();
    encoding = encoding.substr(0, comma);
  }
}

std::string content_encoding(const Headers& headers) {
  std::string encoding;
  for (const Header& field : headers) {
    if (!equals_ignoring_case(field.name, "content-encoding")) continue;
    if (!encoding.empty()) encoding += ",";
    encoding += field.value;
  }
  return encoding;
}

int decoding_status(const Error& error) {
  if (error.code == ErrorCode::kTooLarge) return 413;
  return error.code == ErrorCode::kUnsupported ? 415 : 400;
}

Result<void> decode_body(Request& request, size_t limit) {
  const std::string encoding = content_encoding(request.headers);
  if (encoding.empty() || request.body.empty()) return {};
  auto decoded = decode_content(encoding, request.body, limit);
  if (!decoded) return std::move(decoded).error();
  request.body = std::move(decoded).value();
  request.headers.remove("content-encoding");
  return {};
}

}  // namespace aictl::http
