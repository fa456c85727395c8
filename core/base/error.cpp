#include "core/base/error.hpp"

#include "core/base/check.hpp"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace aictl {
namespace {

// Exit statuses: 1 failed, 2 wrong usage, 65 data refused, 69 something needed is missing, 130
// interrupted.
constexpr ErrorFaces kTable[] = {
    {ErrorCode::kInvalidArgument, "invalid_argument", 2, 400, "invalid_request_error"},
    {ErrorCode::kNotFound, "not_found", 69, 404, "invalid_request_error"},
    {ErrorCode::kDataRefused, "data_refused", 65, 400, "invalid_request_error"},
    {ErrorCode::kUnsupported, "unsupported", 65, 501, "not_supported_error"},
    {ErrorCode::kUnauthorized, "unauthorized", 1, 401, "invalid_request_error"},
    {ErrorCode::kForbidden, "forbidden", 1, 403, "permission_error"},
    {ErrorCode::kConflict, "conflict", 1, 409, "conflict_error"},
    {ErrorCode::kTooLarge, "too_large", 65, 413, "invalid_request_error"},
    {ErrorCode::kResourceExhausted, "resource_exhausted", 69, 429, "rate_limit_error"},
    {ErrorCode::kUnavailable, "unavailable", 69, 503, "unavailable_error"},
    {ErrorCode::kDeadlineExceeded, "deadline_exceeded", 1, 504, "timeout_error"},
    {ErrorCode::kCancelled, "cancelled", 130, 499, "cancelled"},
    {ErrorCode::kIo, "io", 1, 500, "server_error"},
    {ErrorCode::kInternal, "internal", 1, 500, "server_error"},
};

}  // namespace

Error Error::within(std::string_view context) && {
  message.insert(0, ": ").insert(0, context);
  return std::move(*this);
}

Error Error::within(std::string_view context) const& { return Error(*this).within(context); }

const ErrorFaces& faces(ErrorCode code) {
  for (const ErrorFaces& row : kTable)
    if (row.code == code) return row;
  check_failed("every ErrorCode has a row", __FILE__, __LINE__);
}

Error errno_error(std::string_view what, int saved_errno) {
  std::string message(what);
  message.append(": ").append(std::strerror(saved_errno));
  if (saved_errno == ENOENT || saved_errno == ENOTDIR)
    return {ErrorCode::kNotFound, std::move(message), ""};
  return {saved_errno == EISDIR ? ErrorCode::kDataRefused : ErrorCode::kIo, std::move(message), ""};
}

void check_failed(const char* expression, const char* file, int line) {
  std::fprintf(stderr, "%s:%d: broken invariant: %s\n", file, line, expression);
  std::abort();
}

}  // namespace aictl
