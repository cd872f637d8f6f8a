#pragma once

#include <span>
#include <string>

#include "conformance/suite/runtime.h"

namespace hull::conformance {

enum class Verdict { safe, vulnerable, not_applicable, unclear };
struct VerdictName {
  const char* text;
  const char* cell;  // of the table
};
inline constexpr VerdictName kVerdicts[] = {
    {"safe", "safe"}, {"VULNERABLE", "**vulnerable**"}, {"not applicable", "–"}, {"unclear", "?"}};

struct Finding {
  Verdict verdict = Verdict::safe;
  std::string why;
};

// Thrown by an attack that has worked.
struct Breach {
  std::string what;
};
// Thrown when this machine or runtime lacks what the attack needs.
struct NotApplicable {
  std::string why;
};

// What an attack has at its disposal.
struct Arena {
  Runtime runtime;
  std::string attacker;  // the program that attacks from inside
  int rounds = 500;      // of a race
};

// An attack shows first that its harmless twin works (else it throws Error: nothing is shown), then
// attacks. It returns when the runtime has refused or the attack did no harm.
struct Attack {
  const char* id;
  const char* advisories;  // "" for what no advisory tells of
  const char* what;
  void (*play)(const Arena& arena);
  // Why hull can't do better; empty: it must.
  const char* limit = "";
};

std::span<const Attack> link_attacks();
std::span<const Attack> race_attacks();
std::span<const Attack> descriptor_attacks();
std::span<const Attack> identity_attacks();
std::span<const Attack> input_attacks();
std::span<const Attack> procfs_attacks();

}  // namespace hull::conformance
