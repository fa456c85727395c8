// Turns: whose turn it is among tenants, and how many places each request and each tenant holds.
// Deficit round robin in rows: a tenant with credit goes first in its turn, pays for each row that
// is computed for it, and gets another quantum when nobody who asks has credit left. Source:
// Shreedhar and Varghese 1995.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace aictl::inference {

/// What a priority says about others: a higher class always goes first, and takes the place of a
/// lower one.
enum class ServiceClass : int8_t { kBackground, kStandard, kInteractive };
inline constexpr int kServiceClasses = 3;

constexpr ServiceClass class_of(int priority) {
  return priority > 0   ? ServiceClass::kInteractive
         : priority < 0 ? ServiceClass::kBackground
                        : ServiceClass::kStandard;
}

/// A request and an account (a tenant in a class) are indices, used again after their end. Used by
/// one thread; allocates only for more requests at once, or more tenants, than there ever were.
class Turns {
 public:
  static constexpr int64_t kQuantum = 256;        // rows a turn is worth
  static constexpr int64_t kDebt = 4 * kQuantum;  // most that is held against a tenant

  /// A request of `sequences`, each of which is closed once.
  int open(uint64_t tenant, ServiceClass service, int sequences);
  void close(int request);

  /// `more` places (fewer when negative) are taken by sequences of `request`.
  void hold(int request, int more);
  int places() const { return places_; }
  int places_of(int request) const { return requests_[static_cast<size_t>(request)].places; }
  int account_of(int request) const { return requests_[static_cast<size_t>(request)].account; }
  int places_of_account(int account) const { return at(account).places; }
  int64_t credit(int account) const { return at(account).credit; }

  /// `rows` were planned for `account`.
  void charge(int account, int rows);
  /// The turn is with `account`, and stays while it asks and has credit.
  void take_turn(int account) { turn_[static_cast<size_t>(at(account).service)] = account; }

  /// From here on until forget(), `account` asks for a turn.
  void ask(int account);
  void forget();
  bool asks(int account) const { return at(account).wish == Wish::kAsks; }
  /// `account` has what can be given now, or cannot use it. Its credit still counts: nobody gets
  /// more before it is spent.
  void withdraw(int account) { at(account).wish = Wish::kWithdrawn; }
  /// Whose turn it is among those of `service` who ask; -1 without any. Without credit only if who
  /// has some has withdrawn.
  int next(ServiceClass service);

 private:
  enum class Wish : uint8_t { kNone, kAsks, kWithdrawn };
  struct Request {
    int account = -1, sequences = 0, places = 0;
  };
  struct Account {
    uint64_t tenant;
    ServiceClass service;
    int places = 0;
    int64_t credit = 0;
    Wish wish = Wish::kNone;
  };
  Account& at(int account) { return accounts_[static_cast<size_t>(account)]; }
  const Account& at(int account) const { return accounts_[static_cast<size_t>(account)]; }
  int account(uint64_t tenant, ServiceClass service);
  void pay_out(ServiceClass service, int64_t most);

  std::vector<Request> requests_;
  std::vector<int> free_requests_;
  std::vector<Account> accounts_;            // one a tenant and class that ever was: keys are few
  std::array<int, kServiceClasses> turn_{};  // the account that took the last turn
  int places_ = 0;
};

}  // namespace aictl::inference
